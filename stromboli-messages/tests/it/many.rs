//! A turn of very many parts is folded in a time that grows as they do, and not as their square.

use serde_json::{Value, json};
use stromboli_messages::{Message, Turn};

use crate::accumulator::turns;

const MANY: usize = 20_000;

fn parse(line: Value) -> Message {
    Message::parse(line.to_string()).unwrap()
}

fn text(at: usize) -> Value {
    json!({"type": "text", "text": at.to_string()})
}

fn said(id: &str, uuid: &str, content: Value) -> Value {
    json!({"type": "assistant", "uuid": uuid, "message": {"id": id, "content": content}})
}

fn event(event: Value) -> Message {
    parse(json!({"type": "stream_event", "event": event}))
}

fn begin(at: usize) -> Message {
    event(json!({"type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}}))
}

fn delta(at: usize) -> Message {
    event(json!({"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": at.to_string()}}))
}

fn stop(at: usize) -> Message {
    event(json!({"type": "content_block_stop", "index": at}))
}

fn turn(messages: impl IntoIterator<Item = Message>) -> Turn {
    let end = parse(json!({"type": "result", "subtype": "success", "is_error": false}));
    turns(messages.into_iter().chain([end])).remove(0)
}

#[test]
fn blocks_by_events() {
    let of_one = |at| [begin(at), delta(at), stop(at)];
    assert_eq!(turn((0..MANY).flat_map(of_one)).blocks().count(), MANY);
    // All begin before the first goes on, and then each is said in full.
    let messages = (0..MANY).map(begin).chain((0..MANY).map(delta));
    let lines = (0..MANY).map(|at| parse(said("a", &at.to_string(), json!([text(at)]))));
    assert_eq!(turn(messages.chain(lines)).blocks().count(), MANY);
    // Each is said as something else.
    let lines = (0..MANY).map(|at| parse(said("a", &at.to_string(), json!([text(at + MANY)]))));
    assert_eq!(turn((0..MANY).map(delta).chain(lines)).blocks().count(), MANY);
}

#[test]
fn blocks_in_one_line() {
    let all: Vec<Value> = (0..MANY).map(text).collect();
    assert_eq!(turn([parse(said("a", "a", all.into()))]).blocks().count(), MANY);
}

#[test]
fn lines_of_one_message() {
    let lines = (0..MANY).map(|at| parse(said("a", &at.to_string(), json!([text(at)]))));
    let turn = turn(lines);
    assert_eq!((turn.main.messages.len(), turn.blocks().count()), (1, MANY));
}

#[test]
fn messages_that_call_a_tool_each() {
    let of_one = |at: usize| {
        let id = at.to_string();
        let call = json!([{"type": "tool_use", "id": id, "name": "Bash", "input": {}}]);
        let answer = json!([{"type": "tool_result", "tool_use_id": id, "content": "done"}]);
        [
            parse(said(&id, &id, call)),
            parse(json!({"type": "user", "uuid": format!("u{id}"), "message": {"content": answer}})),
        ]
    };
    let turn = turn((0..MANY).flat_map(of_one));
    assert_eq!(turn.tool_calls().filter(|call| call.result.is_some()).count(), MANY);
}

#[test]
fn subagents() {
    let of_one = |at: usize| {
        let mut line = said("a", "a", json!([text(at)]));
        line["parent_tool_use_id"] = at.to_string().into();
        parse(line)
    };
    let messages = (0..MANY).map(of_one).chain((0..MANY).map(of_one));
    assert_eq!(turn(messages).subagents.len(), MANY);
}

#[test]
fn lines_that_are_taken_back() {
    let lines = |at: usize| {
        let id = at.to_string();
        let answer = json!([{"type": "tool_result", "tool_use_id": id, "content": "done"}]);
        [
            parse(said(&id, &id, json!([text(at)]))),
            parse(json!({"type": "user", "uuid": format!("u{id}"), "message": {"content": answer}})),
        ]
    };
    let uuids: Vec<String> = (0..MANY).flat_map(|at| [at.to_string(), format!("u{at}")]).collect();
    let fallback = json!({"type": "system", "subtype": "model_refusal_fallback", "retracted_message_uuids": uuids});
    assert!(turn((0..MANY).flat_map(lines).chain([parse(fallback)])).main.is_empty());
}

#[test]
fn lines_that_take_the_place_of_the_one_before() {
    for one_message in [true, false] {
        let line = |at: usize| {
            let id = if one_message { "a".to_owned() } else { at.to_string() };
            let mut line = said(&id, &at.to_string(), json!([text(at)]));
            line["supersedes"] = json!([at.wrapping_sub(1).to_string(), "nobody"]);
            parse(line)
        };
        let first = (0..MANY).map(|at| parse(said("first", &format!("first-{at}"), json!([text(at)]))));
        let turn = turn(first.chain((0..MANY).map(line)));
        assert_eq!((turn.blocks().count(), turn.main.messages.len()), (MANY + 1, 2));
    }
}
