//! What can go wrong with a request, and what its client sees of it.

mod spec;

use std::fmt;

use bytes::Bytes;

use crate::hold::Delay;

pub use spec::ParseFaultError;

/// Something that goes wrong, for [`Emulator::inject`](crate::Emulator::inject): what, with which requests, how often.
///
/// It strikes every request, for ever, until it is told which ([`on`](Self::on), [`method`](Self::method),
/// [`on_prompt`](Self::on_prompt)) and how often ([`times`](Self::times), [`probability`](Self::probability)). At most one
/// fault strikes a request: the first, in the order of injection, that is for it and is not used up.
///
/// A fault stands where a broken proxy would: in front of authentication and everything else of the server. Each says
/// whether the request is **executed**, that is, passed on to the server behind; its answers have the headers that the
/// server gives, `X-Request-ID` among them. What is written by hand, since no whole answer looks like it, ends its
/// connection.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use stromboli_emulator::{Emulator, Fault};
///
/// let emulator = Emulator::start().await?;
/// emulator.inject(Fault::status(503).times(2).on("/run"));
/// let lost = emulator.inject(Fault::reset_after_executing().method("POST").on_prompt("deploy"));
/// assert_eq!(lost.fired(), 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    pub(crate) moment: Moment,
    pub(crate) effect: Effect,
    /// Where the emulator ends the connection, it resets it.
    pub(crate) by_reset: bool,
    pub(crate) delay: Option<Delay>,
    /// Headers to set, or without a value, to leave out.
    pub(crate) headers: Vec<(String, Option<String>)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) path: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) probability: Option<f64>,
    pub(crate) seed: Option<u64>,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    OnConnect,
    /// The head was read, the body was not.
    BeforeReading,
    BeforeExecuting,
    /// The answer is there.
    AfterExecuting,
}

/// What the client gets.
#[derive(Clone)]
pub(crate) enum Effect {
    /// Nothing, for as long as it waits.
    Silence,
    /// An answer of that status.
    Status(u16),
    /// The server's answer, with a flaw.
    Answer(Flaw),
}

/// What is wrong with an answer on its way.
#[derive(Clone)]
pub(crate) enum Flaw {
    None,
    /// These bytes come in its place.
    Replaced(Bytes),
    /// Its connection ends after so many bytes, or so many of its body.
    Cut(u64),
    CutBody(u64),
    /// Its `Content-Length` is so much greater than it should be.
    Length(i64),
    PauseBeforeBody(Delay),
    PauseBetweenChunks(Delay),
    /// These bytes follow its first chunk.
    GarbageChunk(Bytes),
    Drip(Delay),
    Http10,
    Informational(u16),
    /// It has only so many events.
    EndAfter(u64),
    WithoutEndMarker,
    CutAfterEndMarker,
}

impl Fault {
    fn new(moment: Moment, effect: Effect) -> Self {
        Self {
            moment,
            effect,
            by_reset: false,
            delay: None,
            headers: Vec::new(),
            body: None,
            path: None,
            method: None,
            prompt: None,
            times: None,
            probability: None,
            seed: None,
        }
    }

    fn answer(flaw: Flaw) -> Self {
        Self::new(Moment::AfterExecuting, Effect::Answer(flaw))
    }

    fn no_answer(moment: Moment) -> Self {
        Self::new(moment, Effect::Answer(Flaw::Replaced(Bytes::new())))
    }

    /// Not executed: the client gets this status, and as the body what the server says with it (401, 429, 503), else
    /// `{"error":"…"}` with the status in words. A status that HTTP does not know, below 100 or above 999, is 500.
    ///
    /// ```
    /// use stromboli_emulator::Fault;
    ///
    /// let full = Fault::status(429).header("Retry-After", "2");
    /// let moved = Fault::status(307).header("Location", "http://other.example/run");
    /// let proxy = Fault::status(502).header("Content-Type", "text/html").body("<h1>Bad Gateway</h1>");
    /// # let _ = (full, moved, proxy);
    /// ```
    pub fn status(status: u16) -> Self {
        Self::new(Moment::BeforeExecuting, Effect::Status(status))
    }

    /// Executed: the client gets this status all the same, as from a proxy that has lost its server; the body is
    /// `{"error":"…"}` with the status in words.
    pub fn status_after_executing(status: u16) -> Self {
        Self::new(Moment::AfterExecuting, Effect::Status(status))
    }

    /// Nothing is read: a new connection is accepted and reset at once. This is about connections, so
    /// [`on`](Self::on), [`method`](Self::method) and [`on_prompt`](Self::on_prompt) say nothing to it, and no request
    /// is [listed](crate::Emulator::requests). Where nobody listens at all, see
    /// [`Emulator::refuse_connections`](crate::Emulator::refuse_connections).
    pub fn reset_on_connect() -> Self {
        Self::no_answer(Moment::OnConnect).by_reset()
    }

    /// Not executed: the connection is reset when the request's head is there, and its body is not read (unless
    /// [`on_prompt`](Self::on_prompt) has to look into it).
    pub fn reset_before_reading() -> Self {
        Self::no_answer(Moment::BeforeReading).by_reset()
    }

    /// Not executed: the connection is reset when the whole request was read.
    pub fn reset_before_executing() -> Self {
        Self::no_answer(Moment::BeforeExecuting).by_reset()
    }

    /// Executed: the connection is reset in the place of the answer.
    pub fn reset_after_executing() -> Self {
        Self::no_answer(Moment::AfterExecuting).by_reset()
    }

    /// Not executed: the connection is closed when the whole request was read. For closing it after executing see
    /// [`cut_after`](Self::cut_after).
    pub fn close_before_executing() -> Self {
        Self::no_answer(Moment::BeforeExecuting)
    }

    /// Not executed: the whole request is read, and nothing follows for as long as the client keeps the connection.
    pub fn silence_before_executing() -> Self {
        Self::new(Moment::BeforeExecuting, Effect::Silence)
    }

    /// Executed: nothing follows for as long as the client keeps the connection. A run on `/run/stream` is executed up
    /// to its first event, and is killed when the client goes away.
    pub fn silence_after_executing() -> Self {
        Self::new(Moment::AfterExecuting, Effect::Silence)
    }

    /// Executed: the client waits so long for the answer's first byte.
    pub fn delay_headers(delay: impl Into<Delay>) -> Self {
        Self::answer(Flaw::None).delayed(delay)
    }

    /// Executed: the client gets the headers, and waits so long for the body.
    pub fn delay_body(delay: impl Into<Delay>) -> Self {
        Self::answer(Flaw::PauseBeforeBody(delay.into()))
    }

    /// Executed: the client waits so long before each event of a stream but the first; any other body comes in two
    /// halves, and it waits between them.
    pub fn delay_chunks(delay: impl Into<Delay>) -> Self {
        Self::answer(Flaw::PauseBetweenChunks(delay.into()))
    }

    /// Executed: the client gets each byte of the answer by itself, and waits so long for each.
    pub fn drip(delay: impl Into<Delay>) -> Self {
        Self::answer(Flaw::Drip(delay.into()))
    }

    /// Executed: the connection is closed after so many bytes of the answer, its head included; none is no answer at
    /// all. A shorter answer comes whole.
    pub fn cut_after(bytes: u64) -> Self {
        match bytes {
            0 => Self::no_answer(Moment::AfterExecuting),
            _ => Self::answer(Flaw::Cut(bytes)),
        }
    }

    /// Executed: the connection is closed after the head and so many bytes of the body, the sizes of chunks not counted.
    /// A shorter body comes whole.
    pub fn cut_body_after(bytes: u64) -> Self {
        Self::answer(Flaw::CutBody(bytes))
    }

    /// Executed: `Content-Length` says so many bytes more than the body has, or less if negative; then the connection is
    /// closed. The body of a run's stream is collected first; of an agent's, which may have no end, only the first event
    /// is sent.
    pub fn wrong_length(more: i64) -> Self {
        Self::answer(Flaw::Length(more))
    }

    /// Executed: the answer says that it is of this type. What it holds does not change.
    pub fn content_type(content_type: &str) -> Self {
        Self::answer(Flaw::None).header("Content-Type", content_type)
    }

    /// Executed: the client gets these bytes in the place of the answer, and the connection is closed.
    pub fn garbage(bytes: impl Into<Bytes>) -> Self {
        Self::answer(Flaw::Replaced(bytes.into()))
    }

    /// Executed: the body comes in chunks, and after the first, which is half of it or one event, these bytes come where
    /// the size of the next should stand, such as `"xyz\r\n"`; then the connection is closed.
    pub fn garbage_chunk(bytes: impl Into<Bytes>) -> Self {
        Self::answer(Flaw::GarbageChunk(bytes.into()))
    }

    /// Executed: the answer is one of HTTP/1.0, in which a stream has no chunks and ends with its connection.
    pub fn http_1_0() -> Self {
        Self::answer(Flaw::Http10)
    }

    /// Executed: a head of this status, from 100 to 199, comes before the answer.
    pub fn informational(status: u16) -> Self {
        Self::answer(Flaw::Informational(status))
    }

    /// Executed: a stream ends properly after so many events, whether the end marker is among them or not. A run is
    /// killed by that. Other answers come whole.
    pub fn end_events_after(events: u64) -> Self {
        Self::answer(Flaw::EndAfter(events))
    }

    /// Executed: a stream ends properly, but without its end marker: `done` or `error` of a run, `closed` of an agent.
    /// Other answers come whole.
    pub fn without_end_marker() -> Self {
        Self::answer(Flaw::WithoutEndMarker)
    }

    /// Executed: the connection is closed after the end marker of a stream, which has no proper end. Other answers come
    /// whole.
    pub fn cut_after_end_marker() -> Self {
        Self::answer(Flaw::CutAfterEndMarker)
    }

    /// Only for requests with this path: `/run`, or a template such as `/jobs/{id}`, whose parts in braces stand for
    /// anything. Escapes in the request's path are decoded first.
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only for requests with this method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only for requests whose prompt, in the body or the query, contains `part`.
    pub fn on_prompt(mut self, part: impl Into<String>) -> Self {
        self.prompt = Some(part.into());
        self
    }

    /// At most so often; for ever if not set.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// With this probability, from 0 to 1, each time that it could strike. The random numbers are those of the
    /// emulator's [seed](crate::Builder::seed), a sequence for each fault, unless it has one [of its own](Self::seed).
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Draws from a random sequence of its own, so that the same requests are struck each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Waits so long before it strikes: after executing if it executes. A client that goes away ends the wait.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// use stromboli_emulator::{Fault, Hold};
    ///
    /// let hold = Hold::new();
    /// emulator.inject(Fault::status(502).delayed(&hold).on("/run"));
    /// // … send a run, and see that nothing comes back …
    /// hold.release();
    /// # Ok(()) }
    /// ```
    pub fn delayed(mut self, delay: impl Into<Delay>) -> Self {
        self.delay = Some(delay.into());
        self
    }

    /// Where it would close the connection, it resets it. What the client's system has not taken by then is lost.
    pub fn by_reset(mut self) -> Self {
        self.by_reset = true;
        self
    }

    /// The answer has this header, in the place of the server's; name and value go out as they are, also if no header
    /// may look so.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// The answer lacks this header.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// The answer has this body; its headers say of what type it is.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Returns when it is to be seen.
    pub(crate) async fn wait(&self) {
        if let Some(delay) = &self.delay {
            delay.pass().await;
        }
    }
}

impl fmt::Debug for Fault {
    /// Without prompts and contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("moment", &self.moment)
            .field("path", &self.path)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
