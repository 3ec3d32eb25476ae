//! One turn of a live agent: the messages that answer a prompt, pulled, and what they come to.

mod result;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use stromboli_messages::{Message, OriginKind, ResultMessage};

pub(crate) use result::FailedTurn;
pub use result::TurnResult;

use crate::agent_events::{AgentEvent, AgentEventKind, AgentEvents};
use crate::error::{Error, ErrorKind, MAX_BODY, Result};

/// The messages with which a live agent answers one prompt, from [`AgentHandle::send`](crate::AgentHandle::send).
///
/// Read them with [`try_next`](Self::try_next), as a [`Stream`], or to their end with [`finish`](Self::finish). The prompt
/// is never sent again, whatever happens to the connection. Dropping a turn stops listening; the agent goes on with it,
/// and refuses the next prompt until it is done.
pub struct Turn {
    events: AgentEvents,
    id: String,
    /// The result has come: whatever happens now, nothing of the turn is missing.
    has_result: bool,
    /// Something of the turn has come.
    has_begun: bool,
    /// Turns of others that began in the meantime.
    others: u32,
    /// Why the agent's process ends. What it has said may still be on its way.
    exit: Option<String>,
    over: bool,
    diagnostics: VecDeque<String>,
    diagnostic_bytes: usize,
    max_bytes: usize,
}

impl Turn {
    pub(crate) fn new(mut events: AgentEvents, id: String, max_bytes: usize) -> Self {
        // From here on, a prompt is being worked on.
        events.stream().executed = true;
        Self {
            events,
            id,
            has_result: false,
            has_begun: false,
            others: 0,
            exit: None,
            over: false,
            diagnostics: VecDeque::new(),
            diagnostic_bytes: 0,
            max_bytes,
        }
    }

    /// The id that the server gave the turn.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How long the server may be silent, instead of [`Timeouts::stream_idle`](crate::Timeouts::stream_idle). It sends no
    /// heartbeats: an agent that waits for a tool is silent too.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.events = self.events.idle_timeout(timeout);
        self
    }

    /// The next message; `None` after the turn's end. The last one is the result.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stood. After [`ErrorKind::Lagged`] the turn
    /// goes on as well: call again.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let mut turn = agent.send("Look at the failing test").await?;
    /// while let Some(message) = turn.try_next().await? {
    ///     println!("{}", message.type_name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Lagged`] where messages are missing that were not read fast enough (the server keeps 32 events, WIRE
    /// §11) or that the server cut because they were above 10 MiB; [`ErrorKind::Incomplete`] for a turn that ended without a result;
    /// [`ErrorKind::AgentExited`] when the agent exited in mid-turn; [`ErrorKind::Truncated`] when the connection was lost;
    /// [`is_timeout`](Error::is_timeout) after a silence of [`idle_timeout`](Self::idle_timeout). What the agent printed
    /// beside its messages is then in [`Error::body`].
    pub async fn try_next(&mut self) -> Result<Option<Message>> {
        std::future::poll_fn(|cx| self.poll_message(cx)).await.transpose()
    }

    /// Reads what is left of the turn and gives what it comes to; messages that were read before are not in it. How the
    /// agent itself fared is its [`outcome`](TurnResult::outcome).
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let result = agent.send("Fix it").await?.finish().await?;
    /// println!("{}", result.ok()?.text);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next), without [`ErrorKind::Lagged`], which is [`TurnResult::is_complete`] here;
    /// [`ErrorKind::TooLarge`] for messages above
    /// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes) in all. What the agent said so far is then in
    /// [`Error::body`], and what it printed beside that.
    pub async fn finish(mut self) -> Result<TurnResult> {
        let mut collected = result::Collected::new(self.max_bytes);
        loop {
            match self.try_next().await {
                Ok(Some(message)) => {
                    if !collected.push(message) {
                        let limit = self.max_bytes;
                        let message =
                            format!("turn has more than {limit} bytes, see ClientBuilder::max_response_bytes");
                        let error = self.fail(ErrorKind::TooLarge, message);
                        return Err(error.with_body(collected.text().as_bytes()));
                    }
                }
                Ok(None) => break,
                // The turn goes on after a hole, and after an event that cannot be read.
                Err(_) if !self.over => collected.lag(),
                Err(error) => {
                    let text = collected.text();
                    return Err(match (text.is_empty(), self.diagnostics.is_empty()) {
                        (true, _) => error,
                        (false, true) => error.with_body(text.as_bytes()),
                        (false, false) => error.with_body(format!("{text}\n\n{}", self.printed()).as_bytes()),
                    });
                }
            }
        }
        Ok(collected.into_result(self.diagnostics.into()))
    }

    /// Lines that the agent printed beside its messages, on either of its outputs; of many the last 64 KiB.
    pub fn diagnostics(&self) -> impl Iterator<Item = &str> {
        self.diagnostics.iter().map(String::as_str)
    }

    /// The server's id of the request that listens, to be found in its log (WIRE §2).
    pub fn request_id(&self) -> Option<&str> {
        self.events.request_id()
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message>>> {
        loop {
            if self.over {
                return Poll::Ready(None);
            }
            let item = match ready!(self.events.poll_event(cx)) {
                Some(Ok(event)) => self.message_of(event),
                // The answer is whole, and what became of the connection after that is of no interest.
                None | Some(Err(_)) if self.has_result => self.end(),
                None | Some(Err(_)) if self.exit.is_some() => {
                    let reason = self.exit.take().unwrap_or_default();
                    Some(Err(self.fail(
                        ErrorKind::AgentExited,
                        format!("{reason}, in the middle of a turn"),
                    )))
                }
                Some(Err(error)) => {
                    self.over = self.events.stream().is_closed();
                    Some(Err(self.with_diagnostics(error)))
                }
                None => Some(Err(
                    self.fail(ErrorKind::Truncated, "agent's events ended before the turn")
                )),
            };
            if let Some(item) = item {
                return Poll::Ready(Some(item));
            }
        }
    }

    /// What an event means for this turn, if anything.
    fn message_of(&mut self, AgentEvent { turn_id, kind, .. }: AgentEvent) -> Option<Result<Message>> {
        let mine = turn_id.as_deref() == Some(&self.id);
        self.has_begun |= mine;
        match kind {
            AgentEventKind::Message(message) if mine => {
                if message.as_result().is_some_and(answers_a_prompt) {
                    self.has_result = true;
                    // The turn's end comes right after it, unless it was lost.
                    self.events.stream().be_impatient(AFTER_RESULT);
                }
                Some(Ok(message))
            }
            AgentEventKind::LineCut(_) if mine => Some(Err(self.gap("server left out a message above 10 MiB"))),
            AgentEventKind::Lagged if !self.has_result => {
                Some(Err(self.gap("messages are missing that were not read fast enough")))
            }
            AgentEventKind::Line(line) if mine && !line.is_empty() => self.note(line),
            AgentEventKind::Stderr(line) if mine || turn_id.is_none() => self.note(line),
            AgentEventKind::TurnEnd if mine => self.end_of_turn(),
            // The agent is at another turn. One may have been going on when this one was sent, or two; then it was missed.
            AgentEventKind::TurnStart if !mine => {
                self.others += 1;
                if self.has_begun || self.others > 2 {
                    return self.end_of_turn();
                }
                None
            }
            AgentEventKind::Message(_) | AgentEventKind::TurnEnd if !mine && self.has_begun && turn_id.is_some() => {
                self.end_of_turn()
            }
            AgentEventKind::Exited(reason) => {
                let reason = reason.unwrap_or_else(|| "process has exited".to_owned());
                self.exit.get_or_insert(reason);
                None
            }
            _ => None,
        }
    }

    fn end_of_turn(&mut self) -> Option<Result<Message>> {
        if self.has_result {
            return self.end();
        }
        Some(Err(self.fail(ErrorKind::Incomplete, NO_RESULT)))
    }

    fn end<T>(&mut self) -> Option<T> {
        self.over = true;
        self.events.stream().close();
        None
    }

    /// Keeps a line for whoever looks for the cause of a failure.
    fn note<T>(&mut self, mut line: String) -> Option<T> {
        if line.len() > MAX_LINE {
            let start = (line.len() - MAX_LINE..).find(|at| line.is_char_boundary(*at));
            line.drain(..start.unwrap_or_default());
        }
        self.diagnostic_bytes += line.len() + 1;
        self.diagnostics.push_back(line);
        while self.diagnostic_bytes > MAX_BODY {
            let dropped = self.diagnostics.pop_front()?;
            self.diagnostic_bytes -= dropped.len() + 1;
        }
        None
    }

    fn printed(&self) -> String {
        let lines: Vec<&str> = self.diagnostics().collect();
        lines.join("\n")
    }

    /// A hole, after which the turn goes on.
    fn gap(&mut self, message: impl Into<String>) -> Error {
        self.events.stream().error(ErrorKind::Lagged, message, b"")
    }

    fn fail(&mut self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.over = true;
        let error = self.events.stream().fail(kind, message, b"");
        self.with_diagnostics(error)
    }

    fn with_diagnostics(&self, error: Error) -> Error {
        if self.diagnostics.is_empty() {
            return error;
        }
        error.with_body(self.printed().as_bytes())
    }
}

const NO_RESULT: &str = "turn ended and its result did not come";
/// How much is kept of one line of diagnostics: its end.
const MAX_LINE: usize = MAX_BODY / 4;
/// How long the turn's end may take after its result.
const AFTER_RESULT: Duration = Duration::from_secs(5);

/// Whether it ends the turn of a prompt, and not one that the agent began by itself when a task in the background ended. The
/// server takes that one, too, for the end of the turn that it is in.
fn answers_a_prompt(result: &ResultMessage) -> bool {
    let origin = result.origin.as_ref().and_then(|origin| origin.kind.as_ref());
    origin != Some(&OriginKind::TaskNotification)
}

impl Stream for Turn {
    type Item = Result<Message>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx)
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("id", &self.id)
            .field("ended", &self.over)
            .finish_non_exhaustive()
    }
}
