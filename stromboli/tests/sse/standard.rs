//! Random streams against a literal reading of the standard.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed};
use stromboli::sse::Decoder;

use crate::{Decoded, Outcome, chunked, decode};

/// "Interpreting an event stream" over a whole stream, as slow and as close to the standard's steps as can be.
pub(crate) fn oracle(input: &[u8]) -> Outcome {
    let ends_in_line = !matches!(input.last(), None | Some(b'\n' | b'\r'));
    // Decode the stream as UTF-8, which takes one byte order mark off.
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let stream = String::from_utf8_lossy(input).replace("\r\n", "\n").replace('\r', "\n");
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

#[test]
fn a_reconnection_time_that_is_no_number_leaves_the_last_one() {
    for invalid in ["", " ", "x", "1s", "+1", "-1", "1.5", "99999999999999999999", "\u{661}"] {
        let stream = format!("retry: 007\nretry: {invalid}\ndata\n\n");
        let outcome = decode(Decoder::new(), [stream.as_bytes()]);
        assert_eq!(outcome, oracle(stream.as_bytes()));
        assert_eq!(outcome.events[0].retry, Some(Duration::from_millis(7)), "{invalid:?}");
    }
}

/// Streams that are mostly well-formed: few are, when every byte is random.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "data",
        "data",
        "data",
        "event",
        "id",
        "retry",
        "",
        "dat",
        "datas",
        "Data",
        "unknown",
        "\u{feff}data",
    ];
    let separators = [":", ": ", ":  ", "", " :"];
    let values: [&[u8]; 20] = [
        b"",
        b"x",
        b" ",
        b"a:b",
        b"1500",
        b"007",
        b"1s",
        b"+1",
        b"99999999999999999999",
        b"\0",
        b"\xEF\xBB\xBF",
        b"\xFF",
        b"\xE4\xBD",
        b"\xF0\x9F\x8C",
        b"\x8B",
        b"\xED\xA0\x80",
        b"\xC0\xAF",
        "你好🌋".as_bytes(),
        "\u{2028}\u{85}".as_bytes(),
        b"a longer text of some thirty bytes",
    ];
    let ends: [&[u8]; 8] = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r\n", b""];
    let field = (
        select(names.to_vec()).prop_map(str::as_bytes),
        select(separators.to_vec()).prop_map(str::as_bytes),
    );
    let field = field.prop_map(|(name, separator)| [name, separator].concat());
    let line = (
        field,
        prop::collection::vec(select(values.to_vec()), 0..4),
        select(ends.to_vec()),
    )
        .prop_map(|(field, values, end)| [field, values.concat(), end.to_vec()].concat());
    let soup = prop::collection::vec(select(b"\r\n: \0d\xEF\xBB\xBF\xFF".to_vec()), 0..8);
    let start = select(vec![
        &b""[..],
        b"\xEF\xBB\xBF",
        b"\xEF\xBB",
        b"\xEF\xBB\xBF\xEF\xBB\xBF",
    ]);
    (start, prop::collection::vec(prop_oneof![9 => line, 1 => soup], 0..16))
        .prop_map(|(start, lines)| [start.to_vec(), lines.concat()].concat())
}

fn chunk_sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![3 => 1..4_usize, 1 => 1..80_usize], 1..12)
}

proptest! {
    #![proptest_config(Config {
        cases: 2048,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn any_stream_in_any_chunks_decodes_as_the_standard_says(
        input in streams(), sizes in chunk_sizes(),
    ) {
        let expected = oracle(&input);
        prop_assert_eq!(&decode(Decoder::new(), [input.as_slice()]), &expected);
        prop_assert_eq!(&decode(Decoder::new(), chunked(&input, &sizes)), &expected);
        prop_assert_eq!(&decode(Decoder::new(), chunked(&input, &[1])), &expected);
    }

    #[test]
    fn a_limit_is_met_at_the_same_event_in_any_chunks(
        input in streams(), sizes in chunk_sizes(), limit in 0..100_usize,
    ) {
        let decoder = || Decoder::new().max_event_bytes(limit);
        let whole = decode(decoder(), [input.as_slice()]);
        prop_assert_eq!(&decode(decoder(), chunked(&input, &sizes)), &whole);
        prop_assert_eq!(&decode(decoder(), chunked(&input, &[1])), &whole);
        let expected = oracle(&input);
        if whole.end.is_ok() {
            prop_assert_eq!(&whole, &expected);
        } else {
            prop_assert_eq!(&whole.events[..], &expected.events[..whole.events.len()]);
        }
    }
}
