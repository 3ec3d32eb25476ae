//! The one error type: opaque, asked by predicate. How a response becomes one is in `error/response.rs`.

mod outcome;
mod response;

pub(crate) use response::{
    is_tls, kind_of_body, kind_without_response, refused, refused_before_execution, retry_after, server_words,
    without_response, without_values,
};

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// What this crate's calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// How much of a response's body an error keeps, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// How long the rest of an error's body is waited for; its status is there already.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(5);
/// How many characters of the server's words `Display` shows; [`Error::message`] has them all.
const MAX_SHOWN: usize = 200;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal,)+) => {
        /// What went wrong, as far as a program can act on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $kind,)+ }

        impl ErrorKind {
            /// A stable name in upper snake case, for logs and for other languages.
            pub fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }
        }
    };
}

kinds! {
    /// The server refused the request's content (400, 422, …).
    BadRequest = "BAD_REQUEST",
    /// No token, or one that the server does not accept (401).
    Unauthorized = "UNAUTHORIZED",
    /// The token does not allow this (403).
    Forbidden = "FORBIDDEN",
    /// No such job, session, secret, agent or message (404).
    NotFound = "NOT_FOUND",
    /// The state does not allow it, e.g. cancelling a job that has ended (409).
    Conflict = "CONFLICT",
    /// Too slow: the deadline of this crate, or a 408 or 504.
    Timeout = "TIMEOUT",
    /// Too many requests (429).
    RateLimited = "RATE_LIMITED",
    /// The server failed (500 and other 5xx).
    Internal = "INTERNAL",
    /// The server, its auth store or the proxy in front of it cannot serve now (502, 503).
    Unavailable = "UNAVAILABLE",
    /// The job was cancelled.
    Cancelled = "CANCELLED",
    /// A secret of that name exists.
    SecretExists = "SECRET_EXISTS",
    /// The name is none that a secret can have.
    InvalidSecretName = "INVALID_SECRET_NAME",
    /// No such image on the server.
    ImageNotFound = "IMAGE_NOT_FOUND",
    /// The server could not pull the image.
    ImagePullFailed = "IMAGE_PULL_FAILED",
    /// The agent's process has ended (410).
    AgentExited = "AGENT_EXITED",
    /// The agent is in the middle of a turn (409).
    AgentBusy = "AGENT_BUSY",
    /// Events of an agent are missing, because they were not read fast enough or were too large for the server.
    Lagged = "LAGGED",
    /// A turn of an agent ended and its result did not come.
    Incomplete = "INCOMPLETE",
    /// The run took place and the agent failed: it crashed, or reported an error itself.
    AgentFailed = "AGENT_FAILED",
    /// The response ended before its end.
    Truncated = "TRUNCATED",
    /// A request, a response or an event above its size limit.
    TooLarge = "TOO_LARGE",
    /// A response that is not what the contract promises, with a status that none has among them.
    Decode = "DECODE",
    /// No connection: nothing was sent.
    Connect = "CONNECT",
    /// TLS could not be set up: nothing was sent.
    Tls = "TLS",
    /// The connection broke after the request may have left, or what came back is no HTTP.
    Connection = "CONNECTION",
    /// The server answered with a redirect, which this crate does not follow.
    Redirect = "REDIRECT",
    /// A value given to this crate cannot be used.
    InvalidInput = "INVALID_INPUT",
    /// The server's version is not supported.
    Incompatible = "INCOMPATIBLE",
    /// The server is too old for the operation.
    Unsupported = "UNSUPPORTED",
}

/// Anything that can go wrong in this crate.
///
/// Ask it by predicate or by [`kind`](Self::kind). `Display` is one clause for people, without a token, a header dump
/// or a prompt; `Debug` leaves the headers and the body out as well. The cause is in `source()`.
///
/// ```no_run
/// # async fn example(client: stromboli::Client) {
/// match client.job("job-x").get().await {
///     Ok(job) => println!("{}", job.status),
///     Err(e) if e.is_not_found() => println!("the server has forgotten that job"),
///     Err(e) => eprintln!("{e} [{}] request {:?}, may have run: {}", e.code(), e.request_id(), e.may_have_executed()),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    message: String,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Bytes,
    retry_after: Option<Duration>,
    attempts: u32,
    may_have_executed: bool,
    source: Option<Source>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            message: message.into(),
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            retry_after: None,
            attempts: 0,
            may_have_executed: false,
            source: None,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Marks an error about work that the server took on earlier.
    pub(crate) fn may_have_run(mut self) -> Self {
        self.0.may_have_executed = true;
        self
    }

    /// Marks an error of a call that was sent `attempts` times.
    pub(crate) fn sent(mut self, operation: &'static str, attempts: u32, may_have_executed: bool) -> Self {
        self.0.operation = Some(operation);
        self.0.attempts = attempts;
        self.0.may_have_executed = may_have_executed;
        self
    }

    /// Marks an error of a call that ended because nothing more could be sent: what `attempts` earlier ones came to.
    /// An error of another operation, such as obtaining a token, keeps its name.
    pub(crate) fn unsent(self, operation: &'static str, attempts: u32, may_have_executed: bool) -> Self {
        let failed = self.0.operation.unwrap_or(operation);
        self.sent(failed, attempts, may_have_executed)
    }

    /// Keeps what the response said: its status, its headers and as much of `body` as an error may hold.
    pub(crate) fn with_response(mut self, status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        self.0.status = Some(status);
        self.0.headers = headers;
        self.with_body(body)
    }

    /// Keeps output that arrived before the error.
    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        self.0.body = Bytes::copy_from_slice(body.get(..MAX_BODY).unwrap_or(body));
        self
    }

    /// What went wrong, as far as a program can act on it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable name of the kind: `NOT_FOUND`, `RATE_LIMITED`, …
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What the server said in its own words, or else what this crate has to say.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The headers of the response; empty when there was none.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body of the response, or what arrived of it: at most its first 64 KiB.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// The server's id of the request, to be found in its log (WIRE §2).
    pub fn request_id(&self) -> Option<&str> {
        self.0.headers.get("x-request-id")?.to_str().ok()
    }

    /// How long to wait before the next try, if the response said so. Stromboli itself never does (WIRE §2), proxies do.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the call was tried, failed connections included; 0 when it failed before that.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the server may have carried the call out. `false` is a promise: nothing ran and nothing was changed.
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// No such job, session, secret, agent, message or image.
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.kind, ErrorKind::NotFound | ErrorKind::ImageNotFound)
    }

    /// The server does not accept the token, or wants one.
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Unauthorized
    }

    /// Too many requests; see [`retry_after`](Self::retry_after).
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// Too slow, on either side.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// No connection, with or without TLS: nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Tls)
    }

    /// The run took place and the agent failed; see [`reply`](Self::reply) and [`job`](Self::job).
    pub fn is_agent_failed(&self) -> bool {
        self.0.kind == ErrorKind::AgentFailed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A response that began well did not fail with its status.
        match (self.0.operation, self.0.status.filter(|status| !status.is_success())) {
            (Some(operation), Some(status)) => write!(f, "{operation} failed with status {}: ", status.as_u16())?,
            (Some(operation), None) => write!(f, "{operation} failed: ")?,
            (None, Some(status)) => write!(f, "status {}: ", status.as_u16())?,
            (None, None) => {}
        }
        f.write_str(&clause(&self.0.message))
    }
}

/// The server's words as one clause: a failed run's text goes on with all that the agent printed (WIRE §6), which may
/// well repeat the prompt.
fn clause(message: &str) -> String {
    let before_output = message.split(", output: ").next().unwrap_or_default();
    let line = before_output.trim().lines().next().unwrap_or_default();
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    if line.chars().count() > MAX_SHOWN {
        shown.push('…');
    }
    shown
}

impl fmt::Debug for Error {
    /// What a `main` that returns this error prints, so it reads as a sentence; `{:#?}` has the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.0.source.as_ref().map(ToString::to_string);
        if !f.alternate() {
            write!(f, "{self} [{}", self.code())?;
            if let Some(id) = self.request_id() {
                write!(f, ", request {id:?}")?;
            }
            write!(f, ", {} sent", self.0.attempts)?;
            if self.0.may_have_executed {
                f.write_str(", may have been carried out")?;
            }
            f.write_str("]")?;
            return source.map_or(Ok(()), |source| write!(f, ": {source}"));
        }
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("status", &self.0.status.map(|s| s.as_u16()))
            .field("message", &clause(&self.0.message))
            .field("request_id", &self.request_id())
            .field("body_bytes", &self.0.body.len())
            .field("retry_after", &self.0.retry_after)
            .field("attempts", &self.0.attempts)
            .field("may_have_executed", &self.0.may_have_executed)
            .field("source", &source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_clause_without_what_the_agent_printed() {
        let error = Error::new(
            ErrorKind::Internal,
            "execution failed: exit status 1, output: my prompt\nand more",
        );
        let error = error.sent("run_sync", 1, true).with_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            HeaderMap::new(),
            b"my prompt",
        );
        assert_eq!(
            error.to_string(),
            "run_sync failed with status 500: execution failed: exit status 1"
        );
        assert!(error.message().contains("my prompt"));
        assert!(!format!("{error:?}").contains("my prompt"), "{error:?}");
    }

    #[test]
    fn a_long_message_is_cut_and_control_characters_are_dropped() {
        let error = Error::new(ErrorKind::Internal, format!("\u{1b}[31m{}", "é".repeat(300)));
        assert_eq!(error.to_string(), format!("[31m{}…", "é".repeat(196)));
    }

    #[test]
    fn the_body_an_error_keeps_is_bounded() {
        let error = Error::new(ErrorKind::Decode, "x").with_response(
            StatusCode::OK,
            HeaderMap::new(),
            &vec![b'x'; MAX_BODY + 1],
        );
        assert_eq!(error.body().len(), MAX_BODY);
    }

    #[test]
    fn a_main_that_returns_an_error_prints_a_sentence() {
        let error = Error::new(ErrorKind::Connect, "no connection to http://localhost:8080").sent("health", 3, false);
        assert_eq!(
            format!("{error:?}"),
            "health failed: no connection to http://localhost:8080 [CONNECT, 3 sent]"
        );
    }

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
