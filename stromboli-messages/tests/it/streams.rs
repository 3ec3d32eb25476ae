//! Streams that go wrong become turns as good as can be.

use serde_json::{Value, json};
use stromboli_messages::{Accumulator, Message};

use crate::accumulator::{blocks, turns};

fn parse(line: Value) -> Message {
    Message::parse(line.to_string()).unwrap()
}

/// A text line of the model's.
fn said(id: &str, text: &str) -> Message {
    parse(
        json!({"type": "assistant", "uuid": format!("{id}-{text}"), "parent_tool_use_id": null,
        "message": {"id": id, "role": "assistant", "content": [{"type": "text", "text": text}]}}),
    )
}

fn event(event: Value) -> Message {
    parse(json!({"type": "stream_event", "parent_tool_use_id": null, "event": event}))
}

fn start(id: &str) -> Message {
    event(json!({"type": "message_start", "message": {"id": id, "role": "assistant", "content": []}}))
}

fn begin(index: u64) -> Message {
    event(json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}))
}

fn delta(index: u64, text: &str) -> Message {
    event(json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}))
}

/// A turn with a tool use of this input.
fn tool(input: &str) -> [Message; 5] {
    [
        start("a"),
        event(json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "tool_use", "id": "x", "name": "Bash", "input": {}}})),
        event(json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": input}})),
        stop(),
        result(),
    ]
}

fn stop() -> Message {
    event(json!({"type": "message_stop"}))
}

fn of_subagent(message: &Message, parent: &str) -> Message {
    let mut value = serde_json::to_value(message).unwrap();
    value["parent_tool_use_id"] = parent.into();
    parse(value)
}

fn result() -> Message {
    parse(json!({"type": "result", "subtype": "success", "is_error": false}))
}

fn structured(id: &str, score: u64) -> Message {
    parse(json!({"type": "assistant", "message": {"id": id, "content": [
        {"type": "tool_use", "id": id, "name": "StructuredOutput", "input": {"score": score}}]}}))
}

#[test]
fn structured_output_that_was_refused_or_is_a_subagents_or_another_tools_is_not_promoted() {
    let refused = parse(json!({"type": "user", "message": {"content": [
        {"type": "tool_result", "tool_use_id": "b", "content": "does not fit", "is_error": true}]}}));
    let other = parse(json!({"type": "assistant", "message": {"id": "c", "content": [
        {"type": "tool_use", "id": "c", "name": "mcp__x__StructuredOutput", "input": {"score": 3}}]}}));
    let subagent = of_subagent(&structured("d", 4), "toolu_1");
    let turn = turns([
        structured("a", 1),
        structured("b", 2),
        refused,
        other,
        subagent,
        result(),
    ])
    .remove(0);
    assert_eq!(turn.structured::<Value>().unwrap(), json!({"score": 1}));
    assert!(turns([said("a", "no"), result()])[0].structured::<Value>().is_err());
}

#[test]
fn lines_of_one_message_are_joined_even_around_an_answer() {
    let answer = parse(json!({"type": "user", "message": {"content": [
        {"type": "tool_result", "tool_use_id": "x", "content": "early"}]}}));
    let turn = turns([said("a", "one"), answer, said("a", "two"), said("b", "three"), result()]).remove(0);
    assert_eq!(blocks(&turn), ["one", "two", "three"]);
    assert_eq!(turn.main.messages.len(), 2);
    assert_eq!(turn.text(), "three");
}

#[test]
fn a_line_that_comes_twice_counts_once() {
    let turn = turns([said("a", "one"), said("a", "one"), said("a", "two"), result()]).remove(0);
    assert_eq!(blocks(&turn), ["one", "two"]);
}

#[test]
fn messages_after_a_result_are_of_the_next_turn_or_of_none() {
    let status = parse(json!({"type": "system", "subtype": "status", "status": null}));
    let mut accumulator = Accumulator::new();
    assert_eq!(accumulator.push(said("a", "one")), None);
    assert!(accumulator.push(result()).is_some());
    assert_eq!(accumulator.push(status), None);
    assert_eq!(accumulator.finish(), None);
    assert_eq!(accumulator.push(said("b", "two")), None);
    assert_eq!(blocks(&accumulator.push(result()).unwrap()), ["two"]);
}

#[test]
fn subagents_have_conversations_of_their_own() {
    let stream = |id: &str, parent: &str, text: &str| {
        [start(id), begin(0), delta(0, text), delta(0, "!"), stop()].map(|message| of_subagent(&message, parent))
    };
    // Two subagents and the main one write at the same time.
    let (first, second) = (stream("s1", "toolu_1", "first"), stream("s2", "toolu_2", "second"));
    let main = [start("m"), begin(0), delta(0, "main"), delta(0, "!"), stop()];
    let mut all = Vec::new();
    for ((first, second), main) in first.into_iter().zip(second).zip(main) {
        all.extend([first, main, second]);
    }
    all.push(of_subagent(&said("s1", "first!"), "toolu_1"));
    let turn = turns(all.into_iter().chain([result()])).remove(0);
    assert_eq!(blocks(&turn), ["main!"]);
    assert_eq!(turn.text(), "main!");
    let texts: Vec<_> = turn
        .subagents
        .iter()
        .map(|subagent| (subagent.parent_tool_use_id.clone(), subagent.text()))
        .collect();
    assert_eq!(
        texts,
        [
            (Some("toolu_1".into()), "first!".into()),
            (Some("toolu_2".into()), "second!".into())
        ]
    );
}

#[test]
fn an_answer_that_is_asked_for_again_counts_once() {
    // With another answer, or with one that is not streamed.
    let aborted = [start("a"), begin(0), delta(0, "The an")];
    let again = [start("b"), begin(0), delta(0, "The answer."), stop()];
    let turn = turns(aborted.clone().into_iter().chain(again).chain([result()])).remove(0);
    assert_eq!(blocks(&turn), ["The answer."]);
    let turn = turns(aborted.clone().into_iter().chain([said("b", "The answer."), result()])).remove(0);
    assert_eq!(blocks(&turn), ["The answer."]);
    assert_eq!(turn.main.messages.len(), 1);

    let retry = parse(json!({"type": "system", "subtype": "api_retry", "attempt": 1}));
    let turn = turns(aborted.clone().into_iter().chain([retry.clone(), result()])).remove(0);
    assert_eq!(blocks(&turn), [""; 0]);
    // A retry of somebody else's does not stop what goes on.
    let goes_on = [retry.clone(), delta(0, "swer."), stop(), result()];
    assert_eq!(
        blocks(&turns(aborted.clone().into_iter().chain(goes_on))[0]),
        ["The answer."]
    );
    let breaks_off = [retry, delta(0, "sw"), result()];
    assert_eq!(blocks(&turns(aborted.into_iter().chain(breaks_off))[0]), ["The answ"]);
}

#[test]
fn what_was_said_when_the_stream_broke_off_is_kept() {
    let mut accumulator = Accumulator::new();
    for message in [said("a", "whole"), start("b"), begin(0), delta(0, "ha")] {
        assert_eq!(accumulator.push(message), None);
    }
    assert_eq!(accumulator.current().text(), "ha");
    let turn = accumulator.finish().unwrap();
    assert_eq!(blocks(&turn), ["whole", "ha"]);
    assert_eq!(
        (turn.outcome(), turn.usage(), turn.total_cost_usd()),
        (None, None, None)
    );
    assert_eq!(accumulator.finish(), None);
}

#[test]
fn an_input_that_was_not_written_to_its_end_is_none() {
    let input = |text: &str| {
        let turn = turns(tool(text)).remove(0);
        let input = turn.tool_calls().next().unwrap().tool_use.input.clone();
        input.map(|input| input.get().to_owned())
    };
    assert_eq!(input(r#"{"command": "ls"#), None);
    assert_eq!(input(r#"{"command": 1.50}"#).as_deref(), Some(r#"{"command": 1.50}"#));
    assert_eq!(input("").as_deref(), Some("{}"));
}

#[test]
fn an_input_is_none_while_it_is_being_written() {
    let mut accumulator = Accumulator::new();
    for message in tool(r#"{"comm"#).into_iter().take(3) {
        accumulator.push(message);
    }
    assert_eq!(accumulator.current().tool_calls().next().unwrap().tool_use.input, None);
}

#[test]
fn a_late_line_takes_the_place_of_what_it_repeats() {
    let written = [start("a"), begin(0), delta(0, "one"), begin(1), delta(1, "two")];
    let turn = turns(
        written
            .into_iter()
            .chain([said("a", "one"), said("a", "two"), result()]),
    )
    .remove(0);
    assert_eq!(blocks(&turn), ["one", "two"]);
}

#[test]
fn the_final_usage_is_not_replaced_by_an_earlier_one() {
    let change =
        event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 42}}));
    let late = parse(
        json!({"type": "assistant", "message": {"id": "a", "stop_reason": null, "content": [],
        "usage": {"output_tokens": 1}}}),
    );
    let turn = turns([start("a"), begin(0), delta(0, "x"), change, stop(), late, result()]).remove(0);
    let message = &turn.main.messages[0];
    assert_eq!(message.usage.as_ref().unwrap().output_tokens, Some(42));
    assert_eq!(message.stop_reason.as_ref().unwrap().as_str(), "end_turn");
}

#[test]
fn lost_events_cost_no_more_than_what_they_said() {
    // The reader came in the middle of an answer.
    let turn = turns([delta(0, "end of it."), said("a", "The end of it."), result()]).remove(0);
    assert_eq!(blocks(&turn), ["The end of it."]);
    assert_eq!(turn.main.messages[0].id.as_deref(), Some("a"));
    // The same, and the line of its first block was lost too.
    let turn = turns([delta(0, "one"), delta(1, "tw"), said("a", "two"), result()]).remove(0);
    assert_eq!(blocks(&turn), ["one", "two"]);
    // The full line of the first block was lost, that of the second came.
    let turn = turns([
        start("a"),
        begin(0),
        delta(0, "one"),
        begin(1),
        delta(1, "tw"),
        said("a", "two"),
        stop(),
        result(),
    ]);
    assert_eq!(blocks(&turn[0]), ["one", "two"]);
    // The end of one message and the beginning of the next were lost.
    let turn = turns([
        start("a"),
        begin(0),
        delta(0, "one"),
        begin(0),
        delta(0, "two"),
        stop(),
        result(),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["one", "two"]);
    assert_eq!(turn.main.messages.len(), 2);
    // Nothing but deltas.
    let thinking = event(
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
    );
    let turn = turns([thinking, delta(1, "yes"), result()]).remove(0);
    assert_eq!(blocks(&turn), ["(hm)", "yes"]);
}

#[test]
fn an_empty_block_that_no_line_mentions_is_left_out() {
    let turn = turns([
        start("a"),
        begin(0),
        begin(1),
        delta(1, "text"),
        said("a", "text"),
        stop(),
        result(),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["text"]);
}

#[test]
fn what_is_taken_back_does_not_count() {
    let fallback = parse(json!({"type": "system", "subtype": "model_refusal_fallback",
        "retracted_message_uuids": ["a-one", "nobody's"]}));
    let turn = turns([said("a", "one"), said("b", "two"), fallback.clone(), fallback, result()]).remove(0);
    assert_eq!(blocks(&turn), ["two"]);
    assert_eq!(turn.main.messages.len(), 1);

    let answer = parse(json!({"type": "user", "uuid": "u", "message": {"content": [
        {"type": "tool_result", "tool_use_id": "x", "content": "refused"}]}}));
    let instead = parse(json!({"type": "assistant", "uuid": "n", "supersedes": ["a-two", "u"],
        "message": {"id": "b", "content": [{"type": "text", "text": "instead"}]}}));
    let turn = turns([
        said("a", "one"),
        said("a", "two"),
        answer,
        instead,
        said("b", "more"),
        result(),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["one", "instead", "more"]);
    assert_eq!(turn.main.answers.len(), 0);
}

#[test]
fn what_was_written_behind_what_is_taken_back_is_said_once() {
    let fallback = parse(json!({"type": "system", "subtype": "model_refusal_fallback",
        "retracted_message_uuids": ["a-one"]}));
    let again =
        |text| parse(json!({"type": "assistant", "message": {"id": "a", "content": [{"type": "text", "text": text}]}}));
    let (two, three) = (delta(1, "two"), delta(2, "three"));
    let written = [start("a"), said("a", "one"), begin(1), two, begin(2), three, fallback];
    let said = [
        said("a", "two"),
        said("a", "three"),
        again("two"),
        again("three"),
        result(),
    ];
    let turn = turns(written.into_iter().chain(said)).remove(0);
    assert_eq!(blocks(&turn), ["two", "three", "two", "three"]);
}

/// The end of an answer that the API broke off.
fn broken_off(id: &str, from: Value) -> Message {
    parse(
        json!({"type": "stream_event", "parent_tool_use_id": null, "event": {"type": "message_stop"},
        "api_message_id": id, "abandoned_blocks": {"api_message_id": id, "from_block_index": from}}),
    )
}

#[test]
fn what_the_api_broke_off_does_not_count() {
    let written = [start("a"), begin(0), delta(0, "one"), begin(1), delta(1, "tw")];
    let end = |from: Value, more: Vec<Message>| -> Vec<String> {
        let written = written.clone().into_iter();
        let turn = turns(written.chain([broken_off("a", from)]).chain(more).chain([result()])).remove(0);
        assert!(turn.main.messages.iter().all(|message| !message.as_blocks().is_empty()));
        blocks(&turn)
    };
    assert_eq!(end(json!(1), vec![]), ["one"]);
    assert_eq!(end(json!(0), vec![]), [""; 0]);
    assert_eq!(end(json!("?"), vec![]), [""; 0]);
    // What a full line said stays, and a late one counts.
    assert_eq!(end(json!(0), vec![said("a", "one")]), ["one"]);
    let again = vec![start("b"), begin(0), delta(0, "again"), stop(), said("b", "again")];
    assert_eq!(end(json!(0), again), ["again"]);
    // The beginning was missed.
    let turn = turns([
        delta(0, "half"),
        broken_off("a", json!(0)),
        said("b", "whole"),
        result(),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["whole"]);
    // Of another message.
    let turn = turns([
        start("a"),
        begin(0),
        delta(0, "one"),
        stop(),
        broken_off("b", json!(0)),
        result(),
    ])
    .remove(0);
    assert_eq!(blocks(&turn), ["one"]);
}

#[test]
fn a_block_that_broke_off_after_full_lines_counts_only_when_no_result_came() {
    let cut = [
        start("a"),
        begin(0),
        delta(0, "one"),
        said("a", "one"),
        begin(1),
        delta(1, "tw"),
    ];
    assert_eq!(blocks(&turns(cut.clone().into_iter().chain([result()]))[0]), ["one"]);
    let mut accumulator = Accumulator::new();
    for message in cut {
        assert_eq!(accumulator.push(message), None);
    }
    assert_eq!(blocks(&accumulator.finish().unwrap()), ["one", "tw"]);
}
