//! The decoder of server-sent events against a literal reading of the standard, in any chunks, with any limit.
//!
//! Input: a byte of flags, a byte for the limit, a byte for the sizes of chunks, and the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stromboli::sse::Decoder;

#[path = "../../stromboli/tests/sse/oracle.rs"]
mod oracle;

use oracle::{LineEnds, chunked, decode, oracle};

fuzz_target!(|input: &[u8]| {
    let [flags, limit, sizes, stream @ ..] = input else {
        return;
    };
    let lone_cr_is_data = flags & 1 != 0;
    let limited = flags & 2 != 0;
    let decoder = || {
        let decoder = Decoder::new();
        let decoder = if lone_cr_is_data {
            decoder.lone_cr_is_data()
        } else {
            decoder
        };
        if limited {
            decoder.max_event_bytes(usize::from(*limit))
        } else {
            decoder
        }
    };
    let ends = if lone_cr_is_data {
        LineEnds::LoneCrIsData
    } else {
        LineEnds::Standard
    };
    let expected = oracle(stream, ends);
    let whole = decode(decoder(), [stream]);
    match whole.end {
        Ok(_) => assert_eq!(whole, expected),
        Err(_) => {
            assert!(limited, "nothing here is as large as the default limit");
            // Invalid bytes take three times as much once they are text.
            assert!(3 * stream.len() > usize::from(*limit), "no event can be that large");
            assert_eq!(whole.events[..], expected.events[..whole.events.len()]);
        }
    }
    let sizes = [
        usize::from(sizes >> 6) + 1,
        usize::from(sizes >> 3 & 7) + 1,
        usize::from(sizes & 7) * 9 + 1,
    ];
    assert_eq!(decode(decoder(), chunked(stream, &sizes)), whole);
    assert_eq!(decode(decoder(), chunked(stream, &[1])), whole);
});
