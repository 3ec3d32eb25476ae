//! What answers: rules, and answerers behind them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stromboli_emulator::{Answer, Echo, Emulator, Run};
use tokio::time::Instant;

use crate::client::{SESSION, get, post};

async fn run(emulator: &Emulator, body: Value) -> Value {
    post(emulator, "/run", body.to_string()).await.json()
}

#[tokio::test]
async fn the_newest_rule_that_matches_counts() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").reply("any");
    let rule = emulator.on_prompt("ping").reply("old");
    emulator.on_prompt("big ping").reply("new");
    let output = async |prompt: &str| run(&emulator, json!({"prompt": prompt})).await["output"].clone();
    assert_eq!(output("a big ping!").await, "new");
    assert_eq!(output("ping").await, "old");
    assert_eq!(output("else").await, "any");
    rule.reply("changed");
    assert_eq!(output("ping").await, "changed");
}

#[tokio::test]
async fn without_a_rule_the_emulator_says_who_it_is_and_quotes_the_prompt() {
    let emulator = Emulator::start().await.unwrap();
    let response = run(&emulator, json!({"prompt": "first\nsecond"})).await;
    let output = response["output"].as_str().unwrap();
    assert!(output.starts_with("This is the Stromboli emulator"));
    assert!(output.contains("\n> first\n> second\n"));
    let stream = get(&emulator, "/run/stream?prompt=one").await;
    assert!(stream.body.contains("data: > one\n\n"));
}

#[tokio::test]
async fn a_json_reply_comes_in_the_envelope_of_the_command_line() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("po\nng");
    for format in ["json", "stream-json"] {
        let claude = json!({"output_format": format});
        let response = run(&emulator, json!({"prompt": "ping", "claude": claude})).await;
        let output: Value = serde_json::from_str(response["output"].as_str().unwrap()).unwrap();
        let expected = json!({
            "type": "result",
            "subtype": "success",
            "is_error": false,
            "duration_ms": 0,
            "duration_api_ms": 0,
            "num_turns": 1,
            "result": "po\nng",
            "session_id": response["session_id"],
            "total_cost_usd": 0,
            "usage": {
                "input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 0,
            },
        });
        assert_eq!(output, expected);
    }
    let text = run(
        &emulator,
        json!({"prompt": "ping", "claude": {"output_format": "text"}}),
    )
    .await;
    assert_eq!(text["output"], "po\nng");
}

#[tokio::test]
async fn a_json_reply_to_a_run_with_a_schema_is_its_structured_output() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply(r#"{"answer":4}"#);
    let claude = json!({"output_format": "json", "json_schema": "{}"});
    let response = run(&emulator, json!({"prompt": "ping", "claude": claude})).await;
    assert_eq!(response["structured_output"], json!({"answer": 4}));
    let claude = json!({"output_format": "json"});
    let response = run(&emulator, json!({"prompt": "ping", "claude": claude})).await;
    assert_eq!(response.get("structured_output"), None);
}

#[tokio::test]
async fn lines_are_output_whatever_the_format() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").lines(["raw"]);
    let body = json!({"prompt": "ping", "claude": {"output_format": "json"}});
    assert_eq!(run(&emulator, body).await["output"], "raw");
}

#[tokio::test]
async fn echo_answers_with_the_prompt() {
    let emulator = Emulator::builder().answerer(Echo).start().await.unwrap();
    assert_eq!(run(&emulator, json!({"prompt": "a\nb"})).await["output"], "a\nb");
    emulator.on_prompt("a").reply("rules come first");
    assert_eq!(
        run(&emulator, json!({"prompt": "a\nb"})).await["output"],
        "rules come first"
    );
}

#[tokio::test]
async fn an_answerer_sees_the_request_with_its_known_options() {
    let seen: Arc<Mutex<Vec<Run>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let answerer = move |run: Run| {
        keep.lock().unwrap().push(run);
        Answer::lines(["ok"])
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let body = json!({
        "prompt": "hi",
        "workdir": "/w",
        "claude": {"session_id": SESSION, "model": "haiku", "max_turns": 2, "unknown": 1, "agent": null},
        "podman": {"memory": "1g"},
    });
    let response = run(&emulator, body).await;
    get(&emulator, "/run/stream?prompt=streamed&model=opus&resume=true").await;
    let seen = seen.lock().unwrap();
    assert_eq!(response["id"], seen[0].id.as_str());
    assert_eq!((seen[0].prompt.as_str(), seen[0].session_id.as_str()), ("hi", SESSION));
    assert_eq!(seen[0].workdir.as_deref(), Some("/w"));
    assert_eq!(
        seen[0].claude,
        json!({"session_id": SESSION, "model": "haiku", "max_turns": 2})
    );
    assert_eq!(seen[0].podman, json!({"memory": "1g"}));
    assert_eq!(
        (seen[1].prompt.as_str(), seen[1].workdir.as_deref()),
        ("streamed", None)
    );
    assert_eq!((&seen[1].claude, &seen[1].podman), (&json!({}), &json!({})));
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_each_line() {
    let emulator = Emulator::start().await.unwrap();
    let minute = Duration::from_secs(60);
    emulator.on_prompt("lines").lines(["one", "two"]).delay(minute);
    emulator.on_prompt("nothing").delay(minute);
    for (prompt, expected) in [("lines", 2 * minute), ("nothing", minute)] {
        let start = Instant::now();
        let response = run(&emulator, json!({"prompt": prompt})).await;
        assert_eq!(response["status"], "completed");
        // The clock is paused and goes from timer to timer, in steps of a millisecond.
        let taken = start.elapsed();
        assert!(
            taken >= expected && taken < expected + minute / 2,
            "{prompt} took {taken:?}"
        );
    }
}

#[tokio::test]
async fn a_hold_ends_when_it_is_dropped() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    drop(hold);
    assert_eq!(run(&emulator, json!({"prompt": "ping"})).await["output"], "pong");
}
