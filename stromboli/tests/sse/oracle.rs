//! What a decoder says about a stream, and what a literal reading of the standard says. Also compiled into the fuzz target
//! `sse`.

use std::time::Duration;

use stromboli::sse::{Decoder, Error};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) id: String,
    pub(crate) retry: Option<Duration>,
}

/// Everything a decoder says about a stream: its events, then whether one was left unfinished, or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Decoded>,
    pub(crate) end: Result<bool, Error>,
}

pub(crate) fn decode<'a>(mut decoder: Decoder, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
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
pub(crate) fn chunked<'a>(mut input: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
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

/// Where lines end.
#[derive(Clone, Copy)]
pub(crate) enum LineEnds {
    /// At LF, CR LF and CR.
    Standard,
    /// At LF and CR LF: `Decoder::lone_cr_is_data`.
    LoneCrIsData,
}

/// "Interpreting an event stream" over a whole stream, as slow and as close to the standard's steps as can be.
pub(crate) fn oracle(input: &[u8], ends: LineEnds) -> Outcome {
    let ends_in_line = match ends {
        LineEnds::Standard => !matches!(input.last(), None | Some(b'\n' | b'\r')),
        LineEnds::LoneCrIsData => !matches!(input.last(), None | Some(b'\n')),
    };
    // Decode the stream as UTF-8, which takes one byte order mark off.
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let mut stream = String::from_utf8_lossy(input).replace("\r\n", "\n");
    if matches!(ends, LineEnds::Standard) {
        stream = stream.replace('\r', "\n");
    }
    let mut lines: Vec<&str> = stream.split('\n').collect();
    lines.pop(); // A line without an end is dropped.
    let (mut data, mut event_type, mut last_event_id) = (String::new(), String::new(), String::new());
    let mut retry = None;
    let mut events = Vec::new();
    for line in lines {
        if line.is_empty() {
            // Dispatch. The data buffer is empty only if no data field was seen: each appends a line feed.
            if data.is_empty() {
                event_type.clear();
                continue;
            }
            assert_eq!(data.pop(), Some('\n'));
            events.push(Decoded {
                event: if event_type.is_empty() {
                    "message".to_owned()
                } else {
                    event_type.clone()
                },
                data: data.clone(),
                id: last_event_id.clone(),
                retry,
            });
            data.clear();
            event_type.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event_type = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" if !value.contains('\0') => last_event_id = value.to_owned(),
            "retry" if !value.is_empty() && value.chars().all(|digit| digit.is_ascii_digit()) => {
                retry = value.parse().ok().map(Duration::from_millis).or(retry);
            }
            _ => {}
        }
    }
    Outcome {
        events,
        end: Ok(!data.is_empty() || !event_type.is_empty() || ends_in_line),
    }
}
