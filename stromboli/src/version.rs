//! Which servers this crate speaks to. Pure: text in, verdict out.

use std::fmt;

use semver::Version;

use crate::error::{Error, ErrorKind, Result};

/// The version of this crate.
pub const SDK: &str = env!("CARGO_PKG_VERSION");
/// The newest server version whose API this crate covers.
pub const API: &str = "0.5.7-alpha";
/// The server versions that this crate is made for. Pre-releases of 0.6.0 are not among them.
pub const SUPPORTED: &str = ">=0.4.0-alpha, <0.6.0";

/// The major and minor versions that [`SUPPORTED`] spells out.
const SUPPORTED_MINORS: [(u64, u64); 2] = [(0, 4), (0, 5)];

/// Whether a server's version is one that this crate is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Compatible,
    /// It is not: older or newer.
    Incompatible,
    /// The server does not say: an untagged build reports `dev` (WIRE §0).
    Unknown,
}

/// The verdict of [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// What the server reports, untouched.
    pub server: String,
    /// The verdict.
    pub status: Status,
}

impl Compatibility {
    /// Fails for a server that is known to be incompatible; one that does not say its version passes.
    ///
    /// # Errors
    /// [`ErrorKind::Incompatible`].
    pub fn require(&self) -> Result<()> {
        match self.status {
            Status::Compatible | Status::Unknown => Ok(()),
            Status::Incompatible => Err(Error::new(ErrorKind::Incompatible, self.to_string())),
        }
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        match self.status {
            Status::Compatible => write!(f, "server version {server:?} is supported"),
            Status::Incompatible => {
                write!(
                    f,
                    "server version {server:?} is not supported, stromboli {SDK} needs {SUPPORTED}"
                )
            }
            Status::Unknown => {
                write!(
                    f,
                    "server version {server:?} says nothing, stromboli {SDK} is made for {SUPPORTED}"
                )
            }
        }
    }
}

/// Compares what a server reports as its version with what this crate supports.
///
/// A leading `v`, pre-release suffixes and `dev` are what real servers send (WIRE §0). Only the major and the minor
/// version decide: every 0.5.x speaks the same API, and so does its alpha.
///
/// ```
/// use stromboli::version::{self, Status};
///
/// assert_eq!(version::check("v0.5.7-alpha").status, Status::Compatible);
/// assert_eq!(version::check("0.6.0-alpha").status, Status::Incompatible);
/// assert_eq!(version::check("dev").status, Status::Unknown);
/// ```
pub fn check(server: &str) -> Compatibility {
    let trimmed = server.trim();
    let status = match Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed)) {
        Ok(v) if SUPPORTED_MINORS.contains(&(v.major, v.minor)) => Status::Compatible,
        Ok(_) => Status::Incompatible,
        Err(_) => Status::Unknown,
    };
    Compatibility {
        server: server.to_owned(),
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stromboli_generated::ClientInfo;

    #[test]
    fn each_version_is_decided_as_a_user_expects() {
        use Status::{Compatible, Incompatible, Unknown};
        for (server, status) in [
            ("v0.5.7-alpha", Compatible),
            ("0.5.0-alpha", Compatible),
            ("0.5.99", Compatible),
            ("0.4.0", Compatible),
            ("0.4.0-alpha", Compatible),
            ("v0.4.3-alpha", Compatible),
            (" 0.5.7 ", Compatible),
            ("0.3.2-alpha", Incompatible),
            ("0.6.0-alpha", Incompatible),
            ("0.6.0", Incompatible),
            ("1.5.0", Incompatible),
            ("dev", Unknown),
            ("", Unknown),
            ("garbage", Unknown),
            ("0.5", Unknown),
            ("vv0.5.7", Unknown),
        ] {
            assert_eq!(check(server).status, status, "{server:?}");
        }
    }

    #[test]
    fn only_a_server_known_to_be_incompatible_is_refused() {
        assert!(check("0.5.7").require().is_ok());
        assert!(check("dev").require().is_ok());
        let error = check("v0.3.0-alpha").require().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("v0.3.0-alpha") && error.to_string().contains(SUPPORTED));
    }

    #[test]
    fn the_api_version_is_the_contracts() {
        type Transport = stromboli_generated::SharedTransport;
        assert_eq!(
            API,
            <stromboli_generated::Client as ClientInfo<Transport>>::api_version()
        );
    }
}
