//! The calls that the server makes when a job has ended: are they genuine, and what do they say? (WIRE §6)
//!
//! A job that was started with a `webhook_url` is reported there once it has ended. A server that has
//! `STROMBOLI_WEBHOOK_SIGNING_SECRET` (0.5.0 or newer) signs its reports; [`Verifier`] checks the signature and the age.
//! With the feature `axum` there is the extractor `Signed`, which does the same.
//!
//! ```no_run
//! use reqwest::header::HeaderMap;
//! use stromboli::{JobStatus, webhook};
//!
//! fn handle(verifier: &webhook::Verifier, headers: &HeaderMap, body: &[u8]) -> Result<(), webhook::VerifyError> {
//!     let event = verifier.verify(headers, body)?;
//!     match event.status {
//!         JobStatus::Completed => println!("{}: {}", event.job_id, event.output.unwrap_or_default()),
//!         status => eprintln!("{}: {status} {}", event.job_id, event.error.unwrap_or_default()),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! What a signature does not promise:
//!
//! - **Once.** The server reports a second time, with the same timestamp and signature, when the first try got no 2xx
//!   within 5 s; and whoever sees a report can repeat it for as long as the tolerance lasts. So let a handler do the
//!   same thing twice without harm: a job ends once, its `job_id` and `status` are the key to remember it by.
//! - **At all.** After two tries the server drops the report. [`JobHandle`](crate::JobHandle) asks it.
//! - **For you.** The URL is not signed, and a server has one secret for all its jobs: check that the job is yours.

mod error;
mod event;
#[cfg(feature = "axum")]
mod signed;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use sha2::Sha256;

pub use error::VerifyError;
pub use event::JobEvent;
#[cfg(feature = "axum")]
pub use signed::{Signed, SignedRejection};

/// The header with the time of the report, in whole seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-stromboli-timestamp";
/// The header with the signature: `sha256=` and 64 hex digits.
pub const SIGNATURE_HEADER: &str = "x-stromboli-signature";
/// How far a report's time may be from now, unless [`Verifier::tolerance`] says otherwise: clocks differ by seconds,
/// and the server's last try comes some 5 s after its first.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Tells genuine reports from others. Clones share the secrets.
///
/// `Debug` prints nothing of the secrets.
///
/// ```
/// use std::time::Duration;
/// use stromboli::webhook::Verifier;
///
/// let verifier = Verifier::new(["the new secret", "the old one"]).tolerance(Duration::from_secs(60));
/// assert!(!format!("{verifier:?}").contains("the new secret"));
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<[Hmac<Sha256>]>,
    tolerance: Duration,
}

/// What the headers say, not yet believed.
pub(crate) struct Claim<'a> {
    /// As it was sent, because that is what is signed.
    timestamp: &'a [u8],
    sent: Timestamp,
    signature: [u8; 32],
}

impl Verifier {
    /// Accepts what was signed with any of `secrets`: one, or two while the server's secret is being changed.
    ///
    /// An empty secret is left out, since anybody can sign with it. When none remains, nothing is accepted: every
    /// check is [`VerifyError::NoSecret`].
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let keys = secrets.into_iter().filter_map(|secret| {
            let secret = secret.as_ref();
            // HMAC takes keys of every length, so that nothing but empty secrets is left out.
            (!secret.is_empty())
                .then(|| Hmac::new_from_slice(secret).ok())
                .flatten()
        });
        Self {
            keys: keys.collect(),
            tolerance: DEFAULT_TOLERANCE,
        }
    }

    /// How far a report's time may be from now, before it and after it; [`DEFAULT_TOLERANCE`] otherwise.
    /// [`Duration::MAX`] accepts reports of every age.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// What a report says, if it is genuine and recent. `body` is the request's body as it came, byte for byte.
    ///
    /// # Errors
    /// A [`VerifyError`] that names what is wrong.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<JobEvent, VerifyError> {
        self.verify_at(headers, body, Timestamp::now())
    }

    /// [`verify`](Self::verify) as if it were `now`, for tests and for reports that were put aside.
    ///
    /// # Errors
    /// A [`VerifyError`] that names what is wrong.
    pub fn verify_at(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<JobEvent, VerifyError> {
        self.check(&self.claim(headers)?, body, now)
    }

    /// What can be refused without the body.
    pub(crate) fn claim<'a>(&self, headers: &'a HeaderMap) -> Result<Claim<'a>, VerifyError> {
        if self.keys.is_empty() {
            return Err(VerifyError::NoSecret);
        }
        let header = |name| {
            let value = headers.get(name).ok_or(VerifyError::MissingHeader { name })?;
            Ok(value.as_bytes())
        };
        let (timestamp, signature) = (header(TIMESTAMP_HEADER)?, header(SIGNATURE_HEADER)?);
        let digits = signature.strip_prefix(b"sha256=").unwrap_or(signature);
        Ok(Claim {
            timestamp,
            sent: seconds(timestamp).ok_or(VerifyError::InvalidTimestamp)?,
            signature: hex(digits).ok_or(VerifyError::InvalidSignature)?,
        })
    }

    /// The signature comes before the age, so that "too old" is only ever said of what the server did send: that is a
    /// wrong clock or a replay, and worth an alarm, which nobody without the secret can raise. The JSON comes last:
    /// nothing is parsed that is not genuine.
    pub(crate) fn check(&self, claim: &Claim<'_>, body: &[u8], now: Timestamp) -> Result<JobEvent, VerifyError> {
        // Every secret is tried, so that the time taken does not tell which one fits.
        let mut genuine = false;
        for key in self.keys.iter() {
            let mac = key.clone().chain_update(claim.timestamp).chain_update(b".");
            genuine |= mac.chain_update(body).verify_slice(&claim.signature).is_ok();
        }
        if !genuine {
            return Err(VerifyError::SignatureMismatch);
        }

        let since = now.duration_since(claim.sent);
        match (since.is_negative(), since.unsigned_abs()) {
            (false, age) if age > self.tolerance => return Err(VerifyError::TooOld { age }),
            (true, ahead) if ahead > self.tolerance => return Err(VerifyError::TooNew { ahead }),
            _ => {}
        }

        serde_json::from_slice(body).map_err(|e| VerifyError::Payload {
            line: e.line(),
            column: e.column(),
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &format_args!("[redacted; {}]", self.keys.len()))
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

/// Digits only: no sign, no fraction. What is signed is `timestamp.body`, and a timestamp with a point of its own would
/// let bytes move from one to the other under the same signature.
fn seconds(timestamp: &[u8]) -> Option<Timestamp> {
    let digits = timestamp.iter().all(u8::is_ascii_digit).then_some(timestamp)?;
    let seconds = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// 32 bytes from 64 hex digits of either case.
fn hex(digits: &[u8]) -> Option<[u8; 32]> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let mut bytes = [0; 32];
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(nibble(*high)? * 16 + nibble(*low)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
