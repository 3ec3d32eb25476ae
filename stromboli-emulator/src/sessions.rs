//! The sessions: what lies in the server's directory of them, kept in memory, and written down as
//! well when they are to outlive the process.

pub(crate) mod glob;
pub(crate) mod history;
mod transcript;
pub(crate) mod turn;

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde_json::{Map, Value};

use crate::request::text;
use crate::state::lock;
use crate::store::{Change, Contents, Lines, Store};

use glob::{BadPattern, Pattern};
use transcript::Writer;
use turn::SharedTurn;

/// The working directory of a run that names none, and what Claude Code makes of it.
pub(crate) const WORKDIR: &str = "/workspace";
const PROJECT: &str = "-workspace";

/// Where the command runs when a request names this directory, or none.
pub(crate) fn workdir(named: &str) -> &str {
    if named.is_empty() { WORKDIR } else { named }
}

/// All sessions by their ids, which are shared by all who know them.
pub(crate) struct Sessions {
    sessions: Mutex<IndexMap<Arc<str>, Session, FxBuildHasher>>,
    /// Those with a run that goes on.
    busy: Arc<Mutex<FxHashSet<Arc<str>>>>,
    /// None when sessions need not outlive the process.
    store: Option<Store>,
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
    project: Cow<'static, str>,
    /// The id of the conversation, which is that of the session, or a fork's own.
    pub(crate) id: Arc<str>,
}

struct Conversation {
    place: Place,
    /// What lay on disk before its first run, or when the process began.
    lines: String,
    /// The runs since, which have lines only when they are asked for.
    turns: Vec<SharedTurn>,
    /// Counts what was written to the session; the highest number is that of the latest conversation.
    written: usize,
}

/// The right to run in a session, which nobody else has at the same time.
pub(crate) struct Occupied {
    busy: Arc<Mutex<FxHashSet<Arc<str>>>>,
    session: Arc<str>,
}

impl Drop for Occupied {
    fn drop(&mut self) {
        lock(&self.busy).remove(&self.session);
    }
}

impl Place {
    pub(crate) fn new(workdir: &str, id: &Arc<str>) -> Self {
        let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let project = match workdir {
            WORKDIR => Cow::Borrowed(PROJECT),
            other => other.chars().map(name).collect(),
        };
        Self {
            project,
            id: Arc::clone(id),
        }
    }

    /// Another conversation of the same working directory.
    pub(crate) fn sibling(&self, id: Arc<str>) -> Self {
        Self {
            project: self.project.clone(),
            id,
        }
    }
}

impl Sessions {
    /// Those that were kept, or none.
    pub(crate) fn new(store: Option<Store>, kept: &mut Contents) -> Self {
        let begun = |id: String| (Arc::from(id), Session::default());
        let mut sessions: IndexMap<_, _, _> = kept.sessions.drain(..).map(begun).collect();
        for lines in kept.transcripts.drain(..) {
            let place = Place {
                project: Cow::Owned(lines.project),
                id: lines.conversation.into(),
            };
            // Numbers were `usize` when they were written.
            let number = usize::try_from(lines.number).unwrap_or(usize::MAX);
            let session = sessions.entry(lines.session.into()).or_default();
            session.write_as(number, &place, |conversation| conversation.lines.push_str(&lines.text));
        }
        Self {
            sessions: Mutex::new(sessions),
            busy: Arc::default(),
            store,
        }
    }

    /// Every session, by name, with the title of its conversation, which is empty when it has none.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        let sessions = lock(&self.sessions);
        let list = sessions.iter().map(|(id, session)| (id.to_string(), session.title(id)));
        let mut list: Vec<_> = list.collect();
        list.sort_unstable();
        list
    }

    /// Makes the session's directory, if it is not there.
    pub(crate) fn create(&self, session: &Arc<str>) {
        let mut sessions = lock(&self.sessions);
        if let Entry::Vacant(place) = sessions.entry(Arc::clone(session)) {
            place.insert(Session::default());
            if let Some(store) = &self.store {
                store.write([Change::Session(session.to_string())]);
            }
        }
    }

    /// Puts a session there that consists of one conversation, in the place of any other of that id.
    pub(crate) fn put(&self, id: String, transcript: &str) {
        let mut workdirs = transcript.lines().map(|line| text(&object(line), "cwd").to_owned());
        let workdir = workdirs.find(|workdir| !workdir.is_empty());
        let shared = Arc::from(id.as_str());
        let place = Place::new(workdir.as_deref().unwrap_or(WORKDIR), &shared);
        let mut lines = transcript.to_owned();
        if !lines.is_empty() && !lines.ends_with('\n') {
            lines.push('\n');
        }
        let mut session = Session::default();
        let number = session.write(&place, |conversation| conversation.lines.clone_from(&lines));
        let mut sessions = lock(&self.sessions);
        if let Some(store) = &self.store {
            let (gone, there) = (Change::NoSession(id.clone()), Change::Session(id.clone()));
            store.write([gone, there, Change::Lines(part(&id, &place, number, lines))]);
        }
        sessions.insert(shared, session);
    }

    /// Removes a session. A run in it goes on, but what it writes is lost.
    pub(crate) fn delete(&self, session: &str) -> bool {
        let mut sessions = lock(&self.sessions);
        let found = sessions.swap_remove(session).is_some();
        if let Some(store) = self.store.as_ref().filter(|_| found) {
            store.write([Change::NoSession(session.to_owned())]);
        }
        found
    }

    /// Takes the session for a run; none while another has it.
    pub(crate) fn occupy(&self, session: &Arc<str>) -> Option<Occupied> {
        let entered = lock(&self.busy).insert(Arc::clone(session));
        entered.then(|| Occupied {
            busy: Arc::clone(&self.busy),
            session: Arc::clone(session),
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
            let number = session.write(place, |conversation| conversation.turns.push(Arc::clone(&turn)));
            lock(&turn).number = number;
        }
        self.keep(session, &turn);
    }

    /// Writes down what has happened in a turn, if it is to outlive the process.
    pub(crate) fn keep(&self, session: &str, turn: &SharedTurn) {
        let Some(store) = &self.store else { return };
        let sessions = lock(&self.sessions);
        let conversations = sessions.get(session).into_iter().flat_map(|found| &found.conversations);
        let mut written = conversations.filter_map(|conversation| Some((conversation, conversation.written(turn)?)));
        if let Some((conversation, lines)) = written.next() {
            let number = lock(turn).number;
            store.write([Change::Lines(part(session, &conversation.place, number, lines))]);
        }
    }

    /// Begins the conversation `to` with all that was said in `from`.
    pub(crate) fn fork(&self, session: &str, from: &Place, to: &Place) {
        let mut sessions = lock(&self.sessions);
        let Some(found) = sessions.get_mut(session) else {
            return;
        };
        let Some(original) = found.find(from) else { return };
        let mut lines = String::new();
        for line in original.transcript().lines() {
            let mut fields = object(line);
            if !text(&fields, "uuid").is_empty() {
                fields.insert("sessionId".to_owned(), Value::from(&*to.id));
                lines.push_str(&format!("{}\n", Value::Object(fields)));
            }
        }
        let number = found.write(to, |conversation| conversation.lines.clone_from(&lines));
        if let Some(store) = &self.store {
            store.write([Change::Lines(part(session, to, number, lines))]);
        }
    }
}

impl Session {
    /// Writes to the conversation at `place`, which is a new one if there is none. Returns the number of what was written.
    fn write(&mut self, place: &Place, write: impl FnOnce(&mut Conversation)) -> usize {
        let latest = self.conversations.iter().map(|other| other.written).max();
        let number = latest.unwrap_or(0) + 1;
        self.write_as(number, place, write);
        number
    }

    fn write_as(&mut self, written: usize, place: &Place, write: impl FnOnce(&mut Conversation)) {
        let mut conversations = self.conversations.iter_mut();
        if let Some(conversation) = conversations.find(|conversation| conversation.place == *place) {
            conversation.written = written;
            return write(conversation);
        }
        let mut conversation = Conversation {
            place: place.clone(),
            lines: String::new(),
            turns: Vec::with_capacity(1),
            written,
        };
        write(&mut conversation);
        let after = self.conversations.partition_point(|other| other.place < *place);
        self.conversations.reserve_exact(1);
        self.conversations.insert(after, conversation);
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
            .find(|conversation| *conversation.place.id == *id)
    }

    fn title(&self, id: &str) -> String {
        self.own(id).map(Conversation::title).unwrap_or_default()
    }
}

impl Conversation {
    /// All lines, as they lie on disk.
    fn transcript(&self) -> String {
        let mut lines = self.lines.clone();
        let mut leaf = self.leaf();
        for turn in &self.turns {
            leaf = Writer::new(&lock(turn), &self.place.id, leaf, &mut lines).write();
        }
        lines
    }

    /// The `uuid` of the last line that has one, of those before the first run.
    fn leaf(&self) -> Option<String> {
        let lines = self.lines.lines().rev();
        let mut uuids = lines.map(|line| text(&object(line), "uuid").to_owned());
        uuids.find(|uuid| !uuid.is_empty())
    }

    /// The lines of one turn, if it is one of this conversation.
    fn written(&self, turn: &SharedTurn) -> Option<String> {
        let at = self.turns.iter().rposition(|other| Arc::ptr_eq(other, turn))?;
        let leaf = match at.checked_sub(1).and_then(|before| self.turns.get(before)) {
            // The leaf of a turn is its own, whatever came before it.
            Some(before) => Writer::new(&lock(before), &self.place.id, None, &mut String::new()).write(),
            None => self.leaf(),
        };
        let mut lines = String::new();
        Writer::new(&lock(turn), &self.place.id, leaf, &mut lines).write();
        Some(lines)
    }

    /// Whether there may be tokens in it.
    fn counts(&self) -> bool {
        has_tokens(&self.lines) || self.turns.iter().any(|turn| lock(turn).counts())
    }

    /// The last title that a user gave, or else the last that the model gave. Runs give none here.
    fn title(&self) -> String {
        let named = |kind: &str, field: &str| {
            let mut lines = self.lines.lines().rev().filter(|line| line.contains(field)).map(object);
            let line = lines.find(|line| text(line, "type") == kind)?;
            Some(text(&line, field).to_owned())
        };
        let title = named("custom-title", "customTitle").or_else(|| named("ai-title", "aiTitle"));
        title.unwrap_or_default()
    }
}

/// A part of a conversation, as it is written down.
fn part(session: &str, place: &Place, number: usize, text: String) -> Lines {
    Lines {
        session: session.to_owned(),
        project: place.project.to_string(),
        conversation: place.id.to_string(),
        // No machine counts further.
        number: u64::try_from(number).unwrap_or(u64::MAX),
        text,
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
