//! What can go wrong with one attempt, and what is known of it.

use std::time::Duration;

use stromboli_emulator::Fault as Injected;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    None,
    /// A good answer that comes in an unusual way.
    Dripping,
    AfterInformation,
    /// Nobody listens.
    Refused,
    /// The connection breaks at once, which a client may notice before or after it has sent something.
    ResetAtOnce,
    ResetUnread,
    ResetUnexecuted,
    ClosedUnexecuted,
    ResetAfterExecuting,
    CutInHead,
    CutInBody,
    /// `Content-Length` is less than the body has.
    UnderstatedLength,
    Garbage,
    GarbageInBody,
    /// The token is refused; the client has another.
    Unauthorized,
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
    /// No answer within the call's time, from a server that does nothing or runs the agent.
    Silent,
    SilentWhileRunning,
}

use Fault::{
    AfterInformation, BadGateway, BadGatewayWhileRunning, ClosedUnexecuted, CutInBody, CutInHead, Dripping,
    ExecutionFailed, Garbage, GarbageInBody, NotConfigured, Refused, ResetAfterExecuting, ResetAtOnce, ResetUnexecuted,
    ResetUnread, Silent, SilentWhileRunning, TooMany, TooManyWithRetryAfter, Unauthorized, Unavailable,
    UnavailableWhileRunning, UnderstatedLength,
};

impl Fault {
    pub(crate) const ALL: [Self; 25] = [
        Self::None,
        Dripping,
        AfterInformation,
        Refused,
        ResetAtOnce,
        ResetUnread,
        ResetUnexecuted,
        ClosedUnexecuted,
        ResetAfterExecuting,
        CutInHead,
        CutInBody,
        UnderstatedLength,
        Garbage,
        GarbageInBody,
        Unauthorized,
        TooMany,
        TooManyWithRetryAfter,
        BadGateway,
        BadGatewayWhileRunning,
        NotConfigured,
        Unavailable,
        UnavailableWhileRunning,
        ExecutionFailed,
        Silent,
        SilentWhileRunning,
    ];

    /// One at random; one in four is none.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..4) {
            0 => Self::None,
            _ => Self::ALL[random.usize(1..Self::ALL.len())],
        }
    }

    /// Whether the client gets a good answer.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::None | Dripping | AfterInformation)
    }

    /// Whether a server begins to run the agent in such an attempt.
    pub(crate) fn executes(self) -> bool {
        match self {
            Refused | ResetAtOnce | ResetUnread | ResetUnexecuted | ClosedUnexecuted | Silent => false,
            Unauthorized | TooMany | TooManyWithRetryAfter | NotConfigured | BadGateway | Unavailable => false,
            Self::None | Dripping | AfterInformation => true,
            ResetAfterExecuting | CutInHead | CutInBody | UnderstatedLength | Garbage | GarbageInBody => true,
            BadGatewayWhileRunning | UnavailableWhileRunning | ExecutionFailed | SilentWhileRunning => true,
        }
    }

    /// Whether a client can know that nothing was run; `None` when it depends on the moment.
    pub(crate) fn is_known_to_be_harmless(self) -> Option<bool> {
        match self {
            ResetAtOnce => None,
            _ => Some(matches!(
                self,
                Refused | Unauthorized | TooMany | TooManyWithRetryAfter | NotConfigured
            )),
        }
    }

    /// Whether the client gets a status of 500 or above.
    pub(crate) fn is_5xx(self) -> bool {
        matches!(
            self,
            BadGateway
                | BadGatewayWhileRunning
                | NotConfigured
                | Unavailable
                | UnavailableWhileRunning
                | ExecutionFailed
        )
    }

    /// Whether it takes all the time that a call has.
    pub(crate) fn is_silent(self) -> bool {
        matches!(self, Silent | SilentWhileRunning)
    }

    /// What the emulator is told, if anything: a good answer needs nothing, and refusing connections is another matter.
    pub(crate) fn injected(self, is_stream: bool) -> Option<Injected> {
        let html = |fault: Injected| {
            fault
                .header("Content-Type", "text/html")
                .without_header("X-Request-ID")
                .body("<h1>nginx</h1>")
        };
        let said = |fault: Injected, words: &str| {
            fault.body(format!(r#"{{"id":"","status":"error","error":"{words}"}}"#).into_bytes())
        };
        Some(match self {
            Self::None | Refused => return None,
            Dripping => Injected::drip(Duration::ZERO),
            AfterInformation => Injected::informational(103),
            ResetAtOnce => Injected::reset_on_connect(),
            ResetUnread => Injected::reset_before_reading(),
            ResetUnexecuted => Injected::reset_before_executing(),
            ClosedUnexecuted => Injected::close_before_executing(),
            ResetAfterExecuting => Injected::reset_after_executing(),
            CutInHead => Injected::cut_after(27),
            CutInBody => Injected::cut_body_after(1),
            UnderstatedLength => Injected::wrong_length(-3),
            Garbage => Injected::garbage("\u{16}\u{3}\u{1} no HTTP\r\n\r\n"),
            GarbageInBody => Injected::garbage_chunk("zz\r\n"),
            Unauthorized => Injected::status(401),
            TooMany => Injected::status(429),
            TooManyWithRetryAfter => Injected::status(429).header("Retry-After", "0.002"),
            BadGateway => html(Injected::status(502)),
            BadGatewayWhileRunning => html(Injected::status_after_executing(502)),
            // Bare text for a stream (WIRE §7).
            NotConfigured if is_stream => Injected::status(503)
                .header("Content-Type", "text/plain; charset=utf-8")
                .body(NOT_CONFIGURED),
            NotConfigured => said(Injected::status(503), NOT_CONFIGURED),
            Unavailable => html(Injected::status(503)),
            UnavailableWhileRunning => html(Injected::status_after_executing(503)),
            ExecutionFailed => {
                let words = "execution failed: exit status 1, output: x";
                said(Injected::status_after_executing(500), words)
            }
            Silent => Injected::silence_before_executing(),
            SilentWhileRunning => Injected::silence_after_executing(),
        })
    }
}

const NOT_CONFIGURED: &str = "Claude not configured. Run 'make claude-setup' first";
