//! Lines that nobody prints lose nothing either.

use proptest::{prelude::*, test_runner::RngSeed};
use stromboli_messages::{Accumulator, Message};

use crate::{
    lossless::assert_lossless,
    mutate::{changed_line, generated_line, sources},
};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_changed_line_comes_out_as_it_went_in(line in changed_line()) {
        assert_lossless(&line);
    }

    #[test]
    fn a_generated_line_comes_out_as_it_went_in(line in generated_line()) {
        assert_lossless(&line);
    }

    #[test]
    fn what_is_no_line_comes_back_in_the_error(
        line in prop::sample::select(sources().collect::<Vec<_>>()),
        at in any::<prop::sample::Index>(),
        garbage in prop::option::of(any::<char>()),
        cut in any::<bool>(),
    ) {
        let (start, rest) = line.split_at((0..=at.index(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap());
        let rest = if cut { "" } else { rest.get(1..).unwrap_or_default() };
        let line = format!("{start}{}{rest}", garbage.map(String::from).unwrap_or_default());
        match Message::parse(line.clone()) {
            Ok(_) => assert_lossless(&line),
            Err(error) => {
                // Strict parsing of values may fail for more reasons, but not for fewer.
                assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line).is_err());
                assert_eq!(error.line(), line);
                assert!(!error.to_string().contains(start) || start.is_empty());
                assert_eq!(error.into_line(), line);
            }
        }
    }

    #[test]
    fn no_order_of_messages_is_too_much(lines in prop::collection::vec(changed_line(), 0..20)) {
        let mut by_value = Accumulator::new();
        let mut by_reference = Accumulator::new();
        for line in lines {
            let message = Message::parse(line).unwrap();
            let turn = by_reference.push(&message);
            assert_eq!(by_value.push(message), turn);
            if let Some(turn) = turn {
                let _ = (turn.text(), turn.structured_output(), turn.outcome(), turn.tool_calls().count());
            }
            assert_eq!(by_value.current(), by_reference.current());
        }
        assert_eq!(by_value.finish(), by_reference.finish());
    }
}
