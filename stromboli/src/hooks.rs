//! Looking on as calls are made: for metrics, logs, and headers that every request needs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// Is told of every attempt of every call. It sees no body, no query and no token.
///
/// ```
/// use stromboli::hooks::{Hook, RequestEvent, ResponseEvent};
///
/// struct Log;
///
/// impl Hook for Log {
///     fn on_request(&self, request: &mut RequestEvent<'_>) {
///         request.headers.insert("x-tenant", "blue".parse().unwrap());
///     }
///
///     fn on_response(&self, response: &ResponseEvent<'_>) {
///         println!("{} {} in {:?}", response.operation, response.status, response.elapsed);
///     }
/// }
///
/// let client = stromboli::Client::builder("http://localhost:8080").hook(Log).build()?;
/// # Ok::<(), stromboli::Error>(())
/// ```
pub trait Hook: Send + Sync + 'static {
    /// An attempt is about to be sent, and its token is there; headers can be added. The token is not among them.
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        let _ = request;
    }

    /// The headers of a response are there. A lost connection has none.
    fn on_response(&self, response: &ResponseEvent<'_>) {
        let _ = response;
    }

    /// An attempt failed, and another will follow after a wait.
    fn on_retry(&self, retry: &RetryEvent) {
        let _ = retry;
    }
}

/// An attempt that is about to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct RequestEvent<'a> {
    /// The operation's id in the contract: `run_sync`, `job_get`, …
    pub operation: &'static str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What will be sent. The token is put in afterwards, and replaces an `authorization` of the hook's.
    pub headers: &'a mut HeaderMap,
}

/// A response whose body is still to come.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResponseEvent<'a> {
    /// The operation's id in the contract.
    pub operation: &'static str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// From sending to here, a token's renewal included.
    pub elapsed: Duration,
}

/// A failed attempt that another will follow.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryEvent {
    /// The operation's id in the contract.
    pub operation: &'static str,
    /// The attempt that failed, 1 for the first.
    pub attempt: u32,
    /// How long the next one waits.
    pub wait: Duration,
}

/// The hooks of a client, in the order in which they were given.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Arc<dyn Hook>>);

impl Hooks {
    pub(crate) fn push(&mut self, hook: impl Hook) {
        self.0.push(Arc::new(hook));
    }

    pub(crate) fn on_request(&self, request: &mut RequestEvent<'_>) {
        self.0.iter().for_each(|hook| hook.on_request(request));
    }

    /// `response` is not made for nobody, because it reads the clock.
    pub(crate) fn on_response<'a>(&self, response: impl FnOnce() -> ResponseEvent<'a>) {
        if !self.0.is_empty() {
            let response = response();
            self.0.iter().for_each(|hook| hook.on_response(&response));
        }
    }

    pub(crate) fn on_retry(&self, retry: &RetryEvent) {
        self.0.iter().for_each(|hook| hook.on_retry(retry));
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}
