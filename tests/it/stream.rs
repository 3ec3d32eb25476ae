//! `Client::stream` when all goes well, and how a run ends with its stream.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use stromboli::{Client, ErrorKind, RunEvent, RunStatus, StreamRequest};
use stromboli_emulator::{Answer, Emulator, Run};

use crate::support::{DONE, LAST_CHUNK, Reply, Server, Step, chunk, drain, lines, within};

/// A client of an emulator that prints `printed` for every prompt.
async fn printing(printed: &[&str]) -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").lines(printed.iter().copied());
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

#[tokio::test]
async fn a_stream_gives_lines_then_a_typed_end_and_then_nothing_for_ever() {
    let (emulator, client) = printing(&["one", "two"]).await;
    let request = StreamRequest::new("count").session_id("550e8400-e29b-41d4-a716-446655440000");
    let mut run = within(client.stream(request)).await.unwrap();
    assert!(run.request_id().is_some_and(|id| !id.is_empty()));
    for line in ["one", "two"] {
        let event = within(run.try_next()).await.unwrap();
        assert_eq!(event, Some(RunEvent::Output(line.to_owned())));
    }
    let Some(RunEvent::Done(end)) = within(run.try_next()).await.unwrap() else {
        panic!("no end");
    };
    assert_eq!(end.status, RunStatus::Completed);
    assert_eq!(end.session_id, "550e8400-e29b-41d4-a716-446655440000");
    assert!(end.id.starts_with("run-"));
    for _ in 0..3 {
        assert_eq!(within(run.try_next()).await.unwrap(), None);
    }
    assert_eq!(emulator.executions(), 1);
}

#[tokio::test]
async fn text_is_the_whole_output_with_its_empty_lines() {
    let (_emulator, client) = printing(&["", "one", "", "", " two ", ""]).await;
    let run = within(client.stream("count")).await.unwrap();
    assert_eq!(within(run.text()).await.unwrap(), "\none\n\n\n two \n");
}

#[tokio::test]
async fn a_run_that_prints_nothing_has_the_empty_text() {
    let (_emulator, client) = printing(&[]).await;
    let run = within(client.stream("count")).await.unwrap();
    assert_eq!(within(run.text()).await.unwrap(), "");
}

#[tokio::test]
async fn empty_lines_are_lines() {
    let (_emulator, client) = printing(&["", "one", "", ""]).await;
    let mut run = within(client.stream("count")).await.unwrap();
    assert_eq!(lines(&mut run).await, ["", "one", "", ""]);
}

#[tokio::test]
async fn lines_arrive_while_the_run_goes_on() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("count").lines(["one", "two"]).hold_after(1);
    let client = Client::new(emulator.url()).unwrap();
    let mut run = within(client.stream("count")).await.unwrap();
    assert_eq!(
        within(run.try_next()).await.unwrap(),
        Some(RunEvent::Output("one".to_owned()))
    );
    assert!(run.try_next().now_or_never().is_none());
    hold.release();
    assert_eq!(lines(&mut run).await, ["two"]);
}

#[tokio::test]
async fn a_crashed_run_ends_with_what_is_known_of_the_crash() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("crash").lines(["half"]).crash(137, "SIGKILL");
    let client = Client::new(emulator.url()).unwrap();
    let mut run = within(client.stream("crash")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert!(error.is_none(), "{error:?}");
    let [RunEvent::Output(line), RunEvent::Done(end)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!((line.as_str(), &end.status), ("half", &RunStatus::Crashed));
    assert_eq!(end.crash_info.as_ref().unwrap().exit_code, Some(137));
}

#[tokio::test]
async fn the_text_of_a_crashed_run_is_an_agent_failure_that_keeps_the_output() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("crash").lines(["half", "way"]).crash(137, "SIGKILL");
    let client = Client::new(emulator.url()).unwrap();
    let error = within(within(client.stream("crash")).await.unwrap().text())
        .await
        .unwrap_err();
    assert!(error.is_agent_failed(), "{error:?}");
    assert!(error.may_have_executed());
    assert_eq!(error.body(), b"half\nway");
    assert!(!error.to_string().contains("half"), "{error}");
}

#[tokio::test]
async fn a_newer_servers_fields_and_events_are_data() {
    let body = [
        "event: progress\ndata: 50%\n\n",
        "event: done\ndata: {\"id\":\"r\",\"session_id\":\"s\",\"status\":\"paused\",\"cost\":7}\n\n",
    ];
    let reply = Reply::new(200).body("text/event-stream", body.concat()).in_chunks(4096);
    let server = Server::once(reply).await;
    let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert!(error.is_none(), "{error:?}");
    let [RunEvent::Other { event, data }, RunEvent::Done(end)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!((event.as_str(), data.as_str()), ("progress", "50%"));
    assert_eq!((end.status.as_str(), &end.extra["cost"]), ("paused", &7.into()));
}

#[tokio::test]
async fn nothing_is_read_after_the_end() {
    let late = [DONE, "data: too late\n\n", "event: error\ndata: too late\n\n"].concat();
    let body = [Reply::events(), chunk(late), LAST_CHUNK.into()].concat();
    let server = Server::once(body).await;
    let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert!(
        error.is_none() && matches!(events.as_slice(), [RunEvent::Done(_)]),
        "{events:?} {error:?}"
    );
}

#[tokio::test]
async fn the_end_is_the_end_although_the_server_keeps_the_connection() {
    let done = [Reply::events(), chunk(DONE)].concat();
    let server = Server::script([Step::Read, Step::Send(done), Step::UntilClosed]).await;
    let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert!(error.is_none() && events.len() == 1, "{events:?} {error:?}");
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn dropping_a_stream_kills_the_run() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("count").lines(["one", "two"]).hold_after(1);
    let client = Client::new(emulator.url()).unwrap();
    let mut run = within(client.stream("count")).await.unwrap();
    within(run.try_next()).await.unwrap();
    assert_eq!(emulator.stopped(), 0);
    drop(run);
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    assert_eq!(emulator.executions(), 1);
}

#[tokio::test]
async fn dropping_the_future_before_the_first_line_kills_the_run() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("count").lines(["one"]).hold();
    let client = Client::new(emulator.url()).unwrap();
    let opening = tokio::spawn(async move { client.stream("count").await.map(drop) });
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    opening.abort();
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
}

#[tokio::test]
async fn a_stream_is_one_of_the_futures_crate() {
    let (_emulator, client) = printing(&["one", "two"]).await;
    let run = within(client.stream("count")).await.unwrap();
    let events: Vec<RunEvent> = within(run.try_collect()).await.unwrap();
    assert_eq!(events.len(), 3);

    let run = within(client.stream("count")).await.unwrap();
    let events: Vec<stromboli::Result<RunEvent>> = within(run.take(2).collect()).await;
    assert!(
        events.iter().all(|event| matches!(event, Ok(RunEvent::Output(_)))),
        "{events:?}"
    );
}

#[tokio::test]
async fn waiting_for_an_event_can_be_given_up_without_losing_any() {
    let server = Server::script([
        Step::Read,
        Step::Send([Reply::events(), chunk("data: one\n\ndata: tw")].concat()),
        Step::Gate,
        Step::Send([chunk("o\n\n"), chunk(DONE), LAST_CHUNK.into()].concat()),
    ])
    .await;
    let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    assert_eq!(
        within(run.try_next()).await.unwrap(),
        Some(RunEvent::Output("one".to_owned()))
    );
    for _ in 0..3 {
        assert!(run.try_next().now_or_never().is_none());
    }
    server.go_on();
    assert_eq!(lines(&mut run).await, ["two"]);
}

#[tokio::test]
async fn what_is_asked_arrives_as_it_was_given() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&seen);
    let answerer = move |run: Run| {
        recorded.lock().unwrap().push((run.prompt, run.workdir, run.session_id));
        Answer::lines(["ok"])
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let prompts = [
        "a+b=c&d=e;f%20g?h#i/j\\k",
        "\"quotes\" 'and' <tags> {braces} [brackets] |^`~",
        "line one\nline two\r\nthree\ttab",
        "NUL \0, escape \u{1b}, DEL \u{7f}, separators \u{2028}\u{2029}, BOM \u{feff}",
        "emoji 👩‍👩‍👧‍👦 🦀, combining e\u{301}, right to left שלום",
        "&workdir=/etc&session_id=mine",
        " ",
        &"long é ".repeat(1500),
    ];
    for (number, prompt) in prompts.into_iter().enumerate() {
        let session = format!("7b1f0c3e-52d4-4a86-9d0b-{number:012}");
        let request = StreamRequest::new(prompt).workdir("/work.dir_a-b").session_id(&session);
        within(within(client.stream(request)).await.unwrap().text())
            .await
            .unwrap();
        let got = seen.lock().unwrap().pop().unwrap();
        let expected = (prompt.to_owned(), Some("/work.dir_a-b".to_owned()), session);
        assert_eq!(got, expected);
    }
    // Claude Code refuses such an id, but it is sent as it is.
    let request = StreamRequest::new("hi").session_id("s + & é");
    within(within(client.stream(request)).await.unwrap().text())
        .await
        .unwrap_err();
    let target = emulator.requests().pop().unwrap().target;
    assert!(target.ends_with("session_id=s+%2B+%26+%C3%A9"), "{target}");
}

#[tokio::test]
async fn only_what_was_set_is_in_the_query() {
    let server = Server::once([Reply::events(), chunk(DONE)].concat()).await;
    let client = Client::new(server.url()).unwrap();
    within(client.stream("hi")).await.unwrap();
    let request = server.only_request();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/run/stream?prompt=hi")
    );
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn a_prompt_that_no_url_can_hold_is_too_large_and_not_sent() {
    let server = Server::once([Reply::events(), chunk(DONE)].concat()).await;
    let client = Client::new(server.url()).unwrap();
    let error = within(client.stream("x".repeat(100_000))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.to_string().contains("prompt"), "{error}");
    assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
    assert_eq!(server.connections(), 0);
}
