//! What comes in another shape than it should is never taken for something better than it is.

use std::time::Duration;

use serde_json::{Value, json};
use stromboli_messages::{Block, Message, Outcome, ResultMessage, System};

use crate::accumulator::{blocks, turns};

fn parse(line: &str) -> Message {
    Message::parse(line).unwrap()
}

fn result(fields: Value) -> ResultMessage {
    let mut line = json!({"type": "result"});
    line.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    parse(&line.to_string()).as_result().unwrap().clone()
}

#[test]
fn a_result_that_does_not_say_that_it_went_well_did_not() {
    let outcome = |fields| result(fields).outcome();
    let failed = |status| Outcome::ApiError { status };
    assert_eq!(outcome(json!({"subtype": "success", "is_error": false})), Outcome::Ok);
    assert_eq!(
        outcome(json!({"subtype": "success", "is_error": false, "api_error_status": null})),
        Outcome::Ok
    );
    assert_eq!(outcome(json!({"subtype": "success"})), Outcome::Ok);
    assert_eq!(outcome(json!({"is_error": false})), Outcome::Ok);
    assert_eq!(outcome(json!({})), Outcome::Other(String::new()));
    assert_eq!(
        outcome(json!({"subtype": 5, "is_error": false})),
        Outcome::Other(String::new())
    );
    assert_eq!(outcome(json!({"subtype": "success", "is_error": "true"})), failed(None));
    assert_eq!(
        outcome(json!({"subtype": "success", "is_error": "true", "api_error_status": 500})),
        failed(Some(500))
    );
    assert_eq!(
        outcome(json!({"subtype": "success", "api_error_status": 500})),
        failed(Some(500))
    );
    assert_eq!(
        outcome(json!({"subtype": "success", "api_error_status": "500"})),
        failed(None)
    );
}

#[test]
fn why_there_is_no_answer_is_told_in_whatever_shape_it_came() {
    let text = |fields| result(fields).text().into_owned();
    assert_eq!(text(json!({"errors": ["why", "else"]})), "why\nelse");
    assert_eq!(text(json!({"errors": ["why", 5]})), "why\n5");
    assert_eq!(text(json!({"errors": ["why"], "result": {"a": 1}})), "why");
    let half = parse(r#"{"type":"result","errors":[],"result":"\ud83d!"}"#);
    assert_eq!(half.as_result().unwrap().text(), "\u{fffd}!");
    assert_eq!(text(json!({"errors": ["why"], "result": "answer"})), "answer");
    assert_eq!(text(json!({"errors": 5})), "");
    assert_eq!(text(json!({})), "");
    let turn = turns([
        parse(r#"{"type":"assistant","message":{"content":[{"type":"text","text":"before"}]}}"#),
        parse(r#"{"type":"result","result":"\ud83d!"}"#),
    ])
    .remove(0);
    assert_eq!(turn.text(), "\u{fffd}!");
}

#[test]
fn milliseconds_become_a_duration() {
    assert_eq!(
        result(json!({"duration_ms": 1500})).duration(),
        Some(Duration::from_millis(1500))
    );
    assert_eq!(result(json!({"duration_ms": -1})).duration(), None);
}

#[test]
fn a_parent_that_is_no_text_is_a_parent() {
    for parent in ["5", r#""\ud800""#, "{}"] {
        let line = |rest: &str| parse(&format!(r#"{{"parent_tool_use_id":{parent},{rest}}}"#));
        let said = line(r#""type":"assistant","message":{"id":"a","content":[{"type":"text","text":"sub"}]}"#);
        let event = line(
            r#""type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#,
        );
        let told = line(r#""type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t"}]}"#);
        let progress = line(r#""type":"tool_progress","tool_use_id":"t""#);
        for message in [&said, &event, &told, &progress] {
            assert!(message.is_from_subagent(), "{message:?}");
        }
        assert!(said.as_assistant().unwrap().is_from_subagent());
        assert!(event.as_stream_event().unwrap().is_from_subagent());
        assert!(told.as_user().unwrap().is_from_subagent());
        let turn = turns([event, said, told, parse(r#"{"type":"result","is_error":false}"#)]).remove(0);
        assert!(turn.main.is_empty());
        assert_eq!(turn.subagents.len(), 1);
        assert_eq!(turn.subagents[0].text(), "sub");
        assert_eq!(turn.subagents[0].answers.len(), 1);
    }
    let main = parse(r#"{"type":"user","parent_tool_use_id":null}"#);
    assert!(!main.is_from_subagent() && !main.as_user().unwrap().is_from_subagent());
    let sub = parse(r#"{"type":"user","parent_tool_use_id":"t"}"#);
    assert!(sub.as_user().unwrap().is_from_subagent());
}

#[test]
fn events_alone_say_signatures_citations_halves_and_tokens() {
    let delta = |index: u64, delta: &str| {
        parse(&format!(
            r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":{index},"delta":{delta}}}}}"#
        ))
    };
    let turn = turns([
        delta(0, r#"{"type":"thinking_delta","thinking":"hm"}"#),
        delta(0, r#"{"type":"signature_delta","signature":"c2"}"#),
        delta(0, r#"{"type":"signature_delta","signature":"ln"}"#),
        delta(1, r#"{"type":"text_delta","text":"so"}"#),
        delta(1, r#"{"type":"text_delta","text":"\ud83d"}"#),
        delta(1, r#"{"type":"citations_delta","citation":{"n":1}}"#),
        delta(1, r#"{"type":"citations_delta","citation":{"n":2}}"#),
        parse(r#"{"type":"stream_event","event":{"type":"message_delta","usage":{"cache_read_input_tokens":3,"output_tokens":1}}}"#),
        parse(r#"{"type":"stream_event","event":{"type":"message_delta","usage":{"cache_read_input_tokens":7}}}"#),
        parse(r#"{"type":"result","is_error":false}"#),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["(hm)", "so\u{fffd}"]);
    let all: Vec<_> = turn.blocks().collect();
    let (Block::Thinking(thinking), Block::Text(text)) = (all[0], all[1]) else {
        panic!("{all:?}")
    };
    assert_eq!(thinking.signature.as_deref(), Some("c2ln"));
    let citations: Vec<_> = text.citations.iter().flatten().map(|citation| citation.get()).collect();
    assert_eq!(citations, [r#"{"n":1}"#, r#"{"n":2}"#]);
    let usage = turn.main.messages[0].usage.as_ref().unwrap();
    assert_eq!((usage.cache_read_input_tokens, usage.output_tokens), (Some(7), Some(1)));
}

#[test]
fn values_that_only_newer_versions_have_are_kept() {
    let line = r#"{"type":"system","subtype":"session_writes_lost","error_code":"EIO","lost":["transcript","cache"]}"#;
    let message = parse(line);
    let Message::System(System::SessionWritesLost(lost)) = &message else {
        panic!("{message:?}")
    };
    assert_eq!(lost.error_code.as_ref().unwrap().as_str(), "EIO");
    let names: Vec<_> = lost.lost.iter().flatten().map(|lost| lost.as_str()).collect();
    assert_eq!(names, ["transcript", "cache"]);
    assert_eq!(serde_json::to_string(&message).unwrap(), line);
}
