//! Each rule by itself: what it takes for a hole, and what it must not.

use serde_json::{Value, json};

use super::*;

fn message(value: &Value) -> Message {
    Message::parse(value.to_string()).unwrap()
}

fn event(event: Value) -> Value {
    json!({"type": "stream_event", "event": event})
}

fn start() -> Value {
    event(json!({"type": "message_start", "message": {"id": "m-1", "content": []}}))
}

fn block(kind: &str) -> Value {
    event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": kind}}))
}

fn delta(delta: Value) -> Value {
    event(json!({"type": "content_block_delta", "index": 0, "delta": delta}))
}

fn stop() -> Value {
    event(json!({"type": "content_block_stop", "index": 0}))
}

fn said(block: Value) -> Value {
    json!({"type": "assistant", "message": {"id": "m-1", "content": [block]}})
}

fn call(id: &str) -> Value {
    said(json!({"type": "tool_use", "id": id, "name": "Bash", "input": {}}))
}

fn answered(id: &str) -> Value {
    json!({"type": "user", "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]}})
}

fn end(result: Value) -> Value {
    let mut end = json!({"type": "result", "subtype": "success", "is_error": false});
    end.as_object_mut().unwrap().extend(result.as_object().unwrap().clone());
    end
}

/// The places of the messages before which a hole is seen.
fn holes(messages: &[Value]) -> Vec<usize> {
    let mut conversation = Conversation::begin();
    let is_hole = |(_, value): &(usize, &Value)| conversation.is_cut_before(&message(value));
    messages.iter().enumerate().filter(is_hole).map(|(at, _)| at).collect()
}

#[test]
fn text_and_thinking_must_come_to_what_is_said() {
    for (kind, name) in [("text", "text_delta"), ("thinking", "thinking_delta")] {
        let pieces = |text: &str| {
            vec![
                start(),
                block(kind),
                delta(json!({"type": name, kind: text})),
                said(json!({"type": kind, kind: "whole"})),
            ]
        };
        assert_eq!(holes(&pieces("whole")), [0usize; 0]);
        assert_eq!(holes(&pieces("wh")), [3]);
        // What is trimmed is not missing.
        assert_eq!(holes(&pieces("whole  ")), [0usize; 0]);
    }
}

#[test]
fn the_pieces_of_a_tools_input_must_come_to_it() {
    let pieces = |json: &str, input: Value| {
        vec![
            start(),
            block("tool_use"),
            delta(json!({"type": "input_json_delta", "partial_json": json})),
            said(json!({"type": "tool_use", "id": "t", "name": "Bash", "input": input})),
        ]
    };
    assert_eq!(holes(&pieces("{\"a\": [1]}", json!({"a": [1]}))), [0usize; 0]);
    assert_eq!(holes(&pieces("{\"a\": []}", json!({"a": [1]}))), [3]);
    assert_eq!(holes(&pieces("{\"a\": ", json!({"a": [1]}))), [3]);
    assert_eq!(holes(&pieces("", json!({}))), [0usize; 0]);
    assert_eq!(
        holes(&pieces("{\"a", json!({"__unparsedToolInput": {"raw": "{\"a"}}))),
        [0usize; 0]
    );
    let long = format!("{{\"a\": \"{}", "x".repeat(MAX_INPUT));
    assert_eq!(
        holes(&pieces(&long, json!({"a": 1}))),
        [0usize; 0],
        "too long to be kept"
    );
}

#[test]
fn a_tool_must_answer_before_the_next_answer_and_before_the_end() {
    let end = end(json!({}));
    assert_eq!(holes(&[call("t"), answered("t"), start()]), [0usize; 0]);
    assert_eq!(holes(&[call("t"), start()]), [1]);
    assert_eq!(holes(&[call("t"), answered("t"), end.clone()]), [0usize; 0]);
    assert_eq!(holes(&[call("t"), end]), [1]);
}

#[test]
fn what_a_turn_that_failed_or_was_stopped_leaves_open_is_no_hole() {
    for result in [
        json!({"subtype": "error_max_turns", "is_error": true}),
        json!({"terminal_reason": "tool_deferred"}),
        json!({"is_error": true}),
    ] {
        assert_eq!(holes(&[call("t"), end(result)]), [0usize; 0]);
    }
}

#[test]
fn an_answer_that_nobody_spoke_is_a_hole_where_it_cost_tokens() {
    let end = |tokens: u64| end(json!({"usage": {"output_tokens": tokens}}));
    assert_eq!(holes(&[end(42)]), [0]);
    assert_eq!(holes(&[end(0)]), [0usize; 0]);
    assert_eq!(holes(&[start(), end(42)]), [0usize; 0]);
    let mut joined_late = Conversation::unknown();
    assert!(!joined_late.is_cut_before(&message(&end(42))));
}

#[test]
fn a_call_of_the_api_that_is_made_again_is_no_hole() {
    let again = json!({"type": "system", "subtype": "api_retry", "attempt": 1});
    let failed = event(json!({"type": "error", "error": {"type": "overloaded_error"}}));
    let abandoned =
        json!({"type": "stream_event", "event": {"type": "message_stop"}, "abandoned_blocks": {"from_block_index": 0}});
    for interruption in [again, failed, abandoned] {
        let stream = [
            start(),
            block("text"),
            call("t"),
            interruption.clone(),
            start(),
            block("text"),
        ];
        assert_eq!(holes(&stream), [0usize; 0], "{interruption}");
    }
}

#[test]
fn an_answer_goes_on_where_it_was() {
    let words = delta(json!({"type": "text_delta", "text": "words"}));
    let whole = said(json!({"type": "text", "text": "words"}));
    let reason = event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}));
    let over = event(json!({"type": "message_stop"}));
    let all = [start(), block("text"), words, whole, stop(), reason, over];
    assert_eq!(holes(&all), [0usize; 0]);
    // Without its beginning, its block, its words' line, its block's end, its reason.
    for (missing, seen_at) in [(0, 0), (1, 1), (3, 4), (4, 4), (5, 5)] {
        let mut rest = all.to_vec();
        rest.remove(missing);
        assert_eq!(holes(&rest).first(), Some(&seen_at), "without {missing}");
    }
}

#[test]
fn blank_text_is_never_said_in_one_piece() {
    let reason = event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}));
    let blank = delta(json!({"type": "text_delta", "text": " \n"}));
    assert_eq!(holes(&[start(), block("text"), blank, stop(), reason]), [0usize; 0]);
}

#[test]
fn what_is_followed_is_bounded() {
    let mut conversation = Conversation::begin();
    for n in 0..2 * MAX_FOLLOWED {
        let mut line = call(&format!("t-{n}"));
        conversation.is_cut_before(&message(&line));
        line["parent_tool_use_id"] = json!(format!("p-{n}"));
        conversation.is_cut_before(&message(&line));
    }
    assert_eq!(conversation.speakers.len(), MAX_FOLLOWED);
    assert_eq!(conversation.speakers[&None].calls.len(), MAX_FOLLOWED);
}
