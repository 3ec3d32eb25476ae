//! Random streams against a literal reading of the standard.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed};
use stromboli::sse::Decoder;

use crate::oracle::{LineEnds, oracle};
use crate::{chunked, decode};

#[test]
fn a_reconnection_time_that_is_no_number_leaves_the_last_one() {
    for invalid in ["", " ", "x", "1s", "+1", "-1", "1.5", "99999999999999999999", "\u{661}"] {
        let stream = format!("retry: 007\nretry: {invalid}\ndata\n\n");
        let outcome = decode(Decoder::new(), [stream.as_bytes()]);
        assert_eq!(outcome, oracle(stream.as_bytes(), LineEnds::Standard));
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
        let expected = oracle(&input, LineEnds::Standard);
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
        let expected = oracle(&input, LineEnds::Standard);
        if whole.end.is_ok() {
            prop_assert_eq!(&whole, &expected);
        } else {
            prop_assert_eq!(&whole.events[..], &expected.events[..whole.events.len()]);
        }
    }
}
