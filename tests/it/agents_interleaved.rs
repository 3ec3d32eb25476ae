//! Turns of a live agent among other things that happen to it at the same time, from servers that send a script.

use serde_json::{Value, json};
use stromboli::{AgentRequest, Client, ErrorKind, Message, TurnResult};

use crate::agents_wire::{idle_agent, mark, output, result, stderr, stream, turn_of};
use crate::support::{Reply, SHORT, Server, Step, within};

async fn ask(events: &[(&str, Value)]) -> stromboli::Result<TurnResult> {
    let server = turn_of(events).await;
    let client = Client::new(server.url()).unwrap();
    within(client.agent("agent-1").ask("hi")).await
}

fn exited(reason: &str) -> (&'static str, Value) {
    (
        "exited",
        json!({"type": "exited", "error": reason, "at": "2026-05-06T10:00:00Z"}),
    )
}

fn said(text: &str) -> (&'static str, Value) {
    output(&json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}))
}

#[tokio::test]
async fn a_turn_of_another_that_ends_first_is_no_hole_in_this_one() {
    let foreign = (
        "output",
        json!({"type": "output", "turn_id": "t-0", "content": "{\"type\":\"result\"}", "at": ""}),
    );
    for before in [
        vec![foreign.clone(), mark("turn_end", "t-0")],
        vec![mark("turn_end", "t-0")],
        vec![mark("turn_start", "t-0"), foreign, mark("turn_end", "t-0")],
    ] {
        let this = [mark("turn_start", "t-1"), output(&result()), mark("turn_end", "t-1")];
        let result = ask(&[before, this.to_vec()].concat()).await.unwrap();
        assert_eq!((result.text.as_str(), result.is_complete()), ("done", true));
    }
}

#[tokio::test]
async fn a_turn_that_was_missed_as_a_whole_is_not_waited_for() {
    let others: Vec<_> = (2..6)
        .flat_map(|n| {
            [
                mark("turn_start", &format!("t-{n}")),
                mark("turn_end", &format!("t-{n}")),
            ]
        })
        .collect();
    assert_eq!(ask(&others).await.unwrap_err().kind(), ErrorKind::Incomplete);
}

#[tokio::test]
async fn a_line_of_stderr_of_the_turn_before_ends_nothing() {
    let events = [
        mark("turn_start", "t-1"),
        stderr("t-0", "late"),
        output(&result()),
        mark("turn_end", "t-1"),
    ];
    let result = ask(&events).await.unwrap();
    assert_eq!((result.text.as_str(), result.diagnostics.len()), ("done", 0));
}

#[tokio::test]
async fn an_agent_that_is_being_stopped_is_heard_out() {
    let idle = "agent: idle timeout reached";
    let events = [
        mark("turn_start", "t-1"),
        exited(idle),
        output(&result()),
        mark("turn_end", "t-1"),
        exited("exit status 143"),
    ];
    assert_eq!(ask(&events).await.unwrap().text, "done");

    let events = [
        mark("turn_start", "t-1"),
        said("half"),
        exited(idle),
        exited("exit status 143"),
        ("closed", json!({})),
    ];
    let error = ask(&events).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AgentExited);
    assert!(error.message().starts_with(idle), "{error}");
    assert_eq!(error.body(), b"half");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_costs_those_who_ask_nothing() {
    let broken = ("error", json!({"type": "error", "error": {"message": "new form"}}));
    let result = ask(&[
        mark("turn_start", "t-1"),
        broken,
        output(&result()),
        mark("turn_end", "t-1"),
    ])
    .await
    .unwrap();
    assert_eq!((result.text.as_str(), result.is_complete()), ("done", false));
}

#[tokio::test]
async fn what_was_said_and_what_was_printed_are_both_kept_when_an_agent_dies() {
    let events = [
        mark("turn_start", "t-1"),
        said("half"),
        stderr("t-1", "FATAL: out of memory"),
        exited("exit status 134"),
        ("closed", json!({})),
    ];
    let error = ask(&events).await.unwrap_err();
    assert_eq!(error.body(), b"half\n\nFATAL: out of memory");
}

#[tokio::test]
async fn diagnostics_are_bounded_and_their_end_is_kept() {
    let mut events = vec![
        mark("turn_start", "t-1"),
        stderr("t-1", &"x".repeat(1 << 20)),
        stderr("t-1", "FATAL"),
    ];
    let printed = [events.clone(), vec![output(&result()), mark("turn_end", "t-1")]].concat();
    let diagnostics = ask(&printed).await.unwrap().diagnostics;
    assert_eq!((diagnostics.len(), diagnostics[1].as_str()), (2, "FATAL"));
    assert!(diagnostics[0].len() <= 64 * 1024);

    events.extend((0..5000).map(|n| stderr("t-1", &format!("line {n} {}", "é".repeat(50)))));
    events.extend([output(&result()), mark("turn_end", "t-1")]);
    let diagnostics = ask(&events).await.unwrap().diagnostics;
    assert!(diagnostics.last().unwrap().starts_with("line 4999"));
    assert!(diagnostics.iter().map(String::len).sum::<usize>() <= 64 * 1024);
}

#[tokio::test]
async fn a_turn_that_failed_is_kept_whole_in_its_error() {
    let failed = json!({"type": "result", "subtype": "error_max_turns", "is_error": true, "errors": ["too many"], "total_cost_usd": 2});
    let events = [
        mark("turn_start", "t-1"),
        said("half"),
        output(&failed),
        mark("turn_end", "t-1"),
    ];
    let error = ask(&events).await.unwrap().ok().unwrap_err();
    let turn = error.turn().unwrap();
    assert_eq!((turn.messages.len(), turn.total_cost_usd), (2, Some(2.0)));
}

#[tokio::test]
async fn a_result_without_its_turns_end_is_not_waited_for_longer_than_needed() {
    assert_eq!(
        ask(&[mark("turn_start", "t-1"), output(&result())]).await.unwrap().text,
        "done"
    );
}

#[tokio::test]
async fn an_idle_timeout_counts_from_when_it_is_set() {
    let server = turn_of(&[mark("turn_start", "t-1")]).await;
    let client = Client::new(server.url()).unwrap();
    let mut turn = within(client.agent("agent-1").send("hi")).await.unwrap();
    let _ = tokio::time::timeout(SHORT, turn.try_next()).await;
    let mut turn = turn.idle_timeout(SHORT);
    assert!(within(turn.try_next()).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn messages_of_a_turn_are_bounded() {
    let line = said(&"x".repeat(100_000));
    let events: Vec<_> = std::iter::once(mark("turn_start", "t-1"))
        .chain(std::iter::repeat_n(line, 20))
        .collect();
    let server = turn_of(&events).await;
    let client = Client::builder(server.url())
        .max_response_bytes(1_000_000)
        .build()
        .unwrap();
    let error = within(client.agent("agent-1").ask("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::TooLarge, true));
    assert!(error.body().len() <= 64 * 1024 && error.body().starts_with(b"xxx"));
}

#[tokio::test]
async fn an_event_above_the_limit_ends_a_turn() {
    let server = turn_of(&[mark("turn_start", "t-1"), said(&"x".repeat(100_000))]).await;
    let client = Client::builder(server.url()).max_event_bytes(50_000).build().unwrap();
    let mut turn = within(client.agent("agent-1").send("hi")).await.unwrap();
    assert_eq!(within(turn.try_next()).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(within(turn.try_next()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_agent_that_could_not_be_stopped_after_a_failed_spawn_is_named() {
    let created = json!({"id": "agent-1", "session_id": "s-1", "status": "starting", "created_at": "2026-05-06T10:00:00Z",
        "last_activity_at": "2026-05-06T10:00:00Z", "idle_timeout_seconds": 1800, "turns_completed": 0});
    for (stopped, executed) in [(500, true), (404, false), (204, false)] {
        let created = created.to_string();
        let server = Server::answering(move |request| match (request.method.as_str(), request.path()) {
            ("POST", "/agents") => Reply::new(201).json(created.clone()).bytes(),
            ("DELETE", _) => Reply::new(stopped).bytes(),
            _ => Reply::new(401).json(r#"{"error":"token revoked"}"#).bytes(),
        })
        .await;
        let client = Client::new(server.url()).unwrap();
        let error = within(client.agents().spawn(AgentRequest::new().prompt("hi")))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.may_have_executed()),
            (ErrorKind::Unauthorized, executed)
        );
        assert_eq!(error.message().contains("agent-1"), executed, "{error}");
    }
}

#[tokio::test]
async fn a_refused_subscription_is_not_opened_again() {
    for (status, kind) in [(401, ErrorKind::Unauthorized), (404, ErrorKind::NotFound)] {
        let refused = Reply::new(status).json(r#"{"error":"no"}"#).bytes();
        let server = Server::each([
            vec![Step::Read, Step::Send(idle_agent())],
            vec![Step::Read, Step::Send(stream(&[]))],
            vec![Step::Read, Step::Send(idle_agent())],
            vec![Step::Read, Step::Send(refused)],
        ])
        .await;
        let client = Client::new(server.url()).unwrap();
        let mut events = within(client.agent("agent-1").events()).await.unwrap().resubscribe(9);
        assert_eq!(within(events.try_next()).await.unwrap_err().kind(), kind);
        assert_eq!(server.requests().len(), 4);
    }
}

#[tokio::test]
async fn the_result_of_a_turn_is_its_own_even_if_that_of_a_task_comes_after_it() {
    let mut of_task = result();
    of_task["origin"] = json!({"kind": "task-notification"});
    of_task["result"] = json!("of the task");
    let events = [
        mark("turn_start", "t-1"),
        output(&result()),
        output(&of_task),
        mark("turn_end", "t-1"),
    ];
    let result = ask(&events).await.unwrap();
    assert_eq!(result.text, "done");
    assert!(matches!(result.messages[..], [Message::Result(_), Message::Result(_)]));
}
