//! Live agents against a server that sends what a script says: events out of the ordinary, and the bytes around them.

use serde_json::json;
use stromboli::{Client, ErrorKind, Message, RetryPolicy};

use crate::support::{PAUSE, Reply, SHORT, Server, Step, chunk, within};

/// An agent's stream as a server that is not the emulator sends it.
pub(crate) fn stream(events: &[(&str, serde_json::Value)]) -> Vec<u8> {
    let mut bytes = Reply::events();
    for (name, data) in events {
        bytes.extend(chunk(format!("event: {name}\ndata: {data}\n\n")));
    }
    bytes
}

pub(crate) fn idle_agent() -> Vec<u8> {
    agent("idle")
}

fn agent(status: &str) -> Vec<u8> {
    let agent = json!({"id": "agent-1", "session_id": "s-1", "status": status, "created_at": "2026-05-06T10:00:00Z",
        "last_activity_at": "2026-05-06T10:00:00Z", "idle_timeout_seconds": 1800, "turns_completed": 0});
    Reply::new(200)
        .header("connection", "close")
        .json(agent.to_string())
        .bytes()
}

/// A server whose one agent has one turn, with these events.
pub(crate) async fn turn_of(events: &[(&str, serde_json::Value)]) -> Server {
    let sent = Reply::new(202).json(r#"{"turn_id":"t-1"}"#).bytes();
    Server::each([
        vec![Step::Read, Step::Send(idle_agent())],
        vec![Step::Read, Step::Send(stream(events)), Step::UntilClosed],
        vec![Step::Read, Step::Send(sent)],
    ])
    .await
}

pub(crate) fn output(content: &serde_json::Value) -> (&'static str, serde_json::Value) {
    let at = "2026-05-06T10:00:00.123456789+02:00";
    (
        "output",
        json!({"type": "output", "turn_id": "t-1", "content": content.to_string(), "at": at}),
    )
}

pub(crate) fn stderr(turn: &str, line: &str) -> (&'static str, serde_json::Value) {
    (
        "error",
        json!({"type": "error", "turn_id": turn, "error": line, "at": "2026-05-06T10:00:00Z"}),
    )
}

pub(crate) fn mark(kind: &'static str, turn: &str) -> (&'static str, serde_json::Value) {
    (
        kind,
        json!({"type": kind, "turn_id": turn, "at": "2026-05-06T10:00:00+02:00"}),
    )
}

pub(crate) fn result() -> serde_json::Value {
    json!({"type": "result", "subtype": "success", "is_error": false, "result": "done"})
}

#[tokio::test]
async fn what_is_no_message_does_not_disturb_a_turn() {
    let server = turn_of(&[
        ("error", json!({"type": "error", "error": "npm warn", "at": "x"})),
        mark("turn_start", "t-1"),
        (
            "output",
            json!({"type": "output", "turn_id": "t-1", "at": "2026-05-06T10:00:00Z"}),
        ),
        (
            "output",
            json!({"type": "output", "turn_id": "t-1", "content": "(node:1) Warning", "at": ""}),
        ),
        ("progress", json!({"percent": 12})),
        (
            "error",
            json!({"type": "error", "turn_id": "t-1", "error": "low disk", "new": {"field": 1}}),
        ),
        output(&json!({"type": "brand_new", "turn": 1})),
        output(&result()),
        mark("turn_end", "t-1"),
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    let turn = within(client.agent("agent-1").send("hi")).await.unwrap();
    let result = within(turn.finish()).await.unwrap();
    assert_eq!(result.text, "done");
    assert!(matches!(
        &result.messages[..],
        [Message::Unknown(_), Message::Result(_)]
    ));
    assert_eq!(result.diagnostics, ["npm warn", "(node:1) Warning", "low disk"]);
    assert!(result.is_complete());
}

#[tokio::test]
async fn a_turn_without_its_start_or_its_result_is_no_silent_hole() {
    for (events, kinds) in [
        (
            vec![output(&result()), mark("turn_end", "t-1")],
            vec![ErrorKind::Lagged],
        ),
        (
            vec![mark("turn_start", "t-1"), mark("turn_end", "t-1")],
            vec![ErrorKind::Lagged, ErrorKind::Incomplete],
        ),
        (
            vec![mark("turn_end", "t-1")],
            vec![ErrorKind::Lagged, ErrorKind::Incomplete],
        ),
        (
            vec![mark("turn_start", "t-1"), mark("turn_start", "t-2")],
            vec![ErrorKind::Lagged, ErrorKind::Incomplete],
        ),
        (
            vec![mark("turn_start", "t-1"), output(&result()), mark("turn_start", "t-2")],
            vec![],
        ),
        (
            vec![mark("turn_start", "t-1"), ("closed", json!({}))],
            vec![ErrorKind::Truncated],
        ),
    ] {
        let server = turn_of(&events).await;
        let client = Client::new(server.url()).unwrap();
        let mut turn = within(client.agent("agent-1").send("hi")).await.unwrap();
        let mut seen = Vec::new();
        loop {
            match within(turn.try_next()).await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(error.may_have_executed());
                    seen.push(error.kind());
                }
            }
        }
        assert_eq!(seen, kinds, "{events:?}");
    }
}

#[tokio::test]
async fn the_result_of_a_task_in_the_background_is_not_taken_for_the_answer() {
    let mut of_task = result();
    of_task["origin"] = json!({"kind": "task-notification"});
    let server = turn_of(&[mark("turn_start", "t-1"), output(&of_task), mark("turn_end", "t-1")]).await;
    let client = Client::new(server.url()).unwrap();
    let error = within(client.agent("agent-1").ask("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Incomplete, true));
}

#[tokio::test]
async fn a_connection_lost_after_the_result_costs_nothing() {
    let sent = Reply::new(202).json(r#"{"turn_id":"t-1"}"#).bytes();
    let events = stream(&[mark("turn_start", "t-1"), output(&result())]);
    let server = Server::each([
        vec![Step::Read, Step::Send(idle_agent())],
        vec![Step::Read, Step::Send(events), Step::Gate, Step::Reset],
        vec![Step::Read, Step::Send(sent)],
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    let turn = within(client.agent("agent-1").send("hi")).await.unwrap();
    server.go_on();
    assert_eq!(within(turn.finish()).await.unwrap().text, "done");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_told_and_the_next_one_comes() {
    let server = turn_of(&[
        mark("turn_start", "t-1"),
        ("output", json!(["not an object"])),
        output(&result()),
        mark("turn_end", "t-1"),
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    let mut turn = within(client.agent("agent-1").send("hi")).await.unwrap();
    assert_eq!(within(turn.try_next()).await.unwrap_err().kind(), ErrorKind::Decode);
    assert!(matches!(
        within(turn.try_next()).await.unwrap(),
        Some(Message::Result(_))
    ));
    assert!(within(turn.try_next()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_agent_that_exits_while_it_is_subscribed_to_is_not_listened_to_for_ever() {
    let server = Server::each([
        vec![Step::Read, Step::Send(idle_agent())],
        vec![Step::Read, Step::Send(stream(&[])), Step::UntilClosed],
        vec![Step::Read, Step::Send(agent("exited"))],
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    let mut events = within(client.agent("agent-1").events())
        .await
        .unwrap()
        .idle_timeout(SHORT);
    let error = within(events.try_next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AgentExited);
}

#[tokio::test]
async fn a_server_that_does_not_open_the_stream_is_not_waited_for_as_long_as_an_agent() {
    let server = Server::each([
        vec![Step::Read, Step::Send(idle_agent())],
        vec![Step::Read, Step::UntilClosed],
    ])
    .await;
    let timeouts = stromboli::Timeouts::default().quick(PAUSE);
    let builder = Client::builder(server.url())
        .timeouts(timeouts)
        .retry(RetryPolicy::never());
    let error = within(builder.build().unwrap().agent("agent-1").send("hi"))
        .await
        .unwrap_err();
    assert!(error.is_timeout() && !error.may_have_executed(), "{error:?}");
}

#[tokio::test]
async fn a_prompt_whose_answer_was_lost_is_not_sent_again() {
    let server = Server::each([
        vec![Step::Read, Step::Send(idle_agent())],
        vec![Step::Read, Step::Send(stream(&[])), Step::UntilClosed],
        vec![Step::Read, Step::Reset],
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    let error = within(client.agent("agent-1").send("hi")).await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_executed()), (1, true));
    let sends = server
        .requests()
        .iter()
        .filter(|request| request.path().ends_with("/send"))
        .count();
    assert_eq!(sends, 1);
}
