//! The file of tokens that `auth login` obtained. It is no file of settings: those are copied, shared and committed.

mod renewing;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stromboli::TokenResponse;

use crate::exit::Failure;
use crate::locked_file::LockedFile;

pub(crate) use renewing::Renewing;

/// The file, in the folder that the system has for the state of programs.
const FILE: &str = "stromboli/credentials.json";
/// The share of its life after which a token is renewed.
const OLD: f64 = 0.8;
/// No life of a token is taken for longer, in seconds, so that none ends beyond the calendar.
const YEAR: i64 = 365 * 24 * 3600;

/// What a login is for: never sent to another server, and not used in another profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) profile: Option<String>,
}

impl Account {
    pub(crate) fn new(url: &str, profile: Option<&str>) -> Self {
        Self {
            // As the library reads it, so that a slash at the end is no other server.
            url: url.trim().trim_end_matches('/').to_owned(),
            profile: profile.map(str::to_owned),
        }
    }
}

/// A pair of tokens, and until when.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Login {
    #[serde(flatten)]
    pub(crate) account: Account,
    /// The name that the server's logs show.
    pub(crate) subject: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) obtained_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Login {
    pub(crate) fn new(account: Account, subject: String, tokens: TokenResponse) -> Self {
        let obtained_at = Timestamp::now();
        let life = SignedDuration::from_secs(tokens.expires_in.clamp(0, YEAR));
        Self {
            account,
            subject,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            obtained_at,
            expires_at: obtained_at.saturating_add(life).unwrap_or(obtained_at),
        }
    }

    /// When it is time to renew the token.
    pub(crate) fn old_at(&self) -> Timestamp {
        let life = self.expires_at.duration_since(self.obtained_at);
        self.obtained_at
            .saturating_add(life.mul_f64(OLD))
            .unwrap_or(self.obtained_at)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("account", &self.account)
            .field("subject", &self.subject)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize, Serialize)]
struct Contents {
    logins: Vec<Login>,
}

/// All logins of the user's.
#[derive(Clone, Debug)]
pub(crate) struct Logins {
    path: PathBuf,
}

impl Logins {
    /// Where they are, whether there are any or not.
    pub(crate) fn of_user() -> Option<Self> {
        let folders = etcetera::choose_base_strategy().ok()?;
        let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir());
        Some(Self {
            path: folder.join(FILE),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many there are, if the file is as it should be.
    pub(crate) fn count(&self) -> Result<usize, Failure> {
        Ok(self.read()?.logins.len())
    }

    /// The login of an account, if there is one.
    pub(crate) fn get(&self, account: &Account) -> Result<Option<Login>, Failure> {
        let logins = self.read()?.logins;
        Ok(logins.into_iter().find(|login| login.account == *account))
    }

    /// Waits until no other process changes the file.
    pub(crate) fn lock(&self) -> Result<LockedLogins, Failure> {
        match LockedFile::lock(&self.path) {
            Ok(file) => Ok(LockedLogins {
                file,
                logins: self.clone(),
            }),
            Err(error) => Err(self.broken(&format!("cannot be locked: {error}"))),
        }
    }

    fn read(&self) -> Result<Contents, Failure> {
        let mut file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Contents::default()),
            Err(error) => return Err(self.broken(&format!("cannot be read: {error}"))),
        };
        let metadata = file.metadata().map_err(|error| self.broken(&error.to_string()))?;
        self.check_mode(&metadata)?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|error| self.broken(&format!("cannot be read: {error}")))?;
        // What serde says of a mistake quotes what it found, which may be a token.
        serde_json::from_str(&text).map_err(|error| {
            let reason = format!("is damaged at line {} column {}", error.line(), error.column());
            self.broken(&reason)
                .next("remove it, and log in again with `stromboli auth login`")
        })
    }

    #[cfg(unix)]
    fn check_mode(&self, metadata: &std::fs::Metadata) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let path = self.path.display();
        Err(self
            .broken(&format!("holds tokens, and its mode {mode:o} lets others read or change it"))
            .next(format!(
                "chmod 600 {path}; if somebody may have read it, `stromboli auth login` and new API tokens on the server"
            )))
    }

    #[cfg(not(unix))]
    fn check_mode(&self, _: &std::fs::Metadata) -> Result<(), Failure> {
        Ok(())
    }

    fn broken(&self, reason: &str) -> Failure {
        Failure::other(format!("{} {reason}", self.path.display()))
    }
}

/// The logins, which nobody else can change as long as this is held.
pub(crate) struct LockedLogins {
    file: LockedFile,
    logins: Logins,
}

impl LockedLogins {
    pub(crate) fn get(&self, account: &Account) -> Result<Option<Login>, Failure> {
        self.logins.get(account)
    }

    /// Puts a login in the place of the account's old one.
    pub(crate) fn put(&self, login: Login) -> Result<(), Failure> {
        let mut contents = self.logins.read()?;
        contents.logins.retain(|old| old.account != login.account);
        contents.logins.push(login);
        self.write(&contents)
    }

    /// Removes the login of an account, and gives it back.
    pub(crate) fn remove(&self, account: &Account) -> Result<Option<Login>, Failure> {
        let mut contents = self.logins.read()?;
        let place = contents.logins.iter().position(|login| login.account == *account);
        let removed = place.map(|place| contents.logins.remove(place));
        if removed.is_some() {
            self.write(&contents)?;
        }
        Ok(removed)
    }

    fn write(&self, contents: &Contents) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(contents);
        let text = text.map_err(|error| self.logins.broken(&error.to_string()))?;
        self.file
            .write(&(text + "\n"))
            .map_err(|error| self.logins.broken(&format!("cannot be written: {error}")))
    }
}
