//! Recordings of Claude Code, replayed to runs and agents.

use std::path::PathBuf;

use serde_json::{Value, json};
use stromboli_emulator::{Emulator, Recording, Replay};

use crate::client::{get, post};
use crate::events::{Events, look, send, start};

/// A file with what Claude Code printed.
fn vector(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../stromboli-messages/tests/vectors");
    folder.join(name).with_extension("jsonl")
}

/// The lines of that file, as they are in the session of `response`.
fn recorded(name: &str, response: &Value) -> Vec<String> {
    let text = std::fs::read_to_string(vector(name)).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let text = text.replace(
        first["session_id"].as_str().unwrap(),
        response["session_id"].as_str().unwrap(),
    );
    text.lines().map(str::to_owned).collect()
}

fn replay(names: &[&str]) -> Replay {
    Replay::files(names.iter().map(|name| vector(name))).unwrap()
}

async fn emulator(replay: Replay) -> Emulator {
    Emulator::builder().answerer(replay).start().await.unwrap()
}

/// The answer to a run with these options of Claude.
async fn run(emulator: &Emulator, prompt: &str, claude: Value) -> Value {
    let body = json!({"prompt": prompt, "claude": claude});
    let response = post(emulator, "/run", body.to_string()).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

fn lines(response: &Value) -> Vec<&str> {
    response["output"].as_str().unwrap().split('\n').collect()
}

#[tokio::test]
async fn the_output_format_decides_what_is_replayed() {
    let emulator = emulator(replay(&["text"]).instant()).await;
    for claude in [json!({}), json!({"output_format": "text"})] {
        assert_eq!(run(&emulator, "hi", claude).await["output"], "Hello from the model.");
    }
    let json = run(&emulator, "hi", json!({"output_format": "json"})).await;
    assert_eq!(json["output"], *recorded("text", &json).last().unwrap());
    let stream = run(&emulator, "hi", json!({"output_format": "stream-json"})).await;
    assert_eq!(lines(&stream), recorded("text", &stream));
}

#[tokio::test]
async fn a_text_comes_with_its_characters_and_its_lines() {
    let emulator = emulator(replay(&["unicode"]).instant()).await;
    let text = "naïve café — 你好 🌋 \u{2028} line\r\nnext\ttab \"quoted\" \\ back </script>";
    assert_eq!(run(&emulator, "hi", json!({})).await["output"], text);
    let stream = get(&emulator, "/run/stream?prompt=hi").await;
    let expected = text.replace("\r\n", "\n\ndata: ");
    assert!(
        stream.body.starts_with(&format!("data: {expected}\n\nevent: done\n")),
        "{}",
        stream.body
    );
}

#[tokio::test]
async fn partial_messages_come_only_when_they_are_wanted() {
    let emulator = emulator(replay(&["bash-tool"]).instant()).await;
    let mut claude = json!({"output_format": "stream-json"});
    let whole = run(&emulator, "hi", claude.clone()).await;
    let all = recorded("bash-tool", &whole);
    let partial = |line: &&String| line.contains(r#""type":"stream_event""#);
    let expected: Vec<_> = all.iter().filter(|line| !partial(line)).collect();
    assert!(expected.len() > 5 && expected.len() < all.len());
    assert_eq!(lines(&whole), expected);
    claude["include_partial_messages"] = json!(true);
    let parts = run(&emulator, "hi", claude).await;
    assert_eq!(lines(&parts), recorded("bash-tool", &parts));
}

#[tokio::test]
async fn replayed_prompts_come_only_when_they_are_wanted() {
    let emulator = emulator(replay(&["two-turns"]).instant()).await;
    let mut claude = json!({"output_format": "stream-json"});
    assert_eq!(lines(&run(&emulator, "hi", claude.clone()).await).len(), 3);
    claude["replay_user_messages"] = json!(true);
    let replayed = run(&emulator, "hi", claude).await;
    assert_eq!(lines(&replayed), recorded("two-turns", &replayed)[4..]);
}

#[tokio::test]
async fn structured_output_is_the_one_of_then() {
    let emulator = emulator(replay(&["structured"]).instant()).await;
    let claude = json!({"output_format": "json", "json_schema": "{}"});
    let response = run(&emulator, "hi", claude).await;
    assert_eq!(response["structured_output"], json!({"summary": "ok", "score": 7}));
    assert_eq!(
        run(&emulator, "hi", json!({})).await["output"],
        r#"{"summary":"ok","score":7}"#
    );
}

#[tokio::test]
async fn what_a_run_has_used_is_what_its_result_says() {
    let emulator = emulator(replay(&["bash-tool"]).instant()).await;
    let usage = json!({
        "model": "claude-sonnet-5",
        "input_tokens": 240,
        "output_tokens": 84,
        "cache_creation_input_tokens": 600,
        "cache_read_input_tokens": 3600,
        "total_tokens": 4524,
        "estimated_cost_usd": 0.00531,
    });
    for format in ["text", "json", "stream-json"] {
        let response = run(&emulator, "hi", json!({"output_format": format})).await;
        assert_eq!(response["usage"], usage, "{format}");
    }
}

#[tokio::test]
async fn a_result_that_is_an_error_exits_with_status_1() {
    let emulator = emulator(replay(&["api-error-400", "max-turns"]).instant()).await;
    for said in ["Prompt is too long", "Reached maximum number of turns (2)"] {
        let response = post(&emulator, "/run", r#"{"prompt":"hi"}"#).await;
        assert_eq!(response.status, 500);
        let error = response.json()["error"].as_str().unwrap().to_owned();
        let expected = format!("execution failed: exit status 1, output: {said}");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn prompts_take_the_turns_in_their_order_and_then_again() {
    let emulator = emulator(replay(&["text", "two-turns", "bash-tool"]).instant()).await;
    for _ in 0..2 {
        for expected in [
            "Hello from the model.",
            "Hello from the model.",
            "naïve",
            "The command printed hi.",
        ] {
            let response = run(&emulator, "hi", json!({})).await;
            assert!(response["output"].as_str().unwrap().starts_with(expected), "{response}");
        }
    }
}

#[tokio::test]
async fn a_prompt_chooses_its_recording() {
    let file = |name| Recording::file(vector(name)).unwrap();
    let replay = replay(&["text"])
        .on_prompt("test", file("tool-error"))
        .on_prompt("the test", file("bash-tool"))
        .instant();
    let emulator = emulator(replay).await;
    for (prompt, expected) in [
        ("run the tests", "The command printed hi."),
        ("run tests", "The file does not exist."),
        ("hi", "Hello from the model."),
    ] {
        assert_eq!(run(&emulator, prompt, json!({})).await["output"], expected);
    }
    emulator.on_prompt("hi").reply("rules come first");
    assert_eq!(run(&emulator, "hi", json!({})).await["output"], "rules come first");
}

#[tokio::test]
async fn lines_are_replayed_as_they_are() {
    let lines = [
        "{ \"type\" : \"system\" }",
        "no JSON",
        r#"{"type":"result","result":"ok"}"#,
    ];
    let emulator = emulator(Replay::lines(lines).instant()).await;
    let response = run(&emulator, "hi", json!({"output_format": "stream-json"})).await;
    assert_eq!(self::lines(&response), lines);
    assert_eq!(run(&emulator, "hi", json!({})).await["output"], "ok");
}

#[tokio::test]
async fn a_recording_without_a_result_completes_without_one() {
    let emulator = emulator(Replay::lines([r#"{"type":"user"}"#]).instant()).await;
    assert_eq!(run(&emulator, "hi", json!({})).await.get("output"), None);
    let none: [&str; 0] = [];
    let emulator = self::emulator(Replay::lines(none)).await;
    assert_eq!(run(&emulator, "hi", json!({})).await["status"], "completed");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Replay::files(["no/such.jsonl"]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("no/such.jsonl: "), "{error}");
}

#[test]
fn nothing_that_was_said_is_shown() {
    let recording = Recording::file(vector("text")).unwrap();
    let shown = format!(
        "{recording:?} {:?}",
        replay(&["text"]).on_prompt("secret", recording.clone())
    );
    assert!(!shown.contains("Hello") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn an_agent_replays_one_turn_after_the_other() {
    let emulator = emulator(replay(&["two-turns"]).instant()).await;
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let all = recorded("two-turns", &look(&emulator, &agent).await);
    for turn in [&all[..4], &all[4..]] {
        send(&emulator, &agent, "hi").await;
        assert_eq!(events.next().await.name, "turn_start");
        for line in turn.iter().filter(|line| !line.contains("\"isReplay\":true")) {
            assert_eq!(events.next().await.content(), line);
        }
        assert_eq!(events.next().await.name, "turn_end");
    }
}

#[tokio::test]
async fn an_agent_survives_a_result_that_is_an_error() {
    let emulator = emulator(replay(&["api-error-400"]).instant()).await;
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    for turns in 1..=2 {
        send(&emulator, &agent, "hi").await;
        events.until("turn_end").await;
        let now = look(&emulator, &agent).await;
        assert_eq!(
            (&now["status"], &now["turns_completed"]),
            (&json!("idle"), &json!(turns))
        );
    }
}
