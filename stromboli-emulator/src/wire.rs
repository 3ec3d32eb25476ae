//! The socket under hyper: what hyper refuses by itself is refused in Go's words, and the last answer gets through.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::outlet::Outlet;
use crate::state::lock;

/// More than hyper's own answers have, in bytes, and less than is worth looking through.
const LONGEST_REFUSAL: usize = 1024;
/// How long a closed connection is still read from.
const LINGER: Duration = Duration::from_millis(500);

/// Who wants to know what becomes of the bytes of the response on its way.
pub(crate) type Slot = Arc<Mutex<Option<Outlet>>>;

/// A connection that holds hyper's own refusals back.
pub(crate) struct Wire {
    stream: TcpStream,
    /// Hyper does not write any more.
    taken_over: bool,
    /// The status line of the refusal, without the version.
    refused: Option<&'static str>,
    outlet: Slot,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, outlet: Slot) -> Self {
        Self {
            stream,
            taken_over: false,
            refused: None,
            outlet,
        }
    }

    fn report(&self, report: fn(&Outlet)) {
        lock(&self.outlet).as_ref().map(report);
    }

    /// From now on, whatever is written goes out.
    pub(crate) fn take_over(&mut self) {
        self.taken_over = true;
    }

    /// Ends the connection so that the other end sees an error.
    pub(crate) fn reset(self) {
        reset(self.stream);
    }

    /// Ends the connection, after a refusal if hyper had one.
    pub(crate) async fn close(mut self) {
        // An error means that the client is gone, and then there is nothing left to do.
        let _ = self.say_goodbye().await;
    }

    async fn say_goodbye(&mut self) -> io::Result<()> {
        if let Some(status) = self.refused {
            let head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
            let answer = format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{status}");
            self.stream.write_all(answer.as_bytes()).await?;
        }
        self.stream.shutdown().await?;
        // Closing while the client still sends would reset the connection, and the answer could be lost with it.
        let mut nowhere = tokio::io::sink();
        let rest = tokio::io::copy(&mut self.stream, &mut nowhere);
        let _ = tokio::time::timeout(LINGER, rest).await;
        Ok(())
    }
}

/// Ends a connection so that the other end sees an error. If the system does not do so, it sees the end.
pub(crate) fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// What Go says in the place of this head, if it is an answer that hyper gives by itself: it has no headers but hyper's
/// own, where an answer of ours has an id.
fn refusal(head: &[u8]) -> Option<&'static str> {
    if head.len() > LONGEST_REFUSAL {
        return None;
    }
    let head = str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let (status, headers) = head.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    let is_hypers = |header: &str| {
        let name = header.split(':').next().unwrap_or_default();
        ["connection", "content-length", "date"].contains(&name.to_ascii_lowercase().as_str())
    };
    if !headers.split("\r\n").all(is_hypers) {
        return None;
    }
    match status.get(..3)? {
        "400" => Some("400 Bad Request"),
        // Go knows no other limit than that of the whole head.
        "414" | "431" => Some("431 Request Header Fields Too Large"),
        _ => None,
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(status) = refusal(buf).filter(|_| !self.taken_over) {
            self.refused = Some(status);
            return Poll::Ready(Ok(buf.len()));
        }
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.report(if wrote.is_ready() { Outlet::fill } else { Outlet::stall });
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.report(Outlet::flush);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
