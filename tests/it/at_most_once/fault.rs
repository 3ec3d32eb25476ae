//! What can go wrong with one attempt, and what is known of it.

use crate::support::{COMPLETED, DONE, Reply, Request};

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    None,
    /// Nobody listens.
    Refused,
    /// The connection breaks at once, which a client may notice before or after it has sent something.
    ResetAtOnce,
    ResetUnread,
    ResetAfterRead,
    CutInHead,
    CutInBody,
    /// `Content-Length` is less than the body has.
    UnderstatedLength,
    TooMany,
    TooManyWithRetryAfter,
    /// A proxy that lost its server before, or while, that ran the agent.
    BadGateway,
    BadGatewayWhileRunning,
    NotConfigured,
    /// A proxy's own page, with the same two cases.
    Unavailable,
    UnavailableWhileRunning,
    ExecutionFailed,
    /// No answer within the call's time.
    Slow,
}

use Fault::{
    BadGateway, BadGatewayWhileRunning, CutInBody, CutInHead, ExecutionFailed, NotConfigured, Refused, ResetAfterRead,
    ResetAtOnce, ResetUnread, Slow, TooMany, TooManyWithRetryAfter, Unavailable, UnavailableWhileRunning,
    UnderstatedLength,
};

impl Fault {
    pub(crate) const ALL: [Self; 17] = [
        Self::None,
        Refused,
        ResetAtOnce,
        ResetUnread,
        ResetAfterRead,
        CutInHead,
        CutInBody,
        UnderstatedLength,
        TooMany,
        TooManyWithRetryAfter,
        BadGateway,
        BadGatewayWhileRunning,
        NotConfigured,
        Unavailable,
        UnavailableWhileRunning,
        ExecutionFailed,
        Slow,
    ];

    /// One at random; one in four is none.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..4) {
            0 => Self::None,
            _ => Self::ALL[random.usize(1..Self::ALL.len())],
        }
    }

    /// Whether a server begins to run the agent in such an attempt.
    pub(crate) fn executes(self) -> bool {
        match self {
            Refused | ResetAtOnce | ResetUnread => false,
            TooMany | TooManyWithRetryAfter | NotConfigured | BadGateway | Unavailable => false,
            Self::None | ResetAfterRead | CutInHead | CutInBody | UnderstatedLength => true,
            BadGatewayWhileRunning | UnavailableWhileRunning | ExecutionFailed | Slow => true,
        }
    }

    /// Whether a client can know that nothing was run; `None` when it depends on the moment.
    pub(crate) fn is_known_to_be_harmless(self) -> Option<bool> {
        match self {
            ResetAtOnce => None,
            _ => Some(matches!(
                self,
                Refused | TooMany | TooManyWithRetryAfter | NotConfigured
            )),
        }
    }

    /// What a server that has read `request` sends; then it may keep the connection if that is whole.
    pub(crate) fn response(self, request: &Request, keep: bool) -> Vec<u8> {
        let whole = |reply: Reply| if keep { reply.bytes() } else { reply.closing() };
        let html = |status| whole(Reply::new(status).body("text/html", "<h1>nginx</h1>"));
        let json = |status: u16, text: &str| Reply::new(status).json(format!(r#"{{"error":"{text}"}}"#));
        match self {
            Self::None => whole(reply(request)),
            CutInHead => b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec(),
            CutInBody => reply(request).cut(3),
            UnderstatedLength => reply(request).understated(3),
            TooMany => whole(json(429, "rate limit exceeded")),
            TooManyWithRetryAfter => whole(json(429, "slow down").header("Retry-After", "0.002")),
            BadGateway | BadGatewayWhileRunning => html(502),
            Unavailable | UnavailableWhileRunning => html(503),
            NotConfigured => whole(not_configured(request)),
            ExecutionFailed => whole(json(500, "execution failed: exit status 1, output: x")),
            Refused | ResetAtOnce | ResetUnread | ResetAfterRead | Slow => Vec::new(),
        }
    }
}

/// The refusal of a server without credentials, which is bare text for a stream (WIRE §7).
fn not_configured(request: &Request) -> Reply {
    let text = "Claude not configured. Run 'make claude-setup' first";
    match request.path() {
        "/run/stream" => Reply::new(503).body("text/plain", text),
        _ => Reply::new(503).json(format!(r#"{{"id":"","status":"error","error":"{text}"}}"#)),
    }
}

fn reply(request: &Request) -> Reply {
    const AGENT: &str = r#"{"id":"agent-1","session_id":"s-1","status":"generating","idle_timeout_seconds":1800,
        "created_at":"2026-05-06T12:00:00Z","last_activity_at":"2026-05-06T12:00:00Z","turns_completed":0}"#;
    match request.path() {
        "/run" => Reply::new(200).json(COMPLETED),
        "/run/async" => Reply::new(202).json(r#"{"job_id":"job-1","session_id":"s-1"}"#),
        "/run/stream" => Reply::new(200).body("text/event-stream", format!("data: pong\n\n{DONE}")),
        "/agents" => Reply::new(201).json(AGENT),
        _ => Reply::new(202).json(r#"{"turn_id":"turn-1"}"#),
    }
}
