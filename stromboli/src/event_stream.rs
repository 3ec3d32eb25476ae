//! The events of one open response: bytes, frames and silence, pulled by whoever reads. What the events mean is for the
//! streams that are made of it to say.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use stromboli_generated::{ByteStream, ResponseValue};
use tokio::time::{Instant, Sleep};

use crate::error::{BODY_TIME, Error, ErrorKind, MAX_BODY, Result};
use crate::sse::Decoder;

pub(crate) struct EventStream {
    operation: &'static str,
    /// Whether what this stream belongs to runs an agent.
    pub(crate) executed: bool,
    /// None after the end.
    body: Option<Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>>,
    chunk: Bytes,
    decoder: Decoder,
    idle: Duration,
    /// Runs from when the caller first waits for the server to when the next bytes come.
    silence: Option<Silence>,
    /// Status and headers.
    head: ResponseValue<()>,
}

/// The error of a response that is no stream of events, when the beginning of its body is there.
pub(crate) type NoStream = Pin<Box<dyn Future<Output = Error> + Send>>;

/// How long the server may still be silent.
struct Silence {
    /// Goes on over many silences, and is only set anew when it runs out: one for each event would be made, registered and
    /// dropped with it.
    timer: Pin<Box<Sleep>>,
    /// When this silence will have been too long; none while bytes come.
    end: Option<Instant>,
    /// The time is up, and what may have arrived while this process was held up gets a moment to come in.
    overdue: bool,
}

/// That moment. The timer and the socket may be ready at once, and the task that reads the socket runs after ours.
const GRACE: Duration = Duration::from_millis(100);

impl EventStream {
    /// Takes over a response, or reads what it is instead of a stream. Not an `async fn`, in whose future the stream would lie
    /// before it is moved out.
    pub(crate) fn open(
        operation: &'static str,
        executed: bool,
        response: ResponseValue<ByteStream>,
        decoder: Decoder,
        idle: Duration,
    ) -> Result<Box<Self>, NoStream> {
        let mut body = None;
        let Ok(head) = response.map::<_, _, Infallible>(|stream| body = Some(stream.into_inner()));
        let stream = Box::new(Self {
            operation,
            executed,
            body,
            chunk: Bytes::new(),
            decoder,
            idle,
            silence: None,
            head,
        });
        if stream.is_of_events() {
            Ok(stream)
        } else {
            Err(Box::pin(stream.into_error()))
        }
    }

    fn is_of_events(&self) -> bool {
        let content_type = self
            .head
            .headers()
            .get(CONTENT_TYPE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
    }

    async fn into_error(mut self: Box<Self>) -> Error {
        let body = self.first_bytes().await;
        let content_type = self.head.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let message = format!("response is not an event stream but {}", content_type.unwrap_or("none"));
        self.fail(ErrorKind::Decode, message, &body)
    }

    /// What `read` makes of the next event's name and data; `None` at the end of the response, wherever that is, and
    /// after [`close`](Self::close) and any error.
    // Beside its caller, where all other code for `T` is.
    #[inline]
    pub(crate) fn poll_event<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl Fn(&str, Cow<'_, str>) -> T,
    ) -> Poll<Result<Option<T>>> {
        let mut event = None;
        let polled = self.poll_read(cx, &mut |name, data| event = Some(read(name, data)));
        polled.map_ok(|()| event)
    }

    /// Lets `read` have the next event, if there is one.
    fn poll_read(&mut self, cx: &mut Context<'_>, read: &mut dyn FnMut(&str, Cow<'_, str>)) -> Poll<Result<()>> {
        loop {
            if self.is_closed() {
                return Poll::Ready(Ok(()));
            }
            let mut input = &self.chunk[..];
            match self.decoder.next(&mut input) {
                Ok(Some(event)) => {
                    read(event.event, event.data);
                    let consumed = self.chunk.len() - input.len();
                    self.chunk.advance(consumed);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => {}
                Err(error) => {
                    let message = format!("{error}, see ClientBuilder::max_event_bytes");
                    let error = self.fail(ErrorKind::TooLarge, message, b"").with_source(error);
                    return Poll::Ready(Err(error));
                }
            }
            // Not `clear`, which keeps the buffer that the chunk is a piece of: 8 KiB for each stream that waits.
            self.chunk = Bytes::new();
            match ready!(self.poll_chunk(cx))? {
                Some(chunk) => self.chunk = chunk,
                None => self.body = None,
            }
        }
    }

    /// How long the server may be silent.
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    /// Sets how long the server may be silent, from now on.
    pub(crate) fn set_idle(&mut self, idle: Duration) {
        self.idle = idle;
        self.silence = None;
    }

    /// Waits no longer than this for what follows.
    pub(crate) fn be_impatient(&mut self, patience: Duration) {
        if patience < self.idle {
            self.set_idle(patience);
        }
    }

    /// Whether nothing more can come.
    pub(crate) fn is_closed(&self) -> bool {
        self.body.is_none()
    }

    /// Closes the connection; what was read and not yet decoded is dropped.
    pub(crate) fn close(&mut self) {
        self.body = None;
        self.chunk = Bytes::new();
    }

    /// The error of a response that ended before `end`.
    pub(crate) fn ended_before(&mut self, end: &str) -> Error {
        let at = if self.decoder.has_partial_event() {
            "in the middle of an event".to_owned()
        } else {
            format!("before {end}")
        };
        self.fail(ErrorKind::Truncated, format!("stream ended {at}"), b"")
    }

    /// The server's id of the request.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.head.headers().get("x-request-id")?.to_str().ok()
    }

    /// Ends the stream with an error that keeps what the response said.
    pub(crate) fn fail(&mut self, kind: ErrorKind, message: impl Into<String>, body: &[u8]) -> Error {
        self.close();
        self.error(kind, message, body)
    }

    /// An error that does not end the stream.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>, body: &[u8]) -> Error {
        Error::new(kind, message)
            .sent(self.operation, 1, self.executed)
            .with_response(self.head.status(), self.head.headers().clone(), body)
    }

    /// The next bytes, within the time that the server may be silent.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(Ok(None));
        };
        match body.as_mut().poll_next(cx) {
            Poll::Ready(read) => {
                if let Some(silence) = &mut self.silence {
                    silence.end = None;
                    silence.overdue = false;
                }
                Poll::Ready(read.transpose().map_err(|error| {
                    // A read timeout of the caller's own HTTP client.
                    let timeout = error.is_timeout();
                    let kind = if timeout {
                        ErrorKind::Timeout
                    } else {
                        ErrorKind::Truncated
                    };
                    self.fail(kind, "connection broke before the stream's end", b"")
                        .with_source(error.without_url())
                }))
            }
            Poll::Pending => {
                let idle = self.idle;
                let silence = match &mut self.silence {
                    Some(silence) => silence,
                    none => {
                        // Not earlier: the first event may have come with the head, and would wait for this.
                        self.head = without_buffer(&self.head);
                        none.insert(Silence {
                            timer: Box::pin(tokio::time::sleep(idle)),
                            end: None,
                            overdue: false,
                        })
                    }
                };
                let end = *silence.end.get_or_insert_with(|| tokio::time::sleep(idle).deadline());
                ready!(silence.timer.as_mut().poll(cx));
                if Instant::now() < end {
                    silence.timer.as_mut().reset(end);
                    ready!(silence.timer.as_mut().poll(cx));
                }
                if !silence.overdue {
                    silence.overdue = true;
                    silence.timer.as_mut().reset(Instant::now() + GRACE);
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
}

/// A head without the buffer that it was read into, whose 8 KiB each value would keep as long as the stream is open.
fn without_buffer(head: &ResponseValue<()>) -> ResponseValue<()> {
    let mut headers = head.headers().clone();
    let bytes = headers.values().map(HeaderValue::len).sum();
    let mut values = BytesMut::with_capacity(bytes);
    for value in headers.values_mut() {
        values.extend_from_slice(value.as_bytes());
        // What was a value is one.
        if let Ok(copy) = HeaderValue::from_maybe_shared(values.split().freeze()) {
            *value = copy;
        }
    }
    ResponseValue::new((), head.status(), headers)
}

#[cfg(test)]
mod tests;
