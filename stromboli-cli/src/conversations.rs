//! The last conversation of each directory with each server: what `--continue` goes on with.
//!
//! One small file of the user's, which many calls of the program may change at once.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::exit::Failure;
use crate::locked_file::{self, LockedFile};

const FILE: &str = "conversations.json";
/// How many are remembered, so that the file stays small.
const KEPT: usize = 500;

/// What a conversation is kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A session on the server's disk, which runs resume.
    Session,
    /// A live agent, as long as it lives: no later one can resume its session (WIRE §11).
    Agent,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Entry {
    server: String,
    directory: String,
    kind: Kind,
    id: String,
}

/// The file as it is written. The newest entry is the last.
#[derive(Default, Deserialize, Serialize)]
struct Registry {
    #[serde(default)]
    conversations: Vec<Entry>,
}

/// The conversations of this directory with the configured server.
pub(crate) struct Conversations {
    /// None where the system has no place for it.
    path: Option<PathBuf>,
    server: String,
    directory: String,
}

impl Conversations {
    pub(crate) fn here(context: &Context) -> Result<Self, Failure> {
        Ok(Self {
            path: state_file(FILE),
            server: context.settings()?.url()?.trim_end_matches('/').to_owned(),
            directory: std::env::current_dir()?.to_string_lossy().into_owned(),
        })
    }

    /// The last conversation of this kind.
    pub(crate) fn last_of(&self, kind: Kind) -> Result<Option<String>, Failure> {
        Ok(self
            .entries()?
            .into_iter()
            .rfind(|entry| entry.kind == kind)
            .map(|entry| entry.id))
    }

    /// The last conversation of all.
    pub(crate) fn last(&self) -> Result<Option<(Kind, String)>, Failure> {
        Ok(self.entries()?.pop().map(|entry| (entry.kind, entry.id)))
    }

    fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let registry = parse(path, locked_file::read(path))?;
        let mine = registry.conversations.into_iter().filter(|entry| self.owns(entry));
        Ok(mine.collect())
    }

    /// Makes this the last conversation.
    fn remember(&self, kind: Kind, id: &str) -> Result<(), Failure> {
        self.change(|entries| {
            entries.retain(|entry| !(self.owns(entry) && entry.kind == kind));
            entries.push(Entry {
                server: self.server.clone(),
                directory: self.directory.clone(),
                kind,
                id: id.to_owned(),
            });
            entries.drain(..entries.len().saturating_sub(KEPT));
        })
    }

    /// Forgets a conversation that cannot be continued any more.
    fn forget(&self, id: &str) -> Result<(), Failure> {
        self.change(|entries| entries.retain(|entry| entry.id != id))
    }

    fn owns(&self, entry: &Entry) -> bool {
        entry.server == self.server && entry.directory == self.directory
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let file = LockedFile::lock(path)?;
        let mut registry = parse(path, file.read())?;
        let before = registry.conversations.clone();
        change(&mut registry.conversations);
        if registry.conversations != before {
            let text = serde_json::to_string_pretty(&registry).map_err(|error| Failure::other(error.to_string()))?;
            file.write(&text)?;
        }
        Ok(())
    }
}

/// Makes this the last conversation of this directory. That it cannot is no failure of what was asked for.
pub(crate) fn remember(context: &Context, kind: Kind, id: &str) {
    if !id.is_empty() {
        note(
            context,
            Conversations::here(context).and_then(|here| here.remember(kind, id)),
        );
    }
}

/// Forgets a conversation that cannot be continued any more.
pub(crate) fn forget(context: &Context, id: &str) {
    note(context, Conversations::here(context).and_then(|here| here.forget(id)));
}

fn note(context: &Context, done: Result<(), Failure>) {
    if let Err(Failure::Usage(complaint) | Failure::Other(complaint)) = done {
        let clause = complaint.clause;
        context
            .output
            .note(&format!("what --continue goes on with cannot be noted: {clause}"));
    }
}

fn parse(path: &std::path::Path, text: std::io::Result<Option<String>>) -> Result<Registry, Failure> {
    let place = path.display();
    match text {
        Ok(None) => Ok(Registry::default()),
        Ok(Some(text)) => serde_json::from_str(&text).map_err(|error| {
            Failure::other(format!("{place} cannot be understood: {error}"))
                .next("remove it: all that it says is which conversations were the last")
        }),
        Err(error) => Err(Failure::other(format!("{place} cannot be read: {error}"))),
    }
}

/// Where a file lies that this program keeps for itself; none where the system has no place for such files.
pub(crate) fn state_file(name: &str) -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Some(folder.join("stromboli").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(path: &std::path::Path, server: &str, directory: &str) -> Conversations {
        Conversations {
            path: Some(path.to_owned()),
            server: server.to_owned(),
            directory: directory.to_owned(),
        }
    }

    #[test]
    fn each_directory_and_server_has_its_last_conversations() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (a, b, c) = (here(&path, "s", "a"), here(&path, "s", "b"), here(&path, "t", "a"));
        assert_eq!(a.last().unwrap(), None);
        a.remember(Kind::Session, "1").unwrap();
        a.remember(Kind::Agent, "2").unwrap();
        b.remember(Kind::Session, "3").unwrap();
        assert_eq!(a.last().unwrap(), Some((Kind::Agent, "2".into())));
        assert_eq!(a.last_of(Kind::Session).unwrap().as_deref(), Some("1"));
        a.remember(Kind::Session, "4").unwrap();
        assert_eq!(a.last().unwrap(), Some((Kind::Session, "4".into())));
        assert_eq!(b.last().unwrap(), Some((Kind::Session, "3".into())));
        assert_eq!(c.last().unwrap(), None);
        a.forget("4").unwrap();
        assert_eq!(a.last().unwrap(), Some((Kind::Agent, "2".into())));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let text = serde_json::to_string(&Registry {
            conversations: (0..KEPT)
                .map(|number| Entry {
                    server: "s".into(),
                    directory: number.to_string(),
                    kind: Kind::Session,
                    id: "x".into(),
                })
                .collect(),
        });
        std::fs::write(&path, text.unwrap()).unwrap();
        here(&path, "s", "new").remember(Kind::Session, "y").unwrap();
        assert_eq!(here(&path, "s", "0").last().unwrap(), None);
        assert!(here(&path, "s", "1").last().unwrap().is_some());
        assert!(here(&path, "s", "new").last().unwrap().is_some());
    }
}
