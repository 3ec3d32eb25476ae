//! What a client may send and the server takes no notice of.

use std::sync::{Arc, Mutex};

use serde_json::json;
use stromboli_emulator::{Answer, Emulator, Run, Usage};

use crate::client::{Connection, SESSION, get, post, request, within};
use crate::events::{Events, send, start};
use crate::token::{guarded, refusal};

#[tokio::test]
async fn headers_that_ask_for_more_change_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let plain = get(&emulator, "/health").await;
    for header in [
        "Origin: http://page.example\r\n",
        "Accept-Encoding: gzip, br\r\n",
        "Accept: text/html\r\n",
        "If-None-Match: *\r\n",
        "Idempotency-Key: one\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ] {
        let answer = request(&emulator, "GET", "/health", header, b"").await;
        assert_eq!((answer.status, &answer.body), (200, &plain.body), "{header}");
        assert_eq!(answer.header_names(), plain.header_names(), "{header}");
    }
}

#[tokio::test]
async fn a_key_does_not_keep_a_run_from_beginning_twice() {
    let emulator = Emulator::start().await.unwrap();
    for runs in 1..=2 {
        let header = "Idempotency-Key: one\r\n";
        let answer = request(&emulator, "POST", "/run", header, br#"{"prompt":"hi"}"#).await;
        assert_eq!((answer.status, emulator.executions()), (200, runs));
    }
}

#[tokio::test]
async fn jobs_cannot_be_chosen_or_paged() {
    let emulator = Emulator::start().await.unwrap();
    for prompt in ["one", "two"] {
        let accepted = post(&emulator, "/run/async", json!({"prompt": prompt}).to_string()).await;
        assert_eq!(accepted.status, 202);
    }
    let all = get(&emulator, "/jobs?limit=1&offset=1&status=failed").await.json();
    assert_eq!(all["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_stream_reads_three_parameters_and_no_other() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let answerer = {
        let seen = Arc::clone(&seen);
        move |run: Run| {
            seen.lock()
                .unwrap()
                .push((run.workdir.clone(), run.claude.clone(), run.podman.clone()));
            Answer::lines(["ok"])
        }
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let target = format!(
        "/run/stream?prompt=hi&workdir=/w&session_id={SESSION}&resume=true&model=opus&timeout=bad&image=x&output_format=json"
    );
    let first = get(&emulator, &target).await;
    assert!(first.body.starts_with("data: ok\n\nevent: done\n"), "{}", first.body);
    let expected = (Some("/w".to_owned()), json!({"session_id": SESSION}), json!({}));
    assert_eq!(*seen.lock().unwrap(), [expected]);
    // Nor does it continue what there is: the session's id is in use now.
    let second = get(&emulator, &target).await;
    let ending = "event: error\ndata: execution failed: exit status 1\n\n";
    assert!(second.body.ends_with(ending), "{}", second.body);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_tells_neither_usage_nor_output_at_its_end() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("hi").reply("ok").usage(Usage::default());
    let stream = get(&emulator, "/run/stream?prompt=hi").await;
    let (_, end) = stream.body.split_once("event: done\ndata: ").unwrap();
    let end: serde_json::Value = serde_json::from_str(end.trim_end()).unwrap();
    let members: Vec<_> = end.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "session_id", "status"]);
}

#[tokio::test]
async fn a_stream_that_is_not_let_in_is_refused_in_json() {
    let emulator = guarded().rate_limit(1, 1).start().await.unwrap();
    let refused = get(&emulator, "/run/stream?prompt=hi").await;
    assert_eq!(refusal(&refused), (401, "missing authorization header".to_owned()));
    let refused = get(&emulator, "/run/stream?prompt=hi").await;
    assert_eq!(refusal(&refused), (429, "rate limit exceeded".to_owned()));
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn no_event_of_an_agent_is_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "first").await;
    while events.next().await.name != "turn_end" {}
    let mut again = Connection::open(&emulator).await;
    let target = format!("/agents/{agent}/stream");
    again.send("GET", &target, "Last-Event-ID: 0\r\n", b"").await;
    within(again.head()).await;
    let turn = send(&emulator, &agent, "second").await;
    let first = within(again.chunk()).await;
    let beginning = format!("event: turn_start\ndata: {{\"type\":\"turn_start\",\"turn_id\":\"{turn}\"");
    assert!(first.starts_with(&beginning), "{first}");
}

#[tokio::test]
async fn a_stream_that_is_asked_for_again_runs_again() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("hi").lines(["one", "two"]);
    for runs in 1..=2 {
        let stream = request(&emulator, "GET", "/run/stream?prompt=hi", "Last-Event-ID: 1\r\n", b"").await;
        let beginning = "data: one\n\ndata: two\n\nevent: done\n";
        assert!(stream.body.starts_with(beginning), "{}", stream.body);
        assert_eq!(emulator.executions(), runs);
    }
}
