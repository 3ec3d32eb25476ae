//! The end of a stream, and the limit on an event.

use stromboli::sse::{DEFAULT_MAX_EVENT_BYTES, Decoder, Error};

use crate::{chunked, decode};

#[test]
fn a_stream_cut_inside_an_event_is_told_from_one_that_ended() {
    let whole = [
        "",
        "data: a\n\n",
        "data: a\r\r",
        "data: a\r\n\r\n",
        ": comment\n",
        "id: 1\n",
        "event: a\n\n",
        "\n\n",
    ];
    let cut = [
        "d",
        "data",
        "data: a\n",
        "data\n",
        "event: a\n",
        "data: a\n\nd",
        ":",
        "data: a\r\n",
        "\u{feff}",
    ];
    for (streams, partial) in [(&whole[..], false), (&cut[..], true)] {
        for stream in streams {
            for size in [1, stream.len().max(1)] {
                let outcome = decode(Decoder::new(), chunked(stream.as_bytes(), &[size]));
                assert_eq!(outcome.end, Ok(partial), "{stream:?} by {size}");
            }
        }
    }
}

#[test]
fn a_cr_ends_an_event_without_waiting_for_the_next_byte() {
    let mut decoder = Decoder::new();
    assert!(decoder.next(&mut &b"data: a\r\n\r"[..]).unwrap().is_some());
    assert!(!decoder.has_partial_event());
    assert!(decoder.next(&mut &b"\n"[..]).unwrap().is_none());
    assert!(!decoder.has_partial_event());
}

/// Feeds `start` and then `more` without end, and gives the number of bytes at which the decoder failed.
fn bytes_until_failure(mut decoder: Decoder, start: &str, more: &str) -> usize {
    let mut taken = 0;
    for chunk in std::iter::once(start).chain(std::iter::repeat_n(more, 1_000_000)) {
        taken += chunk.len();
        let mut input = chunk.as_bytes();
        if let Err(error) = decoder.next(&mut input) {
            assert!(matches!(error, Error::EventTooLarge { .. }));
            for next in ["", "\n\n", "data: x\n\n"] {
                assert_eq!(decoder.next(&mut next.as_bytes()), Err(error), "it stays failed");
            }
            assert!(!decoder.has_partial_event());
            return taken;
        }
    }
    panic!("{start:?} and {more:?} have no bound");
}

#[test]
fn nothing_that_never_ends_is_kept_for_ever() {
    const LIMIT: usize = 10_000;
    let long = "x".repeat(100);
    for start in [
        "data: ",
        "event: ",
        "id: ",
        "retry: ",
        ": comment",
        "unknown: ",
        "name",
        "\u{feff}",
        "data: a\n:",
    ] {
        let taken = bytes_until_failure(Decoder::new().max_event_bytes(LIMIT), start, &long);
        assert!((LIMIT..=LIMIT + 200).contains(&taken), "{start}: {taken}");
    }
    // Of a data line, only the value and a line feed count once the line has ended.
    for (line, counted) in [("data: 12345678\n", 9), ("data\n", 1), ("data: 12\r\n", 3)] {
        let taken = bytes_until_failure(Decoder::new().max_event_bytes(LIMIT), "", line);
        let lines = LIMIT / counted;
        assert!(
            (lines * line.len()).abs_diff(taken) <= 20 * line.len(),
            "{line:?}: {taken}"
        );
    }
}

#[test]
fn an_event_at_the_limit_passes_and_one_byte_more_does_not() {
    // At its largest when the last line has come: "77", "e", "1234" and "data: 5678".
    let event = b"id: 77\nevent: e\ndata: 1234\ndata: 5678\n\n";
    for size in [1, 7, event.len()] {
        let at = |limit| decode(Decoder::new().max_event_bytes(limit), chunked(event, &[size]));
        assert_eq!(at(17).events.len(), 1);
        assert_eq!(at(16).end, Err(Error::EventTooLarge { limit: 16 }));
    }
}

#[test]
fn events_and_comments_are_bounded_each_and_not_together() {
    let stream = ": a comment line\ndata: some text\n\nid: 1\n".repeat(1000);
    let outcome = decode(Decoder::new().max_event_bytes(40), chunked(stream.as_bytes(), &[64]));
    assert_eq!((outcome.events.len(), outcome.end), (1000, Ok(false)));
}

#[test]
fn a_line_of_ten_mebibytes_that_json_doubled_passes_by_default() {
    let line = format!("data: {}\n\n", "\\n".repeat(10 * 1024 * 1024));
    let outcome = decode(Decoder::default(), chunked(line.as_bytes(), &[16 * 1024]));
    assert_eq!(
        outcome.events.first().map(|event| event.data.len()),
        Some(20 * 1024 * 1024)
    );
    let endless = "x".repeat(1024 * 1024);
    let taken = bytes_until_failure(Decoder::new(), "data: ", &endless);
    assert!(taken <= DEFAULT_MAX_EVENT_BYTES + 2 * endless.len());
}

#[test]
fn the_error_reads_as_one_clause() {
    let error: Box<dyn std::error::Error> = Box::new(Error::EventTooLarge { limit: 10 });
    assert_eq!(error.to_string(), "server-sent event is larger than 10 bytes");
}
