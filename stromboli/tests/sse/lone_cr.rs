//! `Decoder::lone_cr_is_data`: nothing of a progress bar is lost, and line ends stay line ends.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use stromboli::sse::Decoder;

use crate::oracle::{LineEnds, oracle};
use crate::{chunked, decode};

fn data(input: &[u8], sizes: &[usize]) -> Vec<String> {
    let outcome = decode(Decoder::new().lone_cr_is_data(), chunked(input, sizes));
    outcome.events.into_iter().map(|event| event.data).collect()
}

#[test]
fn a_progress_bar_is_kept_whole_however_it_arrives() {
    for (input, expected) in [
        ("data: 10%\r20%\r30%\n\n", vec!["10%\r20%\r30%"]),
        ("data: \r10%\n\ndata: x\n\n", vec!["\r10%", "x"]),
        ("data: a\r\r\ndata: b\n\n", vec!["a\r\nb"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
        ("\r\n\r\ndata: a\n\r\n", vec!["a"]),
        ("data: a\r\rdata: b\n\n", vec!["a\r\rdata: b"]),
    ] {
        for size in 1..=input.len() {
            assert_eq!(
                data(input.as_bytes(), &[size]),
                expected,
                "{input:?} in chunks of {size}"
            );
        }
    }
}

#[test]
fn the_bound_counts_a_line_without_an_end() {
    let decoder = Decoder::new().lone_cr_is_data().max_event_bytes(100);
    assert!(decode(decoder, [&b"data: \r"[..], &[b'\r'; 100]]).end.is_err());
}

proptest! {
    #![proptest_config(Config {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::with_cases(512)
    })]

    #[test]
    fn without_lone_crs_it_is_the_standard(
        lines in prop::collection::vec("(data|event|id|x|)(: ?[a-c]{0,3})?", 0..12),
        ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n"]), 12),
        sizes in prop::collection::vec(1_usize..9, 1..5),
    ) {
        let input: String = lines.iter().zip(&ends).flat_map(|(line, end)| [line.as_str(), end]).collect();
        prop_assert_eq!(
            decode(Decoder::new().lone_cr_is_data(), chunked(input.as_bytes(), &sizes)),
            decode(Decoder::new(), [input.as_bytes()])
        );
    }
    #[test]
    fn lone_crs_are_data_in_any_chunks(
        lines in prop::collection::vec("(data|event|id|x|)(: ?[a-c]{0,3})?", 0..12),
        ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n", "\r\r\n"]), 12),
        sizes in prop::collection::vec(1_usize..9, 1..5),
    ) {
        let input: String = lines.iter().zip(&ends).flat_map(|(line, end)| [line.as_str(), end]).collect();
        prop_assert_eq!(
            decode(Decoder::new().lone_cr_is_data(), chunked(input.as_bytes(), &sizes)),
            oracle(input.as_bytes(), LineEnds::LoneCrIsData)
        );
    }
}
