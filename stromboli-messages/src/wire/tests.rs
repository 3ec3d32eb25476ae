//! The strict and the lenient way read the same.

#[path = "../../tests/it/mutate.rs"]
mod mutate;
#[path = "../../tests/it/strict.rs"]
mod strict;

use mutate::{changed_line, generated_line, sources};
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::value::RawValue;

use super::{
    MAX_DEPTH, Wire,
    one_pass::{Misfits, read_all},
    recover as read_leniently, strict as read_strictly,
};
use crate::{Block, Message, transcript::Entry};

/// Reads an object in the lenient way.
fn recover<T: Wire>(line: &str) -> Option<T> {
    read_leniently(serde_json::from_str::<&RawValue>(line).unwrap())
}

/// Whether the strict way reads the line; then the lenient one must agree.
fn agree<T: Wire + PartialEq + std::fmt::Debug>(line: &str) -> bool {
    let Ok(strict) = read_strictly::<T>(line) else {
        return false;
    };
    let lenient = recover::<T>(line).unwrap();
    assert!(strict == lenient, "{line}");
    // Shows what is typed and what is in `extra`, which the comparison of what they write cannot tell.
    assert_eq!(format!("{strict:?}"), format!("{lenient:?}"));
    true
}

#[test]
fn every_known_line_is_read_strictly_and_the_lenient_way_agrees() {
    let mut count = 0;
    for line in sources() {
        assert!(agree::<Message>(line), "{line}");
        count += 1;
    }
    assert!(count > 100, "{count}");
    for line in include_str!("../../tests/vectors/sessions/structured.jsonl").lines() {
        assert!(agree::<Entry>(line), "{line}");
    }
}

#[test]
fn a_line_with_one_misfit_is_read_leniently() {
    let line =
        r#"{"type":"assistant","uuid":5,"session_id":"s","message":{"content":"a","usage":{"input_tokens":"x"}}}"#;
    assert!(read_strictly::<Message>(line).is_err());
    let message = recover::<Message>(line).unwrap();
    assert_eq!((message.uuid(), message.session_id()), (None, Some("s")));
    assert_eq!(message.as_assistant().unwrap().text(), "a");
}

/// Only what needs no memory of its own is read strictly, and both ways must know such a name.
#[test]
fn a_name_and_a_type_with_an_escape_in_them_are_read_leniently_to_their_places() {
    for line in [
        r#"{"type":"assistant","\u0075uid":"u","message":{"content":[{"type":"text","text":"a"}]}}"#,
        r#"{"type":"assistant","uuid":"u","message":{"content":[{"type":"te\u0078t","text":"a"}]}}"#,
    ] {
        assert!(read_strictly::<Message>(line).is_err());
        let message = Message::parse(line).unwrap();
        assert_eq!(message.uuid(), Some("u"));
        assert_eq!(message.as_assistant().unwrap().text(), "a");
    }
}

/// The last of two types counts, as the last of two fields does.
#[test]
fn a_second_type_is_left_to_the_lenient_way() {
    for content in [
        r#"{"type":"new","type":"text","text":"a"}"#,
        r#"{"type":"text","text":"b","type":"new"}"#,
        r#"{"text":"a","type":"thinking","type":"text"}"#,
    ] {
        let line = format!(r#"{{"type":"assistant","message":{{"content":[{content}]}}}}"#);
        assert!(!agree::<Message>(&line), "{line}");
        let message = Message::parse(line.as_str()).unwrap();
        let text = if content.ends_with(r#""new"}"#) { "" } else { "a" };
        assert_eq!(message.as_assistant().unwrap().text(), text, "{line}");
    }
}

#[test]
fn what_is_too_deep_is_left_to_the_lenient_way() {
    let line = |depth: usize| {
        let (open, close) = (r#"{"type":"tool_result","content":["#.repeat(depth), "]}".repeat(depth));
        format!(r#"{{"type":"user","message":{{"content":[{open}{close}]}}}}"#)
    };
    // The message and what it says are records as well.
    assert!(agree::<Message>(&line(MAX_DEPTH - 2)));
    for depth in MAX_DEPTH - 1..2 * MAX_DEPTH {
        assert!(!agree::<Message>(&line(depth)), "{depth}");
    }
}

#[test]
fn what_follows_an_object_is_an_error() {
    for line in [
        r#"{"type":"user"}x"#,
        r#"{"type":"user"}{}"#,
        r#"{"type":"user"},"#,
        r#"{"type":"new"}]"#,
    ] {
        assert!(Message::parse(line).is_err(), "{line}");
        assert!(crate::from_slice::<Message>(line.as_bytes()).is_err(), "{line}");
    }
    assert!(agree::<Message>(" {\"type\":\"user\"}\t\r\n"));
}

/// What does not fit shows whether the raw text was taken first: only then it can be kept.
#[test]
fn values_inside_of_others_types_are_read_in_one_pass() {
    #[derive(Debug, serde::Deserialize)]
    struct Page {
        #[allow(dead_code, reason = "only that it is read counts")]
        content: Option<Vec<Block>>,
        #[serde(flatten)]
        #[allow(dead_code, reason = "only that it is read counts")]
        extra: serde_json::Map<String, serde_json::Value>,
    }

    let fit = r#"{"a":1,"content":[{"type":"text","text":"t"}]}"#;
    assert!(read_all::<Page>(fit, Misfits::Fail).is_ok());
    let misfit = r#"{"a":1,"content":[{"type":"text","text":5}]}"#;
    assert!(read_all::<Page>(misfit, Misfits::Fail).is_err());
    assert!(serde_json::from_str::<Page>(misfit).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_the_strict_way_reads_the_lenient_way_reads_the_same(line in prop_oneof![changed_line(), generated_line()]) {
        agree::<Message>(&line);
        agree::<Entry>(&line);
    }
}
