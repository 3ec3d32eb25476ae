//! The tokens and the cost that a run reports: those of its whole session, WIRE §6.

use serde_json::{Value, json};
use stromboli_emulator::{Answer, Dialect, Emulator, Exit, Run, Step, Usage};

use crate::client::{SESSION, post};

fn tokens(model: &str, count: u64) -> Usage {
    Usage {
        model: Some(model.to_owned()).filter(|model| !model.is_empty()),
        input_tokens: count,
        output_tokens: count,
        cache_creation_input_tokens: count,
        cache_read_input_tokens: count,
    }
}

async fn run(emulator: &Emulator, prompt: &str, claude: Value) -> Value {
    let body = json!({"prompt": prompt, "claude": claude}).to_string();
    post(emulator, "/run", body).await.json()
}

#[tokio::test]
async fn usage_is_that_of_the_whole_session() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("one")
        .reply("1")
        .usage(tokens("claude-haiku-4-5", 1000));
    emulator
        .on_prompt("two")
        .reply("2")
        .usage(tokens("claude-sonnet-5", 20));
    let first = run(&emulator, "one", json!({"session_id": SESSION})).await;
    // (0.25 + 1.25 + 0.30 + 0.025) USD a million of each.
    let expected = json!({
        "model": "claude-haiku-4-5",
        "input_tokens": 1000,
        "output_tokens": 1000,
        "cache_creation_input_tokens": 1000,
        "cache_read_input_tokens": 1000,
        "total_tokens": 4000,
        "estimated_cost_usd": 0.001825,
    });
    assert_eq!(first["usage"], expected);
    let second = run(&emulator, "two", json!({"session_id": SESSION, "resume": true})).await;
    assert_eq!(second["usage"]["model"], "claude-sonnet-5");
    assert_eq!(
        (&second["usage"]["input_tokens"], &second["usage"]["total_tokens"]),
        (&json!(1020), &json!(4080))
    );
    // All of it by the price of the model that spoke last: (3 + 15 + 3.75 + 0.30) × 1020.
    assert_eq!(second["usage"]["estimated_cost_usd"], 0.022491);
    let other = run(&emulator, "two", json!({})).await;
    assert_eq!(other["usage"]["total_tokens"], 80);
}

#[tokio::test]
async fn the_price_goes_by_a_part_of_the_models_name() {
    let cases = [
        ("claude-opus-4-8", 0.11025),
        ("anthropic.claude-sonnet-5-v1", 0.02205),
        ("haiku", 0.001825),
        ("gpt", 0.0),
        ("Opus", 0.0),
        ("", 0.0),
    ];
    for (model, cost) in cases {
        let emulator = Emulator::start().await.unwrap();
        emulator.on_prompt("").reply("ok").usage(tokens(model, 1000));
        let usage = &run(&emulator, "hi", json!({})).await["usage"];
        assert_eq!(usage["estimated_cost_usd"].as_f64(), Some(cost), "{model}");
    }
}

#[tokio::test]
async fn the_model_is_the_requests_unless_the_answer_says_another() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("any").reply("ok").usage(tokens("", 1));
    emulator.on_prompt("own").reply("ok").usage(tokens("haiku", 1));
    for (prompt, model) in [("any", "opus"), ("own", "haiku")] {
        let usage = &run(&emulator, prompt, json!({"model": "opus"})).await["usage"];
        assert_eq!(usage["model"], model);
    }
}

#[tokio::test]
async fn without_tokens_in_the_transcript_there_is_no_usage() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("counted").reply("ok").usage(tokens("haiku", 1));
    assert_eq!(run(&emulator, "plain", json!({})).await.get("usage"), None);
    let unkept = run(&emulator, "counted", json!({"no_persistence": true})).await;
    assert_eq!(unkept.get("usage"), None);
    emulator.on_prompt("nothing").reply("ok").usage(Usage::default());
    let zero = json!({
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "total_tokens": 0,
        "estimated_cost_usd": 0,
    });
    assert_eq!(run(&emulator, "nothing", json!({})).await["usage"], zero);
}

#[tokio::test]
async fn a_session_that_was_put_there_counts() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_session(SESSION, include_str!("recorded/structured-session.jsonl"));
    let claude = json!({"session_id": SESSION, "resume": true});
    let usage = &run(&emulator, "hi", claude).await["usage"];
    assert_eq!(
        (&usage["model"], &usage["total_tokens"]),
        (&json!("claude-sonnet-5"), &json!(2262))
    );
    assert_eq!(usage["estimated_cost_usd"], 0.002655);
}

#[tokio::test]
async fn a_fork_leaves_the_usage_of_its_session_as_it_was() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").reply("ok").usage(tokens("haiku", 1));
    run(&emulator, "hi", json!({"session_id": SESSION})).await;
    let fork = run(
        &emulator,
        "hi",
        json!({"session_id": SESSION, "resume": true, "fork_session": true}),
    )
    .await;
    assert_eq!(fork["usage"]["total_tokens"], 4);
}

#[tokio::test]
async fn a_crash_has_used_what_it_had_used() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("")
        .lines(["half"])
        .usage(tokens("haiku", 1))
        .crash(137, "SIGKILL");
    let crashed = run(&emulator, "hi", json!({})).await;
    assert_eq!(
        (&crashed["status"], &crashed["usage"]["total_tokens"]),
        (&json!("crashed"), &json!(4))
    );
}

#[tokio::test]
async fn tokens_of_printed_messages_count_unless_the_rule_says_others() {
    let message = |output: u64| {
        let usage = json!({"input_tokens": 1, "output_tokens": output});
        json!({"type": "assistant", "message": {"role": "assistant", "model": "haiku", "content": [], "usage": usage}})
    };
    let printed = [message(10).to_string(), message(100).to_string()];
    let emulator = Emulator::start().await.unwrap();
    let rule = emulator.on_prompt("").lines(printed);
    assert_eq!(run(&emulator, "hi", json!({})).await["usage"]["total_tokens"], 112);
    rule.usage(tokens("opus", 1));
    let usage = &run(&emulator, "hi", json!({})).await["usage"];
    assert_eq!((&usage["model"], &usage["total_tokens"]), (&json!("opus"), &json!(4)));
}

#[tokio::test]
async fn an_answerer_gives_tokens_before_each_answer() {
    let answerer = |_: Run| {
        let said = |text: &str| {
            let content = json!([{"type": "text", "text": text}]);
            let message = json!({"role": "assistant", "content": content});
            Step::Line(json!({"type": "assistant", "message": message}).to_string())
        };
        let steps = [
            Step::Usage(tokens("haiku", 1)),
            said("one"),
            Step::Usage(tokens("haiku", 5)),
            Step::Usage(tokens("haiku", 2)),
            said("two"),
            Step::Exit(Exit::Completed),
        ];
        Answer::new(futures_util::stream::iter(steps))
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    assert_eq!(run(&emulator, "hi", json!({})).await["usage"]["total_tokens"], 12);
}

#[tokio::test]
async fn there_was_no_usage_before_0_5() {
    let emulator = Emulator::builder().dialect(Dialect::V0_4_3).start().await.unwrap();
    emulator.on_prompt("").reply("ok").usage(tokens("haiku", 1));
    assert_eq!(run(&emulator, "hi", json!({})).await.get("usage"), None);
}
