//! Streams that fail: before they begin, in the middle, by silence. None of them is ever begun again.

use std::time::Duration;

use futures_util::FutureExt;
use stromboli::{Client, Error, ErrorKind, RunEvent, StreamRequest, Timeouts};
use stromboli_emulator::Emulator;

use crate::support::{DONE, LAST_CHUNK, PAUSE, Reply, SHORT, Server, Step, chunk, client_with, drain, lines, within};

/// What comes of a stream with this body, which then ends as a chunked body should.
async fn outcome(body: &str) -> (Vec<RunEvent>, Option<Error>) {
    let reply = Reply::new(200).body("text/event-stream", body).in_chunks(4096);
    let server = Server::once(reply).await;
    let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    let outcome = drain(&mut run).await;
    // After an error there is nothing more, and no second try.
    for _ in 0..2 {
        assert_eq!(within(run.try_next()).await.unwrap(), None);
    }
    assert_eq!(server.connections(), 1);
    outcome
}

#[tokio::test]
async fn an_end_without_an_end_event_is_truncation() {
    for (body, whole_lines, at) in [
        ("data: one\n\n", 1, "before the run's end"),
        ("data: one\n\ndata: tw", 1, "in the middle of an event"),
        ("data: one\n\ndata: two\n", 1, "in the middle of an event"),
        (
            "data: one\n\nevent: done\ndata: {\"id\":\"run-1\"",
            1,
            "in the middle of an event",
        ),
        ("data: one\n\nevent: done\n", 1, "in the middle of an event"),
        ("", 0, "before the run's end"),
    ] {
        let (events, error) = outcome(body).await;
        assert_eq!(events.len(), whole_lines, "{body}");
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{body}");
        assert!(error.to_string().contains(at), "{error}");
        assert!(error.may_have_executed());
        assert_eq!(
            (error.status().unwrap().as_u16(), error.request_id()),
            (200, Some("req-1"))
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_truncation_and_is_never_made_again() {
    let begun = || Step::Send([Reply::events(), chunk("data: one\n\n")].concat());
    let unfinished_chunk = Step::Send(b"20\r\ndata: tw".to_vec());
    for breaking in [vec![], vec![unfinished_chunk], vec![Step::Gate, Step::Reset]] {
        let server = Server::script([Step::Read, begun()].into_iter().chain(breaking)).await;
        let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
        assert_eq!(
            within(run.try_next()).await.unwrap(),
            Some(RunEvent::Output("one".to_owned()))
        );
        server.go_on();
        let error = within(run.try_next()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        assert!(error.may_have_executed());
        assert_eq!(within(run.try_next()).await.unwrap(), None);
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn the_text_of_a_truncated_stream_is_an_error_that_keeps_what_came() {
    let reply = Reply::new(200)
        .body("text/event-stream", "data: one\n\ndata: two\n\n")
        .in_chunks(4096);
    let server = Server::once(reply).await;
    let run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
    let error = within(run.text()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.body(), b"one\ntwo");
}

#[tokio::test]
async fn an_error_event_is_an_error_with_the_servers_words() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("fail").fail(1, "no such model");
    let client = Client::new(emulator.url()).unwrap();
    let mut run = within(client.stream("fail")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert_eq!(events, [RunEvent::Output("no such model".to_owned())]);
    let error = error.unwrap();
    assert!(error.is_agent_failed(), "{error:?}");
    assert_eq!(error.message(), "execution failed: exit status 1");
    assert!(error.may_have_executed());
    assert_eq!(within(run.try_next()).await.unwrap(), None);
}

#[tokio::test]
async fn an_error_event_that_refuses_the_run_says_that_nothing_ran() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let request = StreamRequest::new("hi").workdir("relative");
    let mut run = within(client.stream(request)).await.unwrap();
    let error = within(run.try_next()).await.unwrap_err();
    assert!(error.message().starts_with("workdir validation failed"), "{error}");
    assert!(!error.is_agent_failed() && !error.may_have_executed(), "{error:?}");
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn an_end_that_cannot_be_read_is_a_decode_error_that_keeps_it() {
    for data in ["{\"id\":", "{\"id\":\"run-1\"}", "null", "completed"] {
        let (events, error) = outcome(&format!("data: one\n\nevent: done\ndata: {data}\n\n")).await;
        assert_eq!(events.len(), 1);
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert_eq!(error.body(), data.as_bytes());
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_refusal_before_the_stream_is_an_error_of_its_status_with_the_text() {
    let emulator = Emulator::start().await.unwrap();
    let error = within(Client::new(emulator.url()).unwrap().stream(""))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::BadRequest, 400)
    );
    assert_eq!(error.message(), "Missing required parameter: prompt");
    assert!(!error.may_have_executed());

    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    let error = within(Client::new(emulator.url()).unwrap().stream("hi"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Unavailable, 503)
    );
    assert_eq!(error.message(), "Claude not configured. Run 'make claude-setup' first");
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn a_response_that_is_no_stream_is_a_decode_error_with_a_bounded_body() {
    for content_type in ["text/html", "application/json", "text/event-streams"] {
        let reply = Reply::new(200).body(content_type, "<p>".repeat(400_000));
        let server = Server::once(reply.bytes()).await;
        let error = within(Client::new(server.url()).unwrap().stream("hi"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{content_type}");
        assert!(error.to_string().contains(content_type), "{error}");
        assert_eq!(
            (error.status().unwrap().as_u16(), error.request_id()),
            (200, Some("req-1"))
        );
        assert!(error.body().starts_with(b"<p>") && error.body().len() == 64 * 1024);
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn the_content_type_of_a_stream_may_have_parameters_and_any_case() {
    for content_type in ["text/event-stream;charset=utf-8", "Text/Event-Stream; charset=UTF-8"] {
        let server = Server::once(Reply::new(200).body(content_type, DONE).bytes()).await;
        let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
        let (events, error) = drain(&mut run).await;
        assert!(error.is_none() && events.len() == 1, "{events:?} {error:?}");
    }
}

#[tokio::test]
async fn an_event_above_the_limit_is_too_large() {
    let limit = 1000;
    let line = |length| {
        [
            chunk(format!("data: {}\n\n", "x".repeat(length))),
            chunk(DONE),
            LAST_CHUNK.into(),
        ]
    };
    let server = |length| Server::once([vec![Reply::events()], line(length).to_vec()].concat().concat());
    let client = |server: &Server| Client::builder(server.url()).max_event_bytes(limit).build().unwrap();

    let small = server(900).await;
    let mut run = within(client(&small).stream("hi")).await.unwrap();
    assert_eq!(lines(&mut run).await[0].len(), 900);

    let large = server(1001).await;
    let mut run = within(client(&large).stream("hi")).await.unwrap();
    let error = within(run.try_next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_event_bytes"), "{error}");
    assert!(error.may_have_executed());
    assert_eq!(within(run.try_next()).await.unwrap(), None);
}

#[tokio::test]
async fn an_event_that_never_ends_is_too_large_and_closes_the_connection() {
    let endless = [Reply::events(), chunk("data: ")].concat();
    let server = Server::script([Step::Read, Step::Send(endless), Step::SendForEver(chunk([b'x'; 4096]))]).await;
    let builder = Client::builder(server.url()).max_event_bytes(1024 * 1024);
    let mut run = within(builder.build().unwrap().stream("hi")).await.unwrap();
    let error = within(run.try_next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn silence_before_the_first_event_is_a_timeout_that_closes_the_connection() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().stream_idle(PAUSE));
    let error = within(client.stream("hi")).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.attempts(), error.may_have_executed()), (1, true));
    server.wait_for(|seen| seen.closed == 1).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn silence_between_events_is_a_timeout_that_closes_the_connection() {
    for silence_after in ["data: one\n\n", "data: one\n\ndata: tw"] {
        let begun = [Reply::events(), chunk(silence_after)].concat();
        let server = Server::script([Step::Read, Step::Send(begun), Step::UntilClosed]).await;
        let client = client_with(&server, Timeouts::default().stream_idle(PAUSE));
        let mut run = within(client.stream("hi")).await.unwrap();
        assert_eq!(
            within(run.try_next()).await.unwrap(),
            Some(RunEvent::Output("one".to_owned()))
        );
        let error = within(run.try_next()).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(error.may_have_executed());
        assert_eq!(error.request_id(), Some("req-1"));
        server.wait_for(|seen| seen.closed == 1).await;
        assert_eq!(within(run.try_next()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_stream_whose_server_speaks_is_not_bound_by_the_other_timeouts() {
    let begun = [Reply::events(), chunk("data: one\n\n")].concat();
    let rest = [chunk("data: two\n\n"), chunk(DONE), LAST_CHUNK.into()].concat();
    let server = Server::script([Step::Read, Step::Send(begun), Step::Gate, Step::Send(rest)]).await;
    let client = client_with(
        &server,
        Timeouts::default()
            .quick(SHORT)
            .run(SHORT)
            .connect(Duration::from_secs(5)),
    );
    let mut run = within(client.stream("hi")).await.unwrap();
    // Time has to pass: that it may is the promise.
    tokio::time::sleep(SHORT * 3).await;
    server.go_on();
    assert_eq!(lines(&mut run).await, ["one", "two"]);
}

#[tokio::test]
async fn a_slow_reader_is_not_a_silent_server() {
    let begun = [Reply::events(), chunk("data: one\n\ndata: two\n\n")].concat();
    let rest = [chunk("data: three\n\n"), chunk(DONE), LAST_CHUNK.into()].concat();
    let server = Server::script([Step::Read, Step::Send(begun), Step::Gate, Step::Send(rest)]).await;
    let client = client_with(&server, Timeouts::default().stream_idle(PAUSE));
    let mut run = within(client.stream("hi")).await.unwrap();
    for line in ["one", "two", "three"] {
        // The reader takes longer than the server may be silent; once while nothing has been sent yet.
        tokio::time::sleep(PAUSE + SHORT).await;
        if line == "three" {
            server.go_on();
        }
        assert_eq!(
            within(run.try_next()).await.unwrap(),
            Some(RunEvent::Output(line.to_owned()))
        );
    }
}

#[tokio::test]
async fn silence_is_noticed_by_a_reader_that_looks_in_now_and_then() {
    let begun = [Reply::events(), chunk("data: one\n\n")].concat();
    let server = Server::script([Step::Read, Step::Send(begun), Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().stream_idle(PAUSE));
    let mut run = within(client.stream("hi")).await.unwrap();
    assert_eq!(
        within(run.try_next()).await.unwrap(),
        Some(RunEvent::Output("one".to_owned()))
    );
    for _ in 0..1000 {
        if let Ok(noticed) = tokio::time::timeout(PAUSE / 100, run.try_next()).await {
            assert!(noticed.unwrap_err().is_timeout());
            return;
        }
    }
    panic!("not noticed");
}

#[tokio::test]
async fn each_event_ends_the_silence_before_it() {
    let event = || Step::Send(chunk("data: x\n\n"));
    let head = Step::Send([Reply::events(), chunk("data: x\n\n")].concat());
    let server = Server::script([
        Step::Read,
        head,
        Step::Gate,
        event(),
        Step::Gate,
        event(),
        Step::UntilClosed,
    ])
    .await;
    let client = client_with(&server, Timeouts::default().stream_idle(PAUSE * 2));
    let mut run = within(client.stream("hi")).await.unwrap();
    within(run.try_next()).await.unwrap();
    for _ in 0..2 {
        // The reader waits from here on. Both waits together are longer than the silence allowed, neither is alone.
        assert!(run.try_next().now_or_never().is_none());
        tokio::time::sleep(PAUSE + SHORT).await;
        server.go_on();
        assert_eq!(
            within(run.try_next()).await.unwrap(),
            Some(RunEvent::Output("x".to_owned()))
        );
    }
}
