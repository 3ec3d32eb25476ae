//! What a test can see of the emulator: the requests that arrived and what became of the runs.

use std::borrow::Cow;
use std::fmt::{self, Write};

use axum::http::Method;
use axum::http::request::Parts;
use bytes::Bytes;

/// Counts since the start; those of agents and their streams say how many there are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that arrived, whatever they were answered.
    pub requests: u64,
    /// Runs begun: requests that passed every check of the server. Where podman or Claude Code refuse to go on, because of
    /// a secret or a session, it counts although nobody is asked. And turns of agents.
    pub executions: u64,
    /// Runs and turns that came to their own end, of whatever kind; a job's run counts once the job shows it.
    pub finished: u64,
    /// Runs killed because the client went away, and turns because their agent was stopped.
    pub stopped: u64,
    /// Webhooks of jobs that were received: answered with a 2xx status.
    pub webhooks_delivered: u64,
    /// Webhooks of jobs that were given up.
    pub webhooks_failed: u64,
    /// Agents whose process lives.
    pub agents: u64,
    /// Agent streams that are open, those of agents that have exited among them.
    pub subscribers: u64,
    /// Events that a stream lost because its reader was too slow, over all streams since the start.
    pub dropped_events: u64,
    /// Faults that struck, since the start.
    pub faults: u64,
}

/// A request as it arrived. `Debug` shows nothing that could be a prompt, a token or a secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct Received {
    /// The method, such as `POST`.
    pub method: String,
    /// The path and the query, as sent.
    pub target: String,
    /// The headers in the order of arrival, names in lower case, invalid UTF-8 in values replaced.
    pub headers: Vec<(String, String)>,
    /// The whole body, when it was read: of a `POST` that was let in and whose route reads one, and where a fault struck.
    pub body: Bytes,
    /// Whether it was passed on to its route; false when a fault, a missing token or an unknown path came before that.
    /// What a route refuses for itself, a body that is not JSON say, counts here, and not in
    /// [`executions`](crate::Emulator::executions).
    pub executed: bool,
}

impl Received {
    /// The first header of that name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(n, value)| n.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        f.debug_struct("Received")
            .field("method", &self.method)
            .field("path", &path)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A request as it is remembered: nearly all are forgotten unread, so that its texts lie in one piece.
pub(crate) struct Kept {
    method: Method,
    /// The target, and the names and values of the headers, a line each; none of them has a line end in it.
    lines: String,
    body: Bytes,
    executed: bool,
}

impl Kept {
    pub(crate) fn new(parts: &Parts, body: Bytes, executed: bool) -> Self {
        let headers = parts.headers.iter();
        let length: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
        // With room for the path of nearly every request.
        let mut lines = String::with_capacity(length + 64);
        // Writing into a string cannot fail.
        let _ = write!(lines, "{}", parts.uri);
        for (name, value) in &parts.headers {
            // Nearly always it is text, which this tells sooner.
            let value = match str::from_utf8(value.as_bytes()) {
                Ok(value) => Cow::Borrowed(value),
                Err(_) => String::from_utf8_lossy(value.as_bytes()),
            };
            for text in [name.as_str(), &value] {
                lines.push('\n');
                lines.push_str(text);
            }
        }
        Self {
            method: parts.method.clone(),
            lines,
            body,
            executed,
        }
    }

    pub(crate) fn received(&self) -> Received {
        let mut lines = self.lines.split('\n').map(str::to_owned);
        let target = lines.next().unwrap_or_default();
        let headers = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)));
        Received {
            headers: headers.collect(),
            method: self.method.to_string(),
            target,
            body: self.body.clone(),
            executed: self.executed,
        }
    }
}
