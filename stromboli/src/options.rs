//! What a single call can be given: options for any call, and the request that the contract has no body for.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};

use crate::config::header_value;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::RetryPolicy;

/// Options of the calls of one client value, from [`Client::with_options`](crate::Client::with_options).
///
/// ```
/// use std::time::Duration;
/// use stromboli::{Client, RequestOptions};
///
/// let client = Client::new("http://localhost:8080")?;
/// let impatient = client.with_options(
///     RequestOptions::new().timeout(Duration::from_secs(2)).retries(0).header("x-tenant", "a")?,
/// );
/// # Ok::<(), stromboli::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct RequestOptions {
    pub(crate) timeout: Option<Duration>,
    retries: Option<u32>,
    pub(crate) headers: HeaderMap,
}

impl RequestOptions {
    /// Nothing set: the client's own settings apply.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time for a call with all of its attempts, instead of what [`Timeouts`](crate::Timeouts) gives its class; for a
    /// stream, its longest silence.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How often a call is repeated at most; 0 sends it once.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Sends a header of yours. The token has its own: an `authorization` given here is replaced by it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a name or a value that no header can have, and for the headers that say how long
    /// the body is.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let invalid = |reason: &str| Error::new(ErrorKind::InvalidInput, format!("header {name:?} {reason}"));
        let header = HeaderName::try_from(name).map_err(|_| invalid("is no header's name"))?;
        if header == CONTENT_LENGTH || header == TRANSFER_ENCODING {
            return Err(invalid("is set by the HTTP client alone"));
        }
        let mut value = header_value(&format!("header {name:?}"), value)?;
        // It may be a key of a proxy; no log needs it.
        value.set_sensitive(true);
        self.headers.insert(header, value);
        Ok(self)
    }

    /// Names the request, for the server's log and its response; any text that fits into a header (WIRE §2).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an id that no header can hold.
    pub fn request_id(self, id: &str) -> Result<Self> {
        self.header("x-request-id", id)
    }

    /// These options, and for what they leave open, those of `below`.
    pub(crate) fn over(mut self, below: &Self) -> Self {
        let mut headers = below.headers.clone();
        headers.extend(std::mem::take(&mut self.headers));
        Self {
            timeout: self.timeout.or(below.timeout),
            retries: self.retries.or(below.retries),
            headers,
        }
    }

    pub(crate) fn policy<'a>(&self, policy: &'a RetryPolicy) -> Cow<'a, RetryPolicy> {
        match self.retries {
            None => Cow::Borrowed(policy),
            Some(retries) => Cow::Owned(policy.clone().max_attempts(retries.saturating_add(1))),
        }
    }
}

impl fmt::Debug for RequestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestOptions")
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// What [`Client::stream`](crate::Client::stream) sends: nothing but these three, because the endpoint reads nothing
/// else (WIRE §7): no model, no container options, and no way to continue a conversation.
///
/// ```
/// let request = stromboli::StreamRequest::new("Count to ten").workdir("/workspace");
/// assert!(!format!("{request:?}").contains("Count"));
/// ```
#[derive(Clone, PartialEq)]
pub struct StreamRequest {
    /// What the agent shall do.
    pub prompt: String,
    /// Absolute path in the container to work in.
    pub workdir: Option<String>,
    /// The id that the new conversation shall have, a UUID.
    pub session_id: Option<String>,
}

impl StreamRequest {
    /// With what is required; the server's defaults apply to the rest.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self {
            prompt: prompt.into(),
            workdir: None,
            session_id: None,
        }
    }

    /// Absolute path in the container to work in.
    #[must_use]
    pub fn workdir(mut self, workdir: impl Into<String>) -> Self {
        self.workdir = Some(workdir.into());
        self
    }

    /// The id that the new conversation shall have, a UUID. One that exists makes the run fail (WIRE §7).
    #[must_use]
    pub fn session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }
}

impl From<&str> for StreamRequest {
    fn from(prompt: &str) -> Self {
        Self::new(prompt)
    }
}

impl From<String> for StreamRequest {
    fn from(prompt: String) -> Self {
        Self::new(prompt)
    }
}

impl fmt::Debug for StreamRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRequest")
            .field("prompt", &format_args!("[redacted]"))
            .field("workdir", &self.workdir)
            .field("session_id", &self.session_id)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_lie_over_those_below_and_leave_the_rest() {
        let below = RequestOptions::new()
            .retries(5)
            .header("a", "1")
            .unwrap()
            .header("b", "1")
            .unwrap();
        let both = RequestOptions::new()
            .timeout(Duration::ZERO)
            .header("b", "2")
            .unwrap()
            .over(&below);
        assert_eq!((both.timeout, both.retries), (Some(Duration::ZERO), Some(5)));
        assert_eq!(
            (&both.headers["a"], &both.headers["b"]),
            (&"1".parse().unwrap(), &"2".parse().unwrap())
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_refused() {
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a", ""),
            ("a", "x\ny"),
            ("content-length", "1"),
            ("Transfer-Encoding", "x"),
        ] {
            let error = RequestOptions::new().header(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {value}");
        }
    }

    #[test]
    fn values_of_headers_are_not_in_debug_output() {
        let options = RequestOptions::new().header("x-key", "topsecret").unwrap();
        assert!(!format!("{options:?} {:?}", options.headers).contains("topsecret"));
    }
}
