//! The output of a run as it comes: a value that is pulled, with no task and no channel behind it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use stromboli_generated::types::{RunStatus, RunStreamEnd};

use crate::error::{ErrorKind, Result, refused_before_execution, without_values};
use crate::event_stream::EventStream;

/// What a [`RunStream`] yields.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// One line that the agent printed, on either of its outputs, without its line end (WIRE §7).
    Output(String),
    /// The run's end; nothing follows. A crashed run ends here too, with `status` `crashed`.
    Done(RunStreamEnd),
    /// An event that this version does not know.
    Other {
        /// Its name.
        event: String,
        /// Its data.
        data: String,
    },
}

/// A run whose output is being read, from [`Client::stream`](crate::Client::stream).
///
/// Read it with [`try_next`](Self::try_next), as a [`Stream`], or to its end with [`text`](Self::text). Dropping it
/// closes the connection, and with it the run. It never reconnects, because that would run the prompt again: a stream
/// that ends before its end is an [`ErrorKind::Truncated`]. After an error or [`RunEvent::Done`] there is nothing more.
pub struct RunStream {
    events: Box<EventStream>,
    has_output: bool,
    max_text_bytes: usize,
}

impl RunStream {
    pub(crate) fn new(events: Box<EventStream>, max_text_bytes: usize) -> Self {
        Self {
            events,
            has_output: false,
            max_text_bytes,
        }
    }

    /// The next event; `None` after the end.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stood.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut run = client.stream("Count to ten").await?;
    /// while let Some(event) = run.try_next().await? {
    ///     println!("{event:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the connection ends before the run; [`is_timeout`](crate::Error::is_timeout) after a
    /// silence of [`Timeouts::stream_idle`](crate::Timeouts::stream_idle); [`is_agent_failed`](crate::Error::is_agent_failed) or
    /// [`ErrorKind::Internal`] with the server's words when it could not run the agent to its end;
    /// [`ErrorKind::TooLarge`] for an event above the limit.
    pub async fn try_next(&mut self) -> Result<Option<RunEvent>> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await.transpose()
    }

    /// Reads the run to its end and gives its whole output, lines joined by line feeds.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let story = client.stream("Tell a story").await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next); [`is_agent_failed`](crate::Error::is_agent_failed) for a run that crashed;
    /// [`ErrorKind::TooLarge`] above [`max_response_bytes`](crate::ClientBuilder::max_response_bytes). The beginning of the
    /// output, if there was any, is then in [`Error::body`](crate::Error::body).
    pub async fn text(mut self) -> Result<String> {
        let mut text = String::new();
        let mut first = true;
        loop {
            match self.try_next().await {
                Ok(Some(RunEvent::Output(line))) if line.len() >= self.max_text_bytes - text.len() => {
                    let limit = self.max_text_bytes;
                    let message = format!("output is larger than {limit} bytes, see ClientBuilder::max_response_bytes");
                    return Err(self.events.fail(ErrorKind::TooLarge, message, text.as_bytes()));
                }
                Ok(Some(RunEvent::Output(line))) => {
                    if !std::mem::take(&mut first) {
                        text.push('\n');
                    }
                    text.push_str(&line);
                }
                Ok(Some(RunEvent::Done(end))) if end.status == RunStatus::Completed => return Ok(text),
                Ok(Some(RunEvent::Done(end))) => {
                    let message = format!("agent ended with status {}", end.status);
                    return Err(self.events.fail(ErrorKind::AgentFailed, message, text.as_bytes()));
                }
                Ok(Some(RunEvent::Other { .. })) => {}
                // `try_next` gives no end without `Done`.
                Ok(None) => return Ok(text),
                Err(error) if text.is_empty() => return Err(error),
                Err(error) => return Err(error.with_body(text.as_bytes())),
            }
        }
    }

    /// The server's id of the request, to be found in its log (WIRE §2).
    pub fn request_id(&self) -> Option<&str> {
        self.events.request_id()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RunEvent>>> {
        if self.events.is_closed() {
            return Poll::Ready(None);
        }
        // Name and text alone, because a `RunEvent` is five times as large to be handed on.
        let read = self.events.poll_event(cx, |name, data| {
            let name = (name != "message").then(|| name.to_owned());
            (name, data.into_owned())
        });
        Poll::Ready(Some(match ready!(read) {
            Ok(Some((name, data))) => self.typed(name, data),
            Ok(None) => Err(self.events.ended_before("the run's end")),
            Err(error) => Err(error),
        }))
    }

    fn typed(&mut self, name: Option<String>, data: String) -> Result<RunEvent> {
        let Some(event) = name else {
            self.has_output = true;
            return Ok(RunEvent::Output(data));
        };
        match event.as_str() {
            "done" => match stromboli_generated::run_stream_end(&data) {
                Ok(end) => {
                    self.events.close();
                    Ok(RunEvent::Done(end))
                }
                Err(error) => Err(self
                    .events
                    .fail(ErrorKind::Decode, without_values(&error), data.as_bytes())),
            },
            // The bare text of what went wrong, and the end of the stream (WIRE §7).
            "error" => {
                let kind = if data.starts_with("execution failed") {
                    ErrorKind::AgentFailed
                } else {
                    ErrorKind::Internal
                };
                self.events.executed = self.has_output || !refused_before_execution(&data);
                Err(self.events.fail(kind, data.clone(), data.as_bytes()))
            }
            _ => Ok(RunEvent::Other { event, data }),
        }
    }
}

impl Stream for RunStream {
    type Item = Result<RunEvent>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for RunStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream")
            .field("request_id", &self.request_id())
            .field("ended", &self.events.is_closed())
            .finish_non_exhaustive()
    }
}
