//! The secrets that podman keeps. Their values go in and never come out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::state::lock;
use crate::store::{Change, Contents, Store};

/// The secret in which the server keeps Claude's credentials, and without which podman runs nothing.
pub(crate) const CREDENTIALS: &str = "claude-credentials";

const MAX_NAME: usize = 253;
const MAX_VALUE: usize = 1 << 20;

/// All secrets by their names.
pub(crate) struct Secrets {
    secrets: Mutex<BTreeMap<String, Secret>>,
    clock: Clock,
    /// None when secrets need not outlive the process.
    store: Option<Store>,
}

/// A secret; its value does not show in `Debug`.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) value: String,
}

/// The name is taken.
pub(crate) struct Taken;

impl Secrets {
    /// Those that were kept, or the server's own and no other.
    pub(crate) fn new(random: &mut fastrand::Rng, clock: Clock, store: Option<Store>, kept: &mut Contents) -> Self {
        let named = |secret: Secret| (secret.name.clone(), secret);
        let secrets = Self {
            secrets: Mutex::new(kept.secrets.drain(..).map(named).collect()),
            clock,
            store,
        };
        let id = id(random);
        // Later it may have been deleted.
        if kept.starts == 0 {
            // It is there already after a start that was broken off.
            let _ = secrets.create(id, CREDENTIALS, String::new());
        }
        secrets
    }

    pub(crate) fn list(&self) -> Vec<Secret> {
        lock(&self.secrets).values().cloned().collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        lock(&self.secrets).contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        lock(&self.secrets).get(name).cloned()
    }

    /// # Errors
    /// When there is one of that name.
    pub(crate) fn create(&self, id: String, name: &str, value: String) -> Result<(), Taken> {
        let mut secrets = lock(&self.secrets);
        if secrets.contains_key(name) {
            return Err(Taken);
        }
        let secret = Secret {
            id,
            name: name.to_owned(),
            created: self.clock.timestamp(),
            value,
        };
        if let Some(store) = &self.store {
            store.write([Change::Secret(secret.clone())]);
        }
        secrets.insert(secret.name.clone(), secret);
        Ok(())
    }

    /// Whether it was there.
    pub(crate) fn delete(&self, name: &str) -> bool {
        let mut secrets = lock(&self.secrets);
        let found = secrets.remove(name).is_some();
        if let Some(store) = self.store.as_ref().filter(|_| found) {
            store.write([Change::NoSecret(name.to_owned())]);
        }
        found
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What podman calls a secret: 25 random hexadecimal digits.
pub(crate) fn id(random: &mut fastrand::Rng) -> String {
    format!("{:016x}{:09x}", random.u64(..), random.u64(..1 << 36))
}

/// # Errors
/// What is wrong with the name of a secret.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed) {
        Ok(())
    } else {
        Err("validation error: invalid secret name")
    }
}

/// # Errors
/// What is wrong with the value of a secret.
pub(crate) fn check_value(value: &str) -> Result<(), &'static str> {
    if value.len() <= MAX_VALUE {
        Ok(())
    } else {
        Err("validation error: secret value is larger than 1048576 bytes")
    }
}
