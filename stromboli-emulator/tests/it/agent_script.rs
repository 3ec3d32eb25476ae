//! What answers an agent: rules, answerers for each turn, and answerers that run the agent themselves.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use stromboli_emulator::{Agent, Answer, Answerer, Echo, Emulator, Run, Step};

use crate::client::{delete, post, within};
use crate::events::{Events, messages, names, puppet, send, start, turn};

#[tokio::test]
async fn messages_are_printed_as_they_are() {
    let emulator = Emulator::start().await.unwrap();
    let custom = json!({"type": "custom", "n": 1});
    let result = json!({"type": "result", "subtype": "error_max_turns", "is_error": true});
    emulator.on_prompt("ping").messages([custom.clone(), result.clone()]);
    let events = turn(&emulator, json!({}), "ping").await;
    assert_eq!(messages(&events), [custom, result]);
    let run = post(&emulator, "/run", r#"{"prompt":"ping"}"#).await.json();
    assert!(
        run["output"]
            .as_str()
            .unwrap()
            .starts_with(r#"{"n":1,"type":"custom"}"#)
    );
}

#[tokio::test]
async fn standard_error_is_output_of_a_run_as_well() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("pong").stderr("warning");
    let run = post(&emulator, "/run", r#"{"prompt":"ping"}"#).await.json();
    assert_eq!(run["output"], "warning\npong");
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_each_line_of_an_agent_too() {
    let emulator = Emulator::start().await.unwrap();
    let second = Duration::from_secs(1);
    emulator
        .on_prompt("ping")
        .lines([r#"{"type":"a"}"#, r#"{"type":"result"}"#])
        .delay(second);
    let before = tokio::time::Instant::now();
    turn(&emulator, json!({}), "ping").await;
    assert!(before.elapsed() >= 2 * second);
}

#[tokio::test]
async fn an_answerer_is_asked_for_each_turn() {
    let answerer = |run: Run| {
        assert!(run.id.starts_with("turn-") && run.podman == json!({}));
        let forced = [
            "input_format",
            "output_format",
            "include_partial_messages",
            "verbose",
            "resume",
        ];
        let forced: Vec<_> = forced.iter().map(|name| run.claude.get(name).cloned()).collect();
        let text = json!([run.prompt, run.workdir, run.session_id, run.claude["effort"], forced]);
        Answer::reply(&run, &text.to_string())
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let body = json!({"workdir": "/w", "claude": {"effort": "max", "resume": true, "verbose": false}});
    let messages = messages(&turn(&emulator, body, "hi").await);
    let result = messages.last().unwrap();
    let seen: Value = serde_json::from_str(result["result"].as_str().unwrap()).unwrap();
    let forced = json!(["stream-json", "stream-json", true, true, null]);
    assert_eq!(seen, json!(["hi", "/w", result["session_id"], "max", forced]));

    let echo = Emulator::builder().answerer(Echo).start().await.unwrap();
    let echoed = turn(&echo, json!({}), "say this").await;
    assert_eq!(echoed[echoed.len() - 2].message()["result"], "say this");
}

#[tokio::test]
async fn without_a_rule_an_agent_says_who_it_is() {
    let emulator = Emulator::start().await.unwrap();
    let messages = messages(&turn(&emulator, json!({}), "hello").await);
    let result = messages.last().unwrap()["result"].as_str().unwrap();
    assert!(result.starts_with("This is the Stromboli emulator") && result.contains("> hello"));
}

/// Starts a process of its own, which answers every prompt with its number.
struct Counting;

impl Answerer for Counting {
    fn answer(&self, run: Run) -> Answer {
        Echo.answer(run)
    }

    fn start_agent(&self, agent: Agent) -> Option<std::io::Result<Answer>> {
        let numbered = agent.prompts.enumerate().flat_map(|(number, prompt)| {
            let result = json!({"type": "result", "result": format!("{number}: {prompt}")});
            stream::iter([Step::Stderr(format!("turn {number}")), Step::Line(result.to_string())])
        });
        Some(Ok(Answer::new(numbered)))
    }
}

#[tokio::test]
async fn an_answerer_can_run_agents_itself() {
    let emulator = Emulator::builder().answerer(Counting).start().await.unwrap();
    emulator.on_prompt("").reply("a rule does not count");
    let agent = start(&emulator, json!({"prompt": "zero"})).await;
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "one").await;
    let turn = events.until("turn_end").await;
    assert_eq!(names(&turn), ["turn_start", "error", "output", "turn_end"]);
    assert_eq!(turn[2].message()["result"], "1: one");
    // When its prompts end, the process does.
    let stopped = delete(&emulator, &format!("/agents/{agent}")).await;
    assert_eq!(stopped.status, 204);
    assert_eq!(names(&events.until("closed").await), ["exited", "closed"]);
}

#[tokio::test]
async fn an_answerer_is_told_what_agent_to_start() {
    let (answerer, mut puppets) = puppet();
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let body = json!({"workdir": "/w", "claude": {"model": "opus", "session_id": "x", "resume": true}});
    let shown = post(&emulator, "/agents", body.to_string()).await.json();
    let puppet = puppets.recv().await.unwrap();
    assert_eq!(
        (json!(puppet.agent.id), json!(puppet.agent.session_id)),
        (shown["id"].clone(), shown["session_id"].clone())
    );
    assert_eq!(puppet.agent.workdir.as_deref(), Some("/w"));
    let claude = json!({
        "model": "opus",
        "input_format": "stream-json",
        "output_format": "stream-json",
        "include_partial_messages": true,
        "verbose": true,
    });
    assert_eq!(puppet.agent.claude, claude);
}

#[tokio::test]
async fn a_seed_makes_an_agents_ids_the_same_each_time() {
    let mut transcripts = Vec::new();
    for seed in [7, 7, 8] {
        let emulator = Emulator::builder().seed(seed).start().await.unwrap();
        let mut messages = messages(&turn(&emulator, json!({}), "hi").await);
        messages.retain(|message| message.get("timestamp").is_none());
        transcripts.push(messages);
    }
    assert_eq!(transcripts[0], transcripts[1]);
    assert_ne!(transcripts[0], transcripts[2]);
}
