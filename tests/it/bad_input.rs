//! Servers that send what they should not: each becomes a typed error that keeps what came, and nothing hangs.

use stromboli::{Client, Error, ErrorKind, Job, RunResponse, Timeouts};

use crate::support::{COMPLETED, HEALTHY, PAUSE, Reply, Server, Step, chunk, client_with, within};

async fn run_against(bytes: impl Into<Vec<u8>>) -> Result<RunResponse, Error> {
    let server = Server::once(bytes).await;
    within(Client::new(server.url()).unwrap().run("hi")).await
}

/// The error of a run that was answered with these bytes, which begin with a good head.
async fn answered(bytes: impl Into<Vec<u8>>) -> Error {
    let error = run_against(bytes).await.unwrap_err();
    assert_eq!(error.status().map(|s| s.as_u16()), Some(200), "{error}");
    assert_eq!((error.request_id(), error.attempts()), (Some("req-1"), 1), "{error}");
    assert!(error.may_have_executed(), "{error}");
    error
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_decode_error_that_keeps_it() {
    for body in ["hello", "<html></html>", "{\"id\":", "{} {}", "\u{feff}{}"] {
        let error = answered(Reply::new(200).json(body).bytes()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.body(), body.as_bytes());
    }
}

#[tokio::test]
async fn a_body_that_is_not_text_is_a_decode_error_that_keeps_it() {
    let body = b"{\"id\":\"run-1\",\"status\":\"completed\",\"output\":\"\xff\"}";
    let error = answered(Reply::new(200).json(*body).bytes()).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.body(), body);
}

#[tokio::test]
async fn an_empty_body_is_a_decode_error() {
    let error = answered(Reply::new(200).bytes()).await;
    assert_eq!((error.kind(), error.body()), (ErrorKind::Decode, b"".as_slice()));
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_a_decode_error_that_does_not_show_its_values() {
    for body in [
        "{}",
        "[]",
        "null",
        "7",
        r#""HIDDEN""#,
        r#"{"id":7,"status":"completed"}"#,
        r#"{"id":"run-1","status":["HIDDEN"]}"#,
        r#"{"id":"run-1","status":"completed","output":{"HIDDEN":1}}"#,
        r#"{"id":"run-1","status":"completed","usage":"HIDDEN"}"#,
        r#"{"id":"run-1","status":"completed","crash_info":{"exit_code":"x, expected HIDDEN"}}"#,
    ] {
        let error = answered(Reply::new(200).json(body).bytes()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.body(), body.as_bytes());
        assert!(!format!("{error} {error:?}").contains("HIDDEN"), "{error:?}");
    }
}

#[tokio::test]
async fn a_time_that_is_none_is_a_decode_error_that_does_not_show_it() {
    for time in ["HIDDEN", "2026-13-01T00:00:00Z", "2026-05-06T12:00:00, expected HIDDEN"] {
        let body = format!(r#"{{"id":"j","status":"running","created_at":"{time}","updated_at":"{time}"}}"#);
        let server = Server::once(Reply::new(200).json(body).bytes()).await;
        let job: Result<Job, Error> = within(Client::new(server.url()).unwrap().job("j").get()).await;
        let error = job.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!error.may_have_executed());
        let shown = format!("{error} {error:?} {}", error.message());
        assert!(!shown.contains("HIDDEN") && !shown.contains("2026"), "{shown}");
    }
}

#[tokio::test]
async fn json_nested_without_end_is_a_decode_error() {
    let body = format!(r#"{{"id":"run-1","status":"completed","x":{}"#, "[".repeat(100_000));
    let error = answered(Reply::new(200).json(body).bytes()).await;
    assert_eq!((error.kind(), error.body().len()), (ErrorKind::Decode, 64 * 1024));
}

#[tokio::test]
async fn json_of_another_content_type_is_accepted() {
    for content_type in ["text/plain", "text/html", "application/octet-stream", "nonsense"] {
        let reply = run_against(Reply::new(200).body(content_type, COMPLETED).bytes())
            .await
            .unwrap();
        assert_eq!(reply.text(), "pong");
    }
}

#[tokio::test]
async fn a_body_cut_in_the_middle_is_truncation_that_keeps_what_came() {
    let half_a_chunk = [Reply::new(200).chunked_head(), b"ff\r\n".to_vec(), COMPLETED.into()].concat();
    let no_last_chunk = [Reply::new(200).chunked_head(), chunk(COMPLETED)].concat();
    for (bytes, missing) in [
        (Reply::new(200).json(COMPLETED).cut(10), 10),
        (Reply::new(200).json(COMPLETED).cut(1), 1),
        (Reply::new(200).json(COMPLETED).cut(COMPLETED.len()), COMPLETED.len()),
        (half_a_chunk, 0),
        (no_last_chunk, 0),
    ] {
        let error = answered(bytes).await;
        assert_eq!(error.kind(), ErrorKind::Truncated, "{missing}");
        assert_eq!(error.body(), &COMPLETED.as_bytes()[..COMPLETED.len() - missing]);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn an_error_whose_body_is_cut_is_still_the_error_of_its_status() {
    let bytes = Reply::new(404)
        .json(r#"{"id":"","status":"error","error":"job not found"}"#)
        .cut(5);
    let error = run_against(bytes).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(error.body(), br#"{"id":"","status":"error","error":"job not fo"#);
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let body = format!(
        r#"{{"id":"run-1","status":"completed","output":"{}"}}"#,
        "x".repeat(100_000)
    );
    for bytes in [
        Reply::new(200).json(body.clone()).bytes(),
        Reply::new(200).json(body.clone()).in_chunks(1000),
    ] {
        let server = Server::once(bytes).await;
        let limited = |limit| Client::builder(server.url()).max_response_bytes(limit).build().unwrap();
        assert_eq!(
            within(limited(body.len()).run("hi")).await.unwrap().text().len(),
            100_000
        );

        let error = within(limited(body.len() - 1).run("hi")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("max_response_bytes"), "{error}");
        assert_eq!(
            (error.status().unwrap().as_u16(), error.request_id()),
            (200, Some("req-1"))
        );
        assert!(body.as_bytes().starts_with(error.body()) && error.body().len() <= 64 * 1024);
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_body_without_end_is_too_large_and_closes_the_connection() {
    let head = Reply::new(200).chunked_head();
    let steps = [Step::Read, Step::Send(head), Step::SendForEver(chunk([b' '; 4096]))];
    let server = Server::script(steps).await;
    let client = Client::builder(server.url())
        .max_response_bytes(1024 * 1024)
        .build()
        .unwrap();
    assert_eq!(within(client.run("hi")).await.unwrap_err().kind(), ErrorKind::TooLarge);
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn an_error_body_without_end_is_read_in_part() {
    let head = Reply::new(500).chunked_head();
    let steps = [Step::Read, Step::Send(head), Step::SendForEver(chunk([b'x'; 4096]))];
    let server = Server::script(steps).await;
    let error = within(Client::new(server.url()).unwrap().run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.body().len()), (ErrorKind::Internal, 64 * 1024));
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn of_an_endless_body_that_only_explains_an_error_little_is_taken() {
    // What sockets hold is far less, and the limit of a good body far more.
    const MOST: usize = 64 * 1024 * 1024;
    for (status, kind) in [(500, ErrorKind::Internal), (200, ErrorKind::Decode)] {
        let head = Reply::new(status).chunked_head();
        let block = chunk(vec![b'x'; 1024 * 1024]);
        let server = Server::script([Step::Read, Step::Send(head), Step::SendForEver(block)]).await;
        let error = within(Client::new(server.url()).unwrap().stream("hi"))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), kind, "{error:?}");
        server.wait_for(|seen| seen.closed == 1 && seen.sent < MOST).await;
    }
}

#[tokio::test]
async fn headers_without_end_are_an_error() {
    let status_line = b"HTTP/1.1 200 OK\r\n".to_vec();
    let header = b"X-Header: and another one\r\n".repeat(100);
    let server = Server::script([Step::Read, Step::Send(status_line), Step::SendForEver(header)]).await;
    let error = within(Client::new(server.url()).unwrap().run("hi")).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::TooLarge | ErrorKind::Decode | ErrorKind::Connection
        ),
        "{error:?}"
    );
    assert!(error.may_have_executed());
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn what_is_not_http_is_an_error_that_says_so() {
    for bytes in [
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        b"\x15\x03\x01\x00\x02\x02\x50".to_vec(),
        b"HTTP/1.1 abc Nonsense\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n".to_vec(),
        vec![0; 1024],
    ] {
        let error = run_against(bytes).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Decode | ErrorKind::Connection),
            "{error:?}"
        );
        assert!(error.may_have_executed());
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(current) = cause {
            said.push_str(&current.to_string());
            cause = current.source();
        }
        assert!(
            said.contains("invalid HTTP") || said.contains("invalid content-length"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn an_older_http_works() {
    let bytes = format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{COMPLETED}");
    assert_eq!(run_against(bytes).await.unwrap().text(), "pong");
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec();
    bytes.extend(Reply::new(200).json(COMPLETED).bytes());
    assert_eq!(run_against(bytes).await.unwrap().text(), "pong");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_response_may_have_executed() {
    let half_a_head = || Step::Send(b"HTTP/1.1 200 OK\r\nContent-".to_vec());
    for steps in [
        vec![],
        vec![Step::Reset],
        vec![Step::Read],
        vec![Step::Read, Step::Reset],
        vec![Step::Read, half_a_head()],
        vec![Step::Read, half_a_head(), Step::Reset],
    ] {
        let server = Server::script(steps).await;
        let client = Client::new(server.url()).unwrap();
        let error = within(client.run("hi")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert_eq!((error.attempts(), error.status()), (1, None));
        assert!(error.may_have_executed());
        assert!(!within(client.health()).await.unwrap_err().may_have_executed());
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().quick(PAUSE));
    let error = within(client.health()).await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_executed(), "{error:?}");
    let error = within(client.start("hi")).await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_executed(), "{error:?}");
    server.wait_for(|seen| seen.closed == 2).await;
}

#[tokio::test]
async fn a_body_that_stalls_is_a_timeout_that_keeps_what_came() {
    let half = Reply::new(200).json(HEALTHY).cut(10);
    let server = Server::script([Step::Read, Step::Send(half), Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().quick(PAUSE));
    let error = within(client.health()).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(
        (error.status().unwrap().as_u16(), error.request_id()),
        (200, Some("req-1"))
    );
    assert_eq!(error.body(), &HEALTHY.as_bytes()[..HEALTHY.len() - 10]);
}

#[tokio::test]
async fn an_error_body_that_stalls_does_not_hang() {
    let half = Reply::new(500).json(r#"{"error":"no"}"#).cut(4);
    let server = Server::script([Step::Read, Step::Send(half), Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().quick(PAUSE).stream_idle(PAUSE));
    for error in [
        within(client.health()).await.unwrap_err(),
        within(client.stream("hi")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Internal, "{error:?}");
        assert_eq!(error.body(), br#"{"error":""#);
        assert_eq!(error.status().map(|s| s.as_u16()), Some(500), "{error:?}");
        assert_eq!(error.request_id(), Some("req-1"));
    }
}
