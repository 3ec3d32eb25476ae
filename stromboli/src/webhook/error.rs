//! Why a webhook call is not believed.

use std::time::Duration;

/// Why a report was refused. Nothing of the secrets, the signature or the body is in it.
///
/// The variants stand in the order of the checks, which end at the first that fails; those from
/// [`TooOld`](Self::TooOld) on are about reports whose signature is right. It is a type of its own because it is about
/// a call that was received, and [`Error`](crate::Error) is about calls that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The verifier has no secret, or only empty ones.
    #[error("no webhook secret is configured")]
    NoSecret,
    /// A header is missing: the server has no signing secret or is older than 0.5.0, or somebody else called.
    #[error("header {name} is missing")]
    MissingHeader {
        /// Its name, in lower case.
        name: &'static str,
    },
    /// The timestamp is not a number of seconds.
    #[error("timestamp is not a number of seconds since 1970")]
    InvalidTimestamp,
    /// The signature is not 64 hex digits, with or without `sha256=`.
    #[error("signature is not 64 hex digits")]
    InvalidSignature,
    /// Signed with another secret, or the body or the timestamp was changed on its way.
    #[error("signature does not match")]
    SignatureMismatch,
    /// Signed longer ago than the tolerance: a replay, or a clock that is wrong.
    #[error("report was signed {} seconds ago, which is too long", age.as_secs())]
    TooOld {
        /// How long ago.
        age: Duration,
    },
    /// Signed further in the future than the tolerance: a clock is wrong.
    #[error("report was signed {} seconds in the future, which is too far", ahead.as_secs())]
    TooNew {
        /// How far ahead.
        ahead: Duration,
    },
    /// The report is genuine, and not the JSON that is expected.
    #[error("report is no job event, at line {line} column {column} of its body")]
    Payload {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1; 0 for the start of a line.
        column: usize,
    },
}
