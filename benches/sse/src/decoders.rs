//! The decoders, each from a stream of chunks to its events. An event's data is looked at, but not kept.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, stream};

#[cfg(feature = "eventsource-client")]
mod eventsource_client;

/// Decodes a stream; the bytes of all data that came out.
pub type Decode = fn(&[Bytes]) -> usize;

pub const OURS: (&str, Decode) = ("stromboli", stromboli);
pub const FLOOR: &str = "memchr, line ends only";
pub const SSE_STREAM: &str = "sse-stream";
pub const EVENTSOURCE_STREAM: &str = "eventsource-stream";
pub const PEERS: &[(&str, Decode)] = &[
    (SSE_STREAM, sse_stream),
    ("sseer", sseer),
    // Also the decoder of reqwest-eventsource.
    (EVENTSOURCE_STREAM, eventsource_stream),
    #[cfg(feature = "eventsource-client")]
    ("eventsource-client", eventsource_client::decode),
    (FLOOR, line_ends),
];

fn body(chunks: &[Bytes]) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(chunks.iter().cloned().map(Ok))
}

/// Runs what never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("chunks are there at once")
}

fn stromboli(chunks: &[Bytes]) -> usize {
    decode_with(&mut stromboli::sse::Decoder::new(), chunks)
}

/// Ours with a decoder that may have been used before.
pub fn decode_with(decoder: &mut stromboli::sse::Decoder, chunks: &[Bytes]) -> usize {
    let mut body = pin!(body(chunks));
    ready(async {
        let mut total = 0;
        while let Some(Ok(chunk)) = body.next().await {
            let mut input = &chunk[..];
            while let Some(event) = decoder.next(&mut input).expect("legal events") {
                total += black_box(&*event.data).len();
            }
        }
        total
    })
}

fn sse_stream(chunks: &[Bytes]) -> usize {
    let mut events = pin!(sse_stream::SseByteStream::new(body(chunks)));
    ready(async {
        let mut total = 0;
        while let Some(event) = events.next().await {
            total += black_box(event.expect("legal events").data.as_deref().unwrap_or_default()).len();
        }
        total
    })
}

fn sseer(chunks: &[Bytes]) -> usize {
    let mut events = pin!(sseer::event_stream::EventStream::new(body(chunks)));
    ready(async {
        let mut total = 0;
        while let Some(event) = events.next().await {
            total += black_box(&*event.expect("legal events").data).len();
        }
        total
    })
}

fn eventsource_stream(chunks: &[Bytes]) -> usize {
    let mut events = pin!(eventsource_stream::EventStream::new(body(chunks)));
    ready(async {
        let mut total = 0;
        while let Some(event) = events.next().await {
            total += black_box(&*event.expect("legal events").data).len();
        }
        total
    })
}

/// What no decoder can do without.
fn line_ends(chunks: &[Bytes]) -> usize {
    chunks
        .iter()
        .map(|chunk| memchr::memchr_iter(b'\n', black_box(chunk)).count())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{CASES, CHUNKS};

    #[test]
    fn all_decoders_find_the_same() {
        for case in CASES {
            for chunk in CHUNKS {
                let chunks = case.chunks(chunk.bytes);
                for &(name, decode) in PEERS {
                    if name != FLOOR && !case.is_too_much(name, chunk) {
                        assert_eq!(
                            decode(&chunks),
                            (OURS.1)(&chunks),
                            "{name}, {}, {}",
                            case.name,
                            chunk.name
                        );
                    }
                }
            }
        }
    }
}
