//! Others' types that hold some of ours, read in one pass, are read as serde_json reads them.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::RngSeed};
use serde::{Deserialize, Serialize};
use stromboli_messages::{Block, Message, from_slice};

use crate::mutate::{changed_line, generated_line, sources};

/// All that values of ours can be inside of.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Page {
    messages: Vec<Message>,
    first: Option<Message>,
    named: BTreeMap<String, Wrapped>,
    either: Either,
    count: i64,
    #[serde(flatten)]
    extra: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Wrapped(Message);

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Either {
    Message(Message),
    Nothing,
}

fn page(line: &str, count: &str) -> String {
    format!(
        r#" {{"new":[1,{{"a":null}}],"messages":[{line},{line}],"first":{line},"named":{{"a\n":{line}}},"either":{{"Message":{line}}},"count":{count}}}"#
    )
}

fn agree(json: &[u8]) -> bool {
    match (from_slice::<Page>(json), serde_json::from_slice::<Page>(json)) {
        (Ok(one), Ok(two)) => {
            assert!(one == two, "{}", String::from_utf8_lossy(json));
            // As it was written, and typed alike.
            assert_eq!(
                serde_json::to_string(&one).unwrap(),
                serde_json::to_string(&two).unwrap()
            );
            assert_eq!(format!("{one:?}"), format!("{two:?}"));
            true
        }
        (Err(one), Err(two)) => {
            assert_eq!(one.to_string(), two.to_string());
            false
        }
        (one, two) => panic!("{one:?} and {two:?}"),
    }
}

#[test]
fn every_known_line_is_read_inside_of_others_types() {
    for line in sources() {
        assert!(agree(page(line, "-1").as_bytes()), "{line}");
    }
}

#[test]
fn a_misfit_is_kept_and_fails_nothing() {
    let json = br#"[{"type":"text","text":7.10},{"type":"text","text":"t"},{"type":"new"}]"#;
    let blocks: Vec<Block> = from_slice(json).unwrap();
    assert_eq!(serde_json::to_string(&blocks).unwrap().as_bytes(), json);
}

#[test]
fn errors_are_those_of_serde_json() {
    let line = sources().next().unwrap();
    let whole = page(line, "1");
    assert!(!agree(page(line, "1.5").as_bytes()));
    assert!(!agree(page("5", "1").as_bytes()));
    assert!(!agree(format!("{whole} x").as_bytes()));
    assert!(!agree(&whole.as_bytes()[..whole.len() - 1]));
    assert!(!agree(&[whole.as_bytes(), b"\xFF"].concat()));
    assert!(!agree(b""));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_line_inside_of_others_types_is_read_the_same(line in prop_oneof![changed_line(), generated_line()]) {
        agree(page(&line, "0").as_bytes());
    }
}
