//! The messages of an agent's turn, held against lines that Claude Code 2.1.197 printed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stromboli_emulator::{Emulator, Usage};

use crate::client::post;
use crate::events::{Events, messages, send, start, turn};

/// What kind of a message it is: its type and those inside it.
fn kind(message: &Value) -> String {
    let parts = [
        &message["type"],
        &message["subtype"],
        &message["isReplay"],
        &message["event"]["type"],
        &message["event"]["delta"]["type"],
        &message["event"]["content_block"]["type"],
        &message["message"]["content"][0]["type"],
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|part| !part.is_null())
        .map(|part| part.to_string())
        .collect();
    parts.join(" ")
}

/// The same value with every string, number and boolean made one, and lists cut to their first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Null => Value::Null,
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
    }
}

fn recorded(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether each message has the shape of the recorded ones of its kind.
fn assert_shapes(messages: &[Value], recorded: &[Value]) {
    let shapes: BTreeMap<String, Value> = recorded.iter().map(|message| (kind(message), shape(message))).collect();
    for message in messages {
        assert_eq!(Some(&shape(message)), shapes.get(&kind(message)), "{}", kind(message));
    }
}

#[tokio::test]
async fn a_reply_comes_in_the_messages_that_claude_code_prints() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("Hello from the model.");
    let messages = messages(&turn(&emulator, json!({}), "ping").await);
    let recorded = recorded(include_str!("recorded/text-partial.jsonl"));
    let kinds = |messages: &[Value]| messages.iter().map(kind).collect::<Vec<_>>();
    assert_eq!(kinds(&messages), kinds(&recorded));
    assert_shapes(&messages, &recorded);
    // The same tokens cost the same.
    for (message, recorded) in messages.iter().zip(&recorded) {
        assert_eq!(message["event"]["delta"], recorded["event"]["delta"]);
        assert_eq!(message["usage"], recorded["usage"]);
    }
    let (result, recorded) = (messages.last().unwrap(), recorded.last().unwrap());
    assert!((result["total_cost_usd"].as_f64().unwrap() - recorded["total_cost_usd"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(result["num_turns"], 1);
}

#[tokio::test]
async fn every_line_has_the_session_and_an_id_of_its_own() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("ping")
        .tool("Read", json!({"file_path": "a"}), "text")
        .reply("pong");
    let agent = post(&emulator, "/agents", "{}").await.json();
    let id = agent["id"].as_str().unwrap();
    let mut events = Events::open(&emulator, id).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        send(&emulator, id, "ping").await;
        for message in messages(&events.until("turn_end").await) {
            assert_eq!(message["session_id"], agent["session_id"]);
            ids.push(message["uuid"].as_str().unwrap().to_owned());
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[tokio::test]
async fn a_line_begins_with_its_type_and_stays_one_line() {
    let emulator = Emulator::start().await.unwrap();
    let text = "one\r\ntwo\u{2028}three";
    emulator.on_prompt("ping").reply(text);
    let events = turn(&emulator, json!({}), "ping").await;
    for event in events.iter().filter(|event| event.name == "output") {
        assert!(event.content().starts_with(r#"{"type":""#));
        assert!(!event.content().contains(['\n', '\r', '\u{2028}']));
    }
    assert_eq!(messages(&events).last().unwrap()["result"], text);
}

#[tokio::test]
async fn a_tool_is_used_before_the_reply() {
    let emulator = Emulator::start().await.unwrap();
    let input = json!({"command": "echo hi", "description": "Print hi"});
    emulator
        .on_prompt("ping")
        .tool("Bash", input.clone(), "hi")
        .reply("The command printed hi.");
    let messages = messages(&turn(&emulator, json!({}), "ping").await);
    assert_shapes(&messages, &recorded(include_str!("recorded/bash-tool.jsonl")));

    let blocks: Vec<&Value> = messages.iter().filter_map(|m| m["message"]["content"].get(0)).collect();
    assert_eq!(blocks.len(), 3);
    assert_eq!((&blocks[0]["name"], &blocks[0]["input"]), (&json!("Bash"), &input));
    assert_eq!(
        (&blocks[1]["tool_use_id"], &blocks[1]["content"]),
        (&blocks[0]["id"], &json!("hi"))
    );
    assert_eq!(blocks[2]["text"], "The command printed hi.");
    let deltas = messages
        .iter()
        .filter_map(|message| message["event"]["delta"]["partial_json"].as_str());
    assert_eq!(
        serde_json::from_str::<Value>(&deltas.collect::<String>()).unwrap(),
        input
    );
    let result = messages.last().unwrap();
    assert_eq!(
        (&result["num_turns"], &result["usage"]["input_tokens"]),
        (&json!(2), &json!(240))
    );
}

#[tokio::test]
async fn cost_and_tokens_of_the_session_run_on_and_those_of_the_turn_do_not() {
    let emulator = Emulator::start().await.unwrap();
    let usage = |model: Option<&str>, output_tokens| Usage {
        model: model.map(str::to_owned),
        output_tokens,
        ..Usage::default()
    };
    emulator
        .on_prompt("one")
        .reply("1")
        .tool("Read", json!({}), "")
        .usage(usage(None, 1000));
    emulator.on_prompt("two").reply("2").usage(usage(None, 2000));
    emulator.on_prompt("other").reply("3").usage(usage(Some("haiku"), 4000));
    let agent = start(&emulator, json!({"claude": {"model": "opus"}})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let cases = [
        ("one", 1000, 0.075, json!({"opus": 1000})),
        ("two", 2000, 0.225, json!({"opus": 3000})),
        ("other", 4000, 0.23, json!({"haiku": 4000, "opus": 3000})),
    ];
    for (prompt, tokens, cost, by_model) in cases {
        send(&emulator, &agent, prompt).await;
        let messages = messages(&events.until("turn_end").await);
        let result = messages.last().unwrap();
        assert_eq!(result["usage"]["output_tokens"], tokens);
        assert!(
            (result["total_cost_usd"].as_f64().unwrap() - cost).abs() < 1e-9,
            "{result}"
        );
        let used = result["modelUsage"].as_object().unwrap().iter();
        let used: Value = used
            .map(|(model, used)| (model.clone(), used["outputTokens"].clone()))
            .collect();
        assert_eq!(used, by_model);
        let deltas = messages
            .iter()
            .filter_map(|message| message["event"]["usage"]["output_tokens"].as_u64());
        assert_eq!(deltas.sum::<u64>(), tokens);
    }
}

#[tokio::test]
async fn an_agent_shows_what_it_was_started_with() {
    let emulator = Emulator::start().await.unwrap();
    let plain = &messages(&turn(&emulator, json!({}), "hi").await)[0];
    assert_eq!(
        (&plain["cwd"], &plain["model"], &plain["permissionMode"]),
        (&json!("/workspace"), &json!("claude-sonnet-5"), &json!("default"))
    );
    let body = json!({
        "workdir": "/src/app",
        "claude": {
            "model": "haiku",
            "permission_mode": "plan",
            "tools": ["Read", "Bash"],
            "disallowed_tools": ["Bash"],
            "json_schema": "{}",
            "session_id": "ignored",
        },
    });
    let messages = messages(&turn(&emulator, body, "hi").await);
    let init = &messages[0];
    assert_eq!(
        (&init["cwd"], &init["model"], &init["permissionMode"]),
        (&json!("/src/app"), &json!("haiku"), &json!("plan"))
    );
    assert_eq!(init["tools"], json!(["Read", "StructuredOutput"]));
    assert_eq!(
        init["memory_paths"]["auto"],
        "/home/user/.claude/projects/-src-app/memory/"
    );
    assert_ne!(init["session_id"], "ignored");
    let said = messages.iter().find(|message| message["type"] == "assistant").unwrap();
    assert_eq!(said["message"]["model"], "haiku");
    let skips = json!({"claude": {"dangerously_skip_permissions": true}});
    let skips = turn(&emulator, skips, "hi").await;
    assert_eq!(skips[1].message()["permissionMode"], "bypassPermissions");
}

#[tokio::test]
async fn a_prompt_is_shown_again_when_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"claude": {"replay_user_messages": true}});
    let messages = messages(&turn(&emulator, body, "say \"hi\"").await);
    let recorded = recorded(include_str!("recorded/two-turns.jsonl"));
    assert_shapes(&messages[..2], &recorded);
    assert_eq!(messages[1]["message"]["content"], "say \"hi\"");
}

#[tokio::test]
async fn a_json_reply_to_an_agent_with_a_schema_is_its_structured_output() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("object").reply(r#"{"summary":"ok","score":7}"#);
    emulator.on_prompt("list").reply("[1]");
    emulator.on_prompt("text").reply("no");
    let body = json!({"claude": {"json_schema": "{}"}});
    let object = messages(&turn(&emulator, body.clone(), "object").await);
    let without_parts = |message: &&Value| message["type"] != "stream_event" && message["subtype"] != "status";
    let without_parts: Vec<Value> = object.iter().filter(without_parts).cloned().collect();
    let recorded = recorded(include_str!("recorded/structured.jsonl"));
    assert_eq!(without_parts.len(), recorded.len());
    assert_shapes(&without_parts, &recorded);
    let (result, recorded) = (object.last().unwrap(), &recorded[3]);
    for same in ["result", "structured_output", "num_turns", "stop_reason", "usage"] {
        assert_eq!(result[same], recorded[same], "{same}");
    }
    for (prompt, expected) in [("list", Some(json!([1]))), ("text", None)] {
        let messages = messages(&turn(&emulator, body.clone(), prompt).await);
        assert_eq!(messages.last().unwrap().get("structured_output"), expected.as_ref());
    }
    let without = messages(&turn(&emulator, json!({}), "object").await);
    assert_eq!(without.last().unwrap().get("structured_output"), None);
}
