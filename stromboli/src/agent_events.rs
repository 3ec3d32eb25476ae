//! What a live agent says and does, as it comes: a value that is pulled, with no task and no channel behind it.

mod answer;
mod continuity;
mod event;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::Instant;

pub use event::{AgentEvent, AgentEventKind};

use self::continuity::Continuity;
use crate::api::agents::AgentHandle;
use crate::error::{Error, ErrorKind, Result};
use crate::event_stream::EventStream;

/// How long an agent that has exited, or is being stopped, is listened to: the server gives its process ten seconds to end.
/// After that nothing comes any more, because the server never closes a stream that was opened too late (WIRE §11).
const LAST_WORDS: Duration = Duration::from_secs(15);
/// The first wait before a lost connection is opened again; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// A connection that has lasted so long was none of a row that fails.
const LASTING: Duration = Duration::from_secs(10);

/// Everything that a live agent does from now on, in all of its turns, from [`AgentHandle::events`].
///
/// Read it with [`try_next`](Self::try_next) or as a [`Stream`]. Dropping it closes the connection; the agent goes on.
/// The server keeps 32 events for a slow reader and then drops the oldest without a word (WIRE §11): holes show as
/// [`AgentEventKind::Lagged`] wherever they can be seen, so read promptly.
pub struct AgentEvents {
    agent: AgentHandle,
    stream: Box<EventStream>,
    continuity: Continuity,
    /// What came after a hole, while the hole itself is told.
    held: Option<AgentEvent>,
    /// The agent's process has ended, and only its last words can come.
    exited: bool,
    resubscribe: u32,
    /// How often in a row the connection was lost.
    losses: u32,
    opened: Instant,
    reopening: Option<Reopening>,
}

/// In a mutex that is never locked, only so that values with a stream in them can be shared between threads.
type Reopening = Mutex<Pin<Box<dyn Future<Output = Result<Subscription>> + Send>>>;

/// A stream of an agent's events.
pub(crate) struct Subscription {
    pub(crate) stream: Box<EventStream>,
    /// The agent had exited by the time that it was open.
    pub(crate) exited: bool,
}

impl AgentEvents {
    pub(crate) fn new(agent: AgentHandle, subscription: Subscription) -> Self {
        let mut events = Self {
            agent,
            stream: subscription.stream,
            continuity: Continuity::anywhere(),
            held: None,
            exited: false,
            resubscribe: 0,
            losses: 0,
            opened: Instant::now(),
            reopening: None,
        };
        if subscription.exited {
            events.expect_last_words();
        }
        events
    }

    /// The events of an agent of which this turn, to come, must be whole.
    pub(crate) fn before_turn(agent: AgentHandle, stream: Box<EventStream>, turn_id: &str) -> Self {
        let mut events = Self::new(agent, Subscription { stream, exited: false });
        events.continuity = Continuity::before(turn_id);
        events
    }

    /// Opens a connection again that was lost or silent for too long, up to `times` in a row, with growing waits; one that
    /// lasted ten seconds begins the row anew. What happened in the meantime is lost; [`AgentEventKind::Resubscribed`] says
    /// so. Off by default.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let mut events = agent.events().await?.resubscribe(5);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resubscribe(mut self, times: u32) -> Self {
        self.resubscribe = times;
        self
    }

    /// How long the server may be silent, instead of [`Timeouts::stream_idle`](crate::Timeouts::stream_idle). It sends no
    /// heartbeats: an agent that works on something for long, or waits for a prompt, is silent too.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        let timeout = if self.exited { timeout.min(LAST_WORDS) } else { timeout };
        self.stream.set_idle(timeout);
        self
    }

    /// The next event; `None` after the agent's end.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stood.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// use stromboli::AgentEventKind;
    ///
    /// let mut events = agent.events().await?;
    /// while let Some(event) = events.try_next().await? {
    ///     match event.kind {
    ///         AgentEventKind::Message(message) => println!("{}", message.type_name()),
    ///         AgentEventKind::Lagged => eprintln!("read too slowly, something is missing here"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the connection is lost; [`is_timeout`](Error::is_timeout) after a silence of
    /// [`idle_timeout`](Self::idle_timeout); [`ErrorKind::AgentExited`] when the agent exited before it could be listened
    /// to; [`ErrorKind::TooLarge`] for an event above the limit; [`ErrorKind::Decode`] for one that is not as the contract
    /// says; with [`resubscribe`](Self::resubscribe) [`is_not_found`](Error::is_not_found) when the agent is gone by then.
    pub async fn try_next(&mut self) -> Result<Option<AgentEvent>> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await.transpose()
    }

    /// The server's id of the request, to be found in its log (WIRE §2).
    pub fn request_id(&self) -> Option<&str> {
        self.stream.request_id()
    }

    pub(crate) fn stream(&mut self) -> &mut EventStream {
        &mut self.stream
    }

    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<AgentEvent>>> {
        loop {
            if let Some(event) = self.held.take() {
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(reopening) = &mut self.reopening {
                let reopened = ready!(
                    reopening
                        .get_mut()
                        .unwrap_or_else(PoisonError::into_inner)
                        .as_mut()
                        .poll(cx)
                );
                self.reopening = None;
                match reopened {
                    Ok(subscription) => return Poll::Ready(Some(Ok(self.resubscribed(subscription)))),
                    Err(error) if is_passing(&error) && self.reopen() => continue,
                    Err(error) if error.kind() == ErrorKind::AgentExited => {
                        self.held = Some(AgentEvent::of(AgentEventKind::Exited(Some(error.message().to_owned()))));
                        return Poll::Ready(Some(Ok(AgentEvent::of(AgentEventKind::Resubscribed))));
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            if self.stream.is_closed() {
                return Poll::Ready(None);
            }
            match ready!(self.stream.poll_event(cx, AgentEvent::read)) {
                Ok(Some(Ok(Some(event)))) => {
                    if matches!(event.kind, AgentEventKind::Exited(_)) {
                        self.expect_last_words();
                    }
                    if self.continuity.has_hole_before(&event) {
                        self.held = Some(event);
                        return Poll::Ready(Some(Ok(AgentEvent::of(AgentEventKind::Lagged))));
                    }
                    return Poll::Ready(Some(Ok(event)));
                }
                Ok(Some(Ok(None))) => self.stream.close(),
                Ok(Some(Err((error, data)))) => {
                    let error = self.stream.error(ErrorKind::Decode, error, data.as_bytes());
                    return Poll::Ready(Some(Err(error)));
                }
                // Nothing follows an exit but the process's own end and `closed`.
                Ok(None) if self.exited => {}
                Ok(None) => {
                    let error = self.stream.ended_before("the agent's end");
                    if !self.reopen() {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Err(error) if self.exited && error.is_timeout() => {
                    let message = "agent has exited, and the server says no more of it";
                    let error = self.stream.fail(ErrorKind::AgentExited, message, b"");
                    return Poll::Ready(Some(Err(error)));
                }
                Err(error) if is_passing(&error) && self.reopen() => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    fn expect_last_words(&mut self) {
        self.exited = true;
        self.stream.be_impatient(LAST_WORDS);
    }

    /// Begins to open the stream again, if that was asked for and may still help.
    fn reopen(&mut self) -> bool {
        if self.opened.elapsed() >= LASTING {
            self.losses = 0;
        }
        if self.losses >= self.resubscribe || self.exited {
            return false;
        }
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.losses));
        let wait = doubled.min(LONGEST_WAIT).mul_f64(0.5 + fastrand::f64() / 2.0);
        self.losses += 1;
        let agent = self.agent.clone();
        self.reopening = Some(Mutex::new(Box::pin(async move {
            tokio::time::sleep(wait).await;
            agent.subscribe().await
        })));
        true
    }

    fn resubscribed(&mut self, subscription: Subscription) -> AgentEvent {
        let idle = self.stream.idle();
        self.stream = subscription.stream;
        self.stream.set_idle(idle);
        self.opened = Instant::now();
        self.continuity = Continuity::anywhere();
        if subscription.exited {
            self.expect_last_words();
        }
        AgentEvent::of(AgentEventKind::Resubscribed)
    }
}

/// Whether opening the stream again may help.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Truncated
            | ErrorKind::Timeout
            | ErrorKind::Connect
            | ErrorKind::Connection
            | ErrorKind::Unavailable
            | ErrorKind::RateLimited
            | ErrorKind::Internal
    )
}

impl Stream for AgentEvents {
    type Item = Result<AgentEvent>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for AgentEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentEvents")
            .field("agent", &self.agent.id())
            .field("request_id", &self.request_id())
            .field("ended", &(self.stream.is_closed() && self.reopening.is_none()))
            .finish_non_exhaustive()
    }
}
