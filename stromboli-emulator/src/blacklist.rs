//! The tokens that were logged out.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::state::lock;

/// Where the server keeps the tokens that were logged out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blacklist {
    /// In memory, lost when the emulator is dropped.
    #[default]
    Memory,
    /// Nowhere: a logout answers 503, and no token is looked up.
    Absent,
    /// In a store that fails with this text: a logout answers 503 with it, and so does every request with a JWT,
    /// without it.
    Failing(String),
}

/// The ids of tokens, with the second in which each expires anyway.
pub(crate) struct LoggedOut {
    backend: Blacklist,
    until: Mutex<HashMap<String, i64>>,
}

impl LoggedOut {
    pub(crate) fn new(backend: Blacklist) -> Self {
        Self {
            backend,
            until: Mutex::default(),
        }
    }

    /// Whether the token of that id was logged out; none when the store fails.
    pub(crate) fn contains(&self, id: &str) -> Option<bool> {
        match &self.backend {
            Blacklist::Memory => Some(lock(&self.until).contains_key(id)),
            Blacklist::Absent => Some(false),
            Blacklist::Failing(_) => None,
        }
    }

    /// Whether there is a store at all.
    pub(crate) fn exists(&self) -> bool {
        self.backend != Blacklist::Absent
    }

    /// Logs the token out until it expires.
    ///
    /// # Errors
    /// The text of a store that fails.
    pub(crate) fn insert(&self, id: &str, expires: i64, now: Timestamp) -> Result<(), &str> {
        if let Blacklist::Failing(error) = &self.backend {
            return Err(error);
        }
        let mut until = lock(&self.until);
        until.retain(|_, expires| *expires >= now.as_second());
        until.insert(id.to_owned(), expires);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_anyway_is_forgotten() {
        let list = LoggedOut::new(Blacklist::Memory);
        let at = |second| Timestamp::from_second(second).unwrap();
        list.insert("a", 10, at(0)).unwrap();
        list.insert("b", 20, at(10)).unwrap();
        assert_eq!((list.contains("a"), list.contains("b")), (Some(true), Some(true)));
        list.insert("c", 20, at(11)).unwrap();
        assert_eq!((list.contains("a"), list.contains("b")), (Some(false), Some(true)));
    }
}
