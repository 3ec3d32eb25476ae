//! Answers with a flaw, written by hand: what no HTTP library writes, byte by byte.

mod dress;
mod head;
mod pieces;

use std::io;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::{StatusCode, Version};
use axum::response::Response;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, WriteHalf};

use crate::fault::{Effect, Fault, Flaw};
use crate::hold::Delay;
use crate::wire::Wire;

use head::Framing;
use pieces::Pieces;

pub(crate) use dress::{dress, status};

/// An answer that hyper shall not write, in the extensions of its response.
#[derive(Clone)]
pub(crate) struct Broken {
    fault: Arc<Fault>,
    /// That of the request.
    version: Version,
    /// The request is a `HEAD`, whose answer has no body.
    is_head: bool,
    /// The answer is the stream of an agent, which may have no end.
    is_endless: bool,
}

/// Why an answer goes no further.
enum Stop {
    /// The fault ends it here.
    Cut,
    /// The client is not there any more.
    Gone,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Broken {
    /// Whether hyper cannot send `fault`'s answer, and keep the connection.
    fn is_needed(fault: &Fault) -> bool {
        let flawless = match &fault.effect {
            Effect::Answer(flaw) => matches!(flaw, Flaw::None),
            // Hyper sends no final answer of such a status.
            Effect::Status(status) => *status >= 200,
            Effect::Silence => true,
        };
        !flawless || fault.by_reset || fault.headers.iter().any(head::is_beyond_hyper)
    }

    /// Writes `response`, and ends the connection as the fault says.
    pub(crate) async fn send(self, response: Response, mut wire: Wire) {
        wire.take_over();
        let (mut reader, mut writer) = tokio::io::split(wire);
        let written = tokio::select! {
            biased;
            written = self.write(response, &mut writer) => written,
            () = gone(&mut reader) => Err(Stop::Gone),
        };
        let wire = reader.unsplit(writer);
        match written {
            Err(Stop::Gone) => {}
            _ if self.fault.by_reset => wire.reset(),
            _ => wire.close().await,
        }
    }

    async fn write(&self, response: Response, to: &mut WriteHalf<Wire>) -> Result<(), Stop> {
        let fault = &*self.fault;
        let flaw = match &fault.effect {
            Effect::Answer(flaw) => flaw,
            Effect::Status(_) | Effect::Silence => &Flaw::None,
        };
        let mut out = Out::new(to, flaw);
        match flaw {
            Flaw::Replaced(bytes) => return out.send(bytes).await,
            Flaw::Informational(status) => out.send(&head::informational(*status)).await?,
            _ => {}
        }
        let (parts, body) = response.into_parts();
        let length = body.size_hint().exact();
        let is_stream = length.is_none();
        let old = self.version == Version::HTTP_10 || matches!(flaw, Flaw::Http10);
        let bare = parts.status.is_informational()
            || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&parts.status);
        let mut pieces = Pieces::new(body);
        let framing = match (flaw, length) {
            _ if bare => Framing::None,
            (Flaw::Length(more), _) if self.is_endless => {
                Framing::Length(pieces.first().await.saturating_add_signed(*more))
            }
            (Flaw::Length(more), _) => Framing::Length(pieces.collect().await.saturating_add_signed(*more)),
            (Flaw::GarbageChunk(_), _) => Framing::Chunks,
            (_, Some(length)) => Framing::Length(length),
            (_, None) if old => Framing::None,
            (_, None) => Framing::Chunks,
        };
        let version = if old { Version::HTTP_10 } else { Version::HTTP_11 };
        out.send(&head::head(version, &parts, framing, fault)).await?;
        match flaw {
            _ if self.is_head => return Ok(()),
            Flaw::CutBody(0) => return Ok(()),
            Flaw::PauseBeforeBody(delay) => delay.pass().await,
            _ => {}
        }

        let mut sent = 0;
        loop {
            if matches!(flaw, Flaw::EndAfter(events) if is_stream && *events == sent) {
                break;
            }
            // A body that breaks off has no proper end either when hyper sends it.
            let Some(piece) = pieces.next().await.transpose().map_err(|_| Stop::Cut)? else {
                break;
            };
            let is_marker = is_stream && pieces::is_end_marker(&piece);
            match flaw {
                Flaw::WithoutEndMarker if is_marker => break,
                Flaw::PauseBetweenChunks(delay) if sent > 0 => delay.pass().await,
                _ => {}
            }
            out.piece(&piece, framing).await?;
            sent += 1;
            match flaw {
                Flaw::Length(_) if self.is_endless => return Ok(()),
                Flaw::GarbageChunk(bytes) => return out.send(bytes).await,
                Flaw::CutAfterEndMarker if is_marker => return Ok(()),
                _ => {}
            }
        }
        if matches!(framing, Framing::Chunks) {
            out.send(b"0\r\n\r\n").await?;
        }
        Ok(())
    }
}

/// Returns when the other end has closed the connection or broken it.
async fn gone(reader: &mut (impl AsyncRead + Unpin)) {
    let mut scrap = [0; 1024];
    while let Ok(1..) = reader.read(&mut scrap).await {}
}

/// The way to the client, as long as a fault leaves it.
struct Out<'a> {
    to: &'a mut WriteHalf<Wire>,
    left: u64,
    left_of_body: u64,
    drip: Option<&'a Delay>,
}

impl<'a> Out<'a> {
    fn new(to: &'a mut WriteHalf<Wire>, flaw: &'a Flaw) -> Self {
        Self {
            to,
            left: match flaw {
                Flaw::Cut(bytes) => *bytes,
                _ => u64::MAX,
            },
            left_of_body: match flaw {
                Flaw::CutBody(bytes) => *bytes,
                _ => u64::MAX,
            },
            drip: match flaw {
                Flaw::Drip(delay) => Some(delay),
                _ => None,
            },
        }
    }

    /// A piece of the body.
    async fn piece(&mut self, piece: &[u8], framing: Framing) -> Result<(), Stop> {
        if piece.is_empty() {
            return Ok(());
        }
        let content = up_to(piece, &mut self.left_of_body);
        let is_chunk = matches!(framing, Framing::Chunks);
        if is_chunk {
            self.send(format!("{:X}\r\n", piece.len()).as_bytes()).await?;
        }
        self.send(content).await?;
        if self.left_of_body == 0 {
            return Err(Stop::Cut);
        }
        if is_chunk {
            self.send(b"\r\n").await?;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let bytes = up_to(bytes, &mut self.left);
        match self.drip {
            Some(delay) => {
                for byte in bytes.chunks(1) {
                    delay.pass().await;
                    self.put(byte).await?;
                }
            }
            None => self.put(bytes).await?,
        }
        if self.left == 0 { Err(Stop::Cut) } else { Ok(()) }
    }

    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes).await?;
        self.to.flush().await
    }
}

/// As many of `bytes` as are `left`, which are then no longer left.
fn up_to<'a>(bytes: &'a [u8], left: &mut u64) -> &'a [u8] {
    let most = usize::try_from(*left).unwrap_or(usize::MAX);
    let taken = bytes.get(..most).unwrap_or(bytes);
    *left -= taken.len() as u64;
    taken
}
