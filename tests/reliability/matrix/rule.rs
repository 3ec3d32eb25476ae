//! What has to come of a call, from what reaches the client: the documentation of `ErrorKind` and the rule of
//! `may_have_executed` in docs/decisions.md, written once more. Nothing here looks at what does come.

use stromboli::ErrorKind;

use super::class::{Class, Effect};

/// What reaches the client of a call that meets a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sees {
    /// The whole answer, in however unusual a way.
    Answer,
    /// No connection, or none in time.
    NoConnection,
    /// A connection without the TLS that was asked for.
    NoTls,
    /// The end of the connection before a whole head of an answer.
    Broken,
    /// What is no HTTP.
    NotHttp,
    /// No whole head, for as long as it waits.
    Silence,
    /// A head and a part of the body, and nothing more.
    Stall,
    /// The whole answer, but its body so slowly that the time of a call is not enough for it.
    Dribble,
    /// A head and a part of the body, and then the end of the connection, or what is no HTTP.
    Cut,
    /// The same when all of the content has come.
    CutAtEnd,
    /// A whole body that lacks its last bytes.
    Short,
    /// A whole body that is something else.
    NotPromised,
    /// The right body, said to be of another type.
    WrongType,
    /// A stream that ends properly after its first event. Others are whole.
    EndsEarly,
    /// A stream that ends properly, but without the event that ends it. Others are whole.
    NoEndMarker,
    /// A body, or an event of a stream, above the client's limit.
    Endless,
    /// A status that is none of success, or not the one promised.
    Status(u16),
    /// The same, with words that say that the server refused before it ran anything (WIRE §3, §6).
    Refusal(u16),
}

/// What a call has to come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    /// None is success.
    pub(super) kind: Option<ErrorKind>,
    pub(super) may_have_executed: bool,
    /// Of at most two.
    pub(super) attempts: u32,
}

pub(super) fn expected(class: Class, sees: Sees) -> Expected {
    let kind = kind(class, sees);
    Expected {
        kind,
        may_have_executed: kind.is_some() && may_have_executed(class, sees),
        attempts: if is_sent_again(class, sees) { 2 } else { 1 },
    }
}

/// As `ErrorKind` documents its kinds, and each class its own.
fn kind(class: Class, sees: Sees) -> Option<ErrorKind> {
    let streamed = class.is_stream();
    Some(match sees {
        Sees::Answer => return None,
        Sees::NoConnection => ErrorKind::Connect,
        Sees::NoTls => ErrorKind::Tls,
        Sees::Broken | Sees::NotHttp => ErrorKind::Connection,
        Sees::Silence => ErrorKind::Timeout,
        Sees::Stall => ErrorKind::Timeout,
        // Of an open stream only the silence is bounded, and this is none.
        Sees::Dribble if streamed => return None,
        Sees::Dribble => ErrorKind::Timeout,
        Sees::Cut => ErrorKind::Truncated,
        // A stream says itself where its end is.
        Sees::CutAtEnd if streamed => return None,
        Sees::CutAtEnd => ErrorKind::Truncated,
        // An agent's last event says nothing that the one before it has not said.
        Sees::Short if matches!(class, Class::Events | Class::Turn) => return None,
        Sees::Short | Sees::NotPromised if streamed => ErrorKind::Truncated,
        Sees::Short | Sees::NotPromised => ErrorKind::Decode,
        Sees::WrongType if streamed => ErrorKind::Decode,
        Sees::EndsEarly if streamed => ErrorKind::Truncated,
        Sees::NoEndMarker if class == Class::Stream => ErrorKind::Truncated,
        Sees::WrongType | Sees::EndsEarly | Sees::NoEndMarker => return None,
        Sees::Endless => ErrorKind::TooLarge,
        Sees::Status(status) | Sees::Refusal(status) => kind_of_status(class, status),
    })
}

fn kind_of_status(class: Class, status: u16) -> ErrorKind {
    match (status, class) {
        (409, Class::Secret) => ErrorKind::SecretExists,
        (409, Class::Send) => ErrorKind::AgentBusy,
        (410, Class::Send) => ErrorKind::AgentExited,
        (500, Class::Pull) => ErrorKind::ImagePullFailed,
        (300..400, _) => ErrorKind::Redirect,
        (401, _) => ErrorKind::Unauthorized,
        (403, _) => ErrorKind::Forbidden,
        (404 | 410, _) => ErrorKind::NotFound,
        (408 | 504, _) => ErrorKind::Timeout,
        (409, _) => ErrorKind::Conflict,
        (413 | 414 | 431, _) => ErrorKind::TooLarge,
        (429, _) => ErrorKind::RateLimited,
        (400..500, _) => ErrorKind::BadRequest,
        (502 | 503, _) => ErrorKind::Unavailable,
        (500..600, _) => ErrorKind::Internal,
        // No status of success that was promised, and none that HTTP knows for a failure.
        _ => ErrorKind::Decode,
    }
}

/// It is false only where nothing was sent, or where status or words say that the server refused; and of what changes
/// nothing.
fn may_have_executed(class: Class, sees: Sees) -> bool {
    match class {
        // It is about a job that was begun before.
        Class::Wait => true,
        // The run is not sent without a token.
        Class::Login => false,
        // The prompt is sent once the agent's events can be read, and then it is out.
        Class::Turn => matches!(
            sees,
            Sees::Stall | Sees::Cut | Sees::NotPromised | Sees::EndsEarly | Sees::Endless
        ),
        _ if class.effect() == Effect::Reads => false,
        _ => !is_unexecuted(sees),
    }
}

fn is_unexecuted(sees: Sees) -> bool {
    match sees {
        Sees::NoConnection | Sees::NoTls => true,
        // A 303 answers what was done, and a 408 may come from a proxy whose server went on.
        Sees::Status(status) => (300..500).contains(&status) && status != 303 && status != 408,
        Sees::Refusal(_) => true,
        _ => false,
    }
}

/// What may pass is tried again, but what executes only when it provably did not.
fn is_sent_again(class: Class, sees: Sees) -> bool {
    let may_pass = match sees {
        Sees::NoConnection | Sees::Broken | Sees::NotHttp | Sees::Cut | Sees::CutAtEnd => true,
        Sees::Status(status) | Sees::Refusal(status) => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        _ => false,
    };
    let unexecuted = matches!(sees, Sees::NoConnection | Sees::Status(429) | Sees::Refusal(503));
    may_pass && (class.effect() != Effect::Executes || unexecuted)
}
