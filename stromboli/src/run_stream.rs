//! The output of a run as it comes: a value that is pulled, with no task and no channel behind it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_core::Stream;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use stromboli_generated::types::{RunStatus, RunStreamEnd};
use stromboli_generated::{ByteStream, ResponseValue};
use tokio::time::Sleep;

use crate::error::{BODY_TIME, Error, ErrorKind, MAX_BODY, Result, refused_before_execution, without_values};
use crate::sse::Decoder;

const OPERATION: &str = "run_stream";

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
    /// None after the end.
    body: Option<Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>>,
    chunk: Bytes,
    decoder: Decoder,
    idle: Duration,
    /// Runs from when the caller first waits for the server to when the next bytes come.
    silence: Option<Silence>,
    has_output: bool,
    max_text_bytes: usize,
    status: StatusCode,
    headers: HeaderMap,
}

/// How long the server has been silent so far.
struct Silence {
    timer: Pin<Box<Sleep>>,
    /// The time is up, and what may have arrived while this process was held up gets a moment to come in.
    overdue: bool,
}

/// That moment. The timer and the socket may be ready at once, and the task that reads the socket runs after ours.
const GRACE: Duration = Duration::from_millis(100);

impl RunStream {
    /// Takes over a response that claims to be a stream.
    pub(crate) async fn open(
        response: ResponseValue<ByteStream>,
        idle: Duration,
        max_event_bytes: usize,
        max_text_bytes: usize,
    ) -> Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("none")
            .to_owned();
        let mut stream = Self {
            body: Some(response.into_inner_stream()),
            chunk: Bytes::new(),
            decoder: Decoder::new().lone_cr_is_data().max_event_bytes(max_event_bytes),
            idle,
            silence: None,
            has_output: false,
            max_text_bytes,
            status,
            headers,
        };
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("text/event-stream") {
            return Ok(stream);
        }
        let body = stream.first_bytes().await;
        let message = format!("response is not an event stream but {content_type}");
        Err(stream.fail(ErrorKind::Decode, message, &body))
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
    /// [`ErrorKind::Truncated`] when the connection ends before the run; [`is_timeout`](Error::is_timeout) after a
    /// silence of [`Timeouts::stream_idle`](crate::Timeouts::stream_idle); [`is_agent_failed`](Error::is_agent_failed) or
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
    /// As [`try_next`](Self::try_next); [`is_agent_failed`](Error::is_agent_failed) for a run that crashed;
    /// [`ErrorKind::TooLarge`] above [`max_response_bytes`](crate::ClientBuilder::max_response_bytes). The beginning of the
    /// output, if there was any, is then in [`Error::body`].
    pub async fn text(mut self) -> Result<String> {
        let mut text = String::new();
        let mut first = true;
        loop {
            match self.try_next().await {
                Ok(Some(RunEvent::Output(line))) if line.len() >= self.max_text_bytes - text.len() => {
                    let limit = self.max_text_bytes;
                    let message = format!("output is larger than {limit} bytes, see ClientBuilder::max_response_bytes");
                    return Err(self.fail(ErrorKind::TooLarge, message, text.as_bytes()));
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
                    return Err(self.fail(ErrorKind::AgentFailed, message, text.as_bytes()));
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
        self.headers.get("x-request-id")?.to_str().ok()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RunEvent>>> {
        loop {
            if self.body.is_none() {
                return Poll::Ready(None);
            }
            if let Some(event) = self.decode() {
                return Poll::Ready(Some(event));
            }
            match ready!(self.poll_chunk(cx)) {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => {
                    let at = if self.decoder.has_partial_event() {
                        "in the middle of an event"
                    } else {
                        "before the run's end"
                    };
                    let error = self.fail(ErrorKind::Truncated, format!("stream ended {at}"), b"");
                    return Poll::Ready(Some(Err(error)));
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    /// The next event of the chunk at hand.
    fn decode(&mut self) -> Option<Result<RunEvent>> {
        let mut input = &self.chunk[..];
        let event = match self.decoder.next(&mut input) {
            Ok(Some(event)) => (event.event.to_owned(), event.data.into_owned()),
            Ok(None) => {
                self.chunk.clear();
                return None;
            }
            Err(error) => {
                let message = format!("{error}, see ClientBuilder::max_event_bytes");
                return Some(Err(self.fail(ErrorKind::TooLarge, message, b"").with_source(error)));
            }
        };
        let consumed = self.chunk.len() - input.len();
        self.chunk.advance(consumed);
        Some(self.typed(event))
    }

    fn typed(&mut self, (event, data): (String, String)) -> Result<RunEvent> {
        match event.as_str() {
            "message" => {
                self.has_output = true;
                Ok(RunEvent::Output(data))
            }
            "done" => match serde_json::from_str(&data) {
                Ok(end) => {
                    self.body = None;
                    Ok(RunEvent::Done(end))
                }
                Err(error) => Err(self.fail(ErrorKind::Decode, without_values(&error), data.as_bytes())),
            },
            // The bare text of what went wrong, and the end of the stream (WIRE §7).
            "error" => {
                let kind = if data.starts_with("execution failed") {
                    ErrorKind::AgentFailed
                } else {
                    ErrorKind::Internal
                };
                let executed = self.has_output || !refused_before_execution(&data);
                let error = self.fail(kind, data.clone(), data.as_bytes());
                Err(error.sent(OPERATION, 1, executed))
            }
            _ => Ok(RunEvent::Other { event, data }),
        }
    }

    /// The next bytes, within the time that the server may be silent.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(Ok(None));
        };
        match body.as_mut().poll_next(cx) {
            Poll::Ready(read) => {
                self.silence = None;
                Poll::Ready(read.transpose().map_err(|error| {
                    // A read timeout of the caller's own HTTP client.
                    let timeout = error.is_timeout();
                    let kind = if timeout {
                        ErrorKind::Timeout
                    } else {
                        ErrorKind::Truncated
                    };
                    self.fail(kind, "connection broke before the run's end", b"")
                        .with_source(error.without_url())
                }))
            }
            Poll::Pending => {
                let idle = self.idle;
                let silence = self.silence.get_or_insert_with(|| Silence {
                    timer: Box::pin(tokio::time::sleep(idle)),
                    overdue: false,
                });
                ready!(silence.timer.as_mut().poll(cx));
                if !silence.overdue {
                    silence.overdue = true;
                    silence.timer = Box::pin(tokio::time::sleep(GRACE));
                    ready!(silence.timer.as_mut().poll(cx));
                }
                let message = format!("server sent nothing for {idle:?}");
                Poll::Ready(Err(self.fail(ErrorKind::Timeout, message, b"")))
            }
        }
    }

    /// As much of the body as an error keeps, for a response that is no stream.
    async fn first_bytes(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        let _ = tokio::time::timeout(BODY_TIME, async {
            while body.len() < MAX_BODY {
                match std::future::poll_fn(|cx| self.poll_chunk(cx)).await {
                    Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                    Ok(None) | Err(_) => break,
                }
            }
        })
        .await;
        body
    }

    /// Ends the stream with an error that keeps what the response said.
    fn fail(&mut self, kind: ErrorKind, message: impl Into<String>, body: &[u8]) -> Error {
        self.body = None;
        Error::new(kind, message)
            .sent(OPERATION, 1, true)
            .with_response(self.status, self.headers.clone(), body)
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
            .field("ended", &self.body.is_none())
            .finish_non_exhaustive()
    }
}
