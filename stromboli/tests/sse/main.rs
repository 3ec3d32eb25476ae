//! `sse::Decoder` against the shared vectors, a literal reading of the standard, and its own bounds.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use stromboli::sse::{Decoder, Error};

mod bounds;
mod lone_cr;
mod standard;
mod vectors;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Decoded {
    event: String,
    data: String,
    id: String,
    retry: Option<Duration>,
}

/// Everything a decoder says about a stream: its events, then whether one was left unfinished, or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    events: Vec<Decoded>,
    end: Result<bool, Error>,
}

fn decode<'a>(mut decoder: Decoder, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut events = Vec::new();
    for mut input in chunks {
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => events.push(Decoded {
                    event: event.event.to_owned(),
                    data: event.data.into_owned(),
                    id: event.id.to_owned(),
                    retry: event.retry,
                }),
                Ok(None) => break,
                Err(error) => {
                    return Outcome {
                        events,
                        end: Err(error),
                    };
                }
            }
        }
        assert!(input.is_empty(), "all input is taken");
    }
    Outcome {
        events,
        end: Ok(decoder.has_partial_event()),
    }
}

/// Cuts `input` into chunks of these sizes, again and again.
fn chunked<'a>(mut input: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        if input.is_empty() {
            break;
        }
        let (chunk, rest) = input.split_at(input.len().min(*size));
        chunks.push(chunk);
        input = rest;
    }
    chunks
}
