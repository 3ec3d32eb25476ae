//! The sessions: what lies in the server's directory of them, kept in memory.

mod glob;
pub(crate) mod history;
mod transcript;
pub(crate) mod turn;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};

use crate::request::text;
use crate::state::lock;

use glob::{BadPattern, Pattern};
use transcript::Writer;
use turn::SharedTurn;

/// The working directory of a run that names none.
pub(crate) const WORKDIR: &str = "/workspace";

/// All sessions by their ids.
#[derive(Default)]
pub(crate) struct Sessions {
    sessions: Mutex<HashMap<String, Session>>,
    /// Those with a run that goes on.
    busy: Arc<Mutex<HashSet<String>>>,
}

/// The home directory of a session's runs, with the conversations that they wrote there.
#[derive(Default)]
struct Session {
    /// In the order of their places. Seldom more than one, for which a list is small.
    conversations: Vec<Conversation>,
}

/// Where a conversation lies in its session: Claude Code has a directory for each working directory, and a file for
/// each conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    project: String,
    /// The id of the conversation, which is that of the session, or a fork's own.
    pub(crate) id: String,
}

struct Conversation {
    place: Place,
    parts: Vec<Part>,
    /// Counts what was written to the session; the highest number is that of the latest conversation.
    written: usize,
}

/// A part of a transcript.
enum Part {
    /// Lines as they lie on disk.
    Lines(String),
    /// A run that has lines only when they are asked for.
    Turn(SharedTurn),
}

/// The right to run in a session, which nobody else has at the same time.
pub(crate) struct Occupied {
    busy: Arc<Mutex<HashSet<String>>>,
    session: String,
}

impl Drop for Occupied {
    fn drop(&mut self) {
        lock(&self.busy).remove(&self.session);
    }
}

impl Place {
    pub(crate) fn new(workdir: &str, id: &str) -> Self {
        let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        Self {
            project: workdir.chars().map(name).collect(),
            id: id.to_owned(),
        }
    }

    /// Another conversation of the same working directory.
    pub(crate) fn sibling(&self, id: String) -> Self {
        Self {
            project: self.project.clone(),
            id,
        }
    }
}

impl Sessions {
    /// Every session, by name, with the title of its conversation, which is empty when it has none.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        let sessions = lock(&self.sessions);
        let list = sessions.iter().map(|(id, session)| (id.clone(), session.title(id)));
        let mut list: Vec<_> = list.collect();
        list.sort_unstable();
        list
    }

    /// Makes the session's directory, if it is not there.
    pub(crate) fn create(&self, session: &str) {
        let mut sessions = lock(&self.sessions);
        if !sessions.contains_key(session) {
            sessions.insert(session.to_owned(), Session::default());
        }
    }

    /// Puts a session there that consists of one conversation, in the place of any other of that id.
    pub(crate) fn put(&self, id: String, transcript: &str) {
        let mut workdirs = transcript.lines().map(|line| text(&object(line), "cwd").to_owned());
        let workdir = workdirs.find(|workdir| !workdir.is_empty());
        let place = Place::new(workdir.as_deref().unwrap_or(WORKDIR), &id);
        let mut lines = transcript.to_owned();
        if !lines.is_empty() && !lines.ends_with('\n') {
            lines.push('\n');
        }
        let mut session = Session::default();
        session.append(&place, Part::Lines(lines));
        lock(&self.sessions).insert(id, session);
    }

    /// Removes a session. A run in it goes on, but what it writes is lost.
    pub(crate) fn delete(&self, session: &str) -> bool {
        lock(&self.sessions).remove(session).is_some()
    }

    /// Takes the session for a run; none while another has it.
    pub(crate) fn occupy(&self, session: &str) -> Option<Occupied> {
        let entered = lock(&self.busy).insert(session.to_owned());
        entered.then(|| Occupied {
            busy: Arc::clone(&self.busy),
            session: session.to_owned(),
        })
    }

    /// The transcript of the first conversation whose session and file have names that fit `pattern`.
    ///
    /// # Errors
    /// When the pattern is malformed.
    pub(crate) fn find_transcript(&self, pattern: &str) -> Result<Option<String>, BadPattern> {
        if !Pattern::is_one(pattern) {
            return Ok(self.transcript(pattern));
        }
        let pattern = Pattern::parse(pattern)?;
        let sessions = lock(&self.sessions);
        let mut fitting: Vec<_> = sessions.iter().filter(|(session, _)| pattern.fits(session)).collect();
        fitting.sort_unstable_by_key(|(session, _)| *session);
        let mut conversations = fitting.into_iter().flat_map(|(_, session)| &session.conversations);
        let found = conversations.find(|conversation| pattern.fits(&conversation.place.id));
        Ok(found.map(Conversation::transcript))
    }

    /// The transcript of the session's own conversation.
    pub(crate) fn transcript(&self, session: &str) -> Option<String> {
        let sessions = lock(&self.sessions);
        Some(sessions.get(session)?.own(session)?.transcript())
    }

    /// The same, if there may be tokens in it.
    pub(crate) fn counted_transcript(&self, session: &str) -> Option<String> {
        let sessions = lock(&self.sessions);
        let own = sessions.get(session)?.own(session)?;
        own.counts().then(|| own.transcript())
    }

    pub(crate) fn has(&self, session: &str, place: &Place) -> bool {
        let sessions = lock(&self.sessions);
        let found = sessions.get(session);
        found.is_some_and(|session| session.find(place).is_some())
    }

    /// The conversation of the same working directory as `place` that was written to last.
    pub(crate) fn latest(&self, session: &str, place: &Place) -> Option<Place> {
        let sessions = lock(&self.sessions);
        let conversations = sessions.get(session)?.conversations.iter();
        let siblings = conversations.filter(|other| other.place.project == place.project);
        let latest = siblings.max_by_key(|conversation| conversation.written);
        latest.map(|conversation| conversation.place.clone())
    }

    /// Adds a turn to a conversation, which begins with it if it is not there. Nothing happens without the session.
    pub(crate) fn append(&self, session: &str, place: &Place, turn: SharedTurn) {
        if let Some(session) = lock(&self.sessions).get_mut(session) {
            session.append(place, Part::Turn(turn));
        }
    }

    /// Begins the conversation `to` with all that was said in `from`.
    pub(crate) fn fork(&self, session: &str, from: &Place, to: &Place) {
        let mut sessions = lock(&self.sessions);
        let Some(session) = sessions.get_mut(session) else {
            return;
        };
        let Some(original) = session.find(from) else { return };
        let mut lines = String::new();
        for line in original.transcript().lines() {
            let mut fields = object(line);
            if !text(&fields, "uuid").is_empty() {
                fields.insert("sessionId".to_owned(), Value::from(to.id.as_str()));
                lines.push_str(&format!("{}\n", Value::Object(fields)));
            }
        }
        session.append(to, Part::Lines(lines));
    }
}

impl Session {
    fn append(&mut self, place: &Place, part: Part) {
        let written = self.conversations.iter().map(|other| other.written).max();
        let written = written.unwrap_or(0) + 1;
        let mut conversations = self.conversations.iter_mut();
        if let Some(conversation) = conversations.find(|conversation| conversation.place == *place) {
            conversation.parts.push(part);
            conversation.written = written;
            return;
        }
        let after = self.conversations.partition_point(|other| other.place < *place);
        self.conversations.reserve_exact(1);
        self.conversations.insert(
            after,
            Conversation {
                place: place.clone(),
                parts: vec![part],
                written,
            },
        );
    }

    fn find(&self, place: &Place) -> Option<&Conversation> {
        self.conversations
            .iter()
            .find(|conversation| conversation.place == *place)
    }

    /// The conversation that has the id of the session, in the first working directory that there is one for.
    fn own(&self, id: &str) -> Option<&Conversation> {
        self.conversations
            .iter()
            .find(|conversation| conversation.place.id == id)
    }

    fn title(&self, id: &str) -> String {
        self.own(id).map(Conversation::title).unwrap_or_default()
    }
}

impl Conversation {
    /// All lines, as they lie on disk.
    fn transcript(&self) -> String {
        let mut lines = String::new();
        let mut leaf = None;
        for part in &self.parts {
            match part {
                Part::Lines(more) => {
                    let uuids = more.lines().rev().map(|line| text(&object(line), "uuid").to_owned());
                    leaf = uuids.into_iter().find(|uuid| !uuid.is_empty()).or(leaf);
                    lines.push_str(more);
                }
                Part::Turn(turn) => leaf = Writer::new(&lock(turn), &self.place.id, leaf, &mut lines).write(),
            }
        }
        lines
    }

    /// Whether there may be tokens in it.
    fn counts(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Lines(lines) => has_tokens(lines),
            Part::Turn(turn) => lock(turn).counts(),
        })
    }

    /// The last title that a user gave, or else the last that the model gave. Runs give none here.
    fn title(&self) -> String {
        let lines = self.parts.iter().rev().filter_map(|part| match part {
            Part::Lines(lines) => Some(lines.lines().rev()),
            Part::Turn(_) => None,
        });
        let named = |kind: &str, field: &str| {
            let mut lines = lines.clone().flatten().filter(|line| line.contains(field)).map(object);
            let line = lines.find(|line| text(line, "type") == kind)?;
            Some(text(&line, field).to_owned())
        };
        let title = named("custom-title", "customTitle").or_else(|| named("ai-title", "aiTitle"));
        title.unwrap_or_default()
    }
}

/// Whether there may be messages with tokens among these lines.
fn has_tokens(lines: &str) -> bool {
    lines.contains("\"usage\"")
}

/// The fields of a line; none if it is not an object.
fn object(line: &str) -> Map<String, Value> {
    serde_json::from_str(line).unwrap_or_default()
}
