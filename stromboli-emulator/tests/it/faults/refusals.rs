//! Faults in the place of an answer: statuses, ends of connections, silence.

use stromboli_emulator::{Emulator, Fault};

use super::{PING, PING_STREAM, executed, faulty};
use crate::client::{Connection, End, exchange, get, is_hex16, post, request, within};

#[tokio::test]
async fn a_status_has_the_words_of_the_server_and_executes_nothing() {
    let cases = [
        (401, "invalid or expired token"),
        (429, "rate limit exceeded"),
        (503, "auth backend unavailable"),
        (500, "internal server error"),
        (502, "bad gateway"),
        (599, "injected fault"),
    ];
    for (status, words) in cases {
        let (emulator, fault) = faulty(Fault::status(status)).await;
        for (method, target, body) in [
            ("POST", "/run", PING),
            ("GET", PING_STREAM, ""),
            ("GET", "/nowhere", ""),
        ] {
            let response = request(&emulator, method, target, "", body.as_bytes()).await;
            assert_eq!(response.status, status);
            assert_eq!(response.body, format!(r#"{{"error":"{words}"}}"#));
            assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
            assert!(response.header("x-request-id").is_some_and(is_hex16));
        }
        assert_eq!((executed(&emulator), fault.fired()), (vec![false; 3], 3));
        assert_eq!(emulator.executions(), 0);
    }
}

#[tokio::test]
async fn a_status_after_executing_is_nobodys_refusal() {
    for (status, words) in [
        (429, "too many requests"),
        (502, "bad gateway"),
        (503, "service unavailable"),
    ] {
        let (emulator, fault) = faulty(Fault::status_after_executing(status)).await;
        let response = post(&emulator, "/run", PING).await;
        assert_eq!(
            (response.status, response.body),
            (status, format!(r#"{{"error":"{words}"}}"#))
        );
        assert_eq!((executed(&emulator), fault.fired()), (vec![true], 1));
        let stats = within(emulator.wait_for(|stats| stats.finished == 1)).await;
        assert_eq!((stats.executions, stats.faults), (1, 1));
    }
}

#[tokio::test]
async fn a_status_keeps_the_connection() {
    let (emulator, _) = faulty(Fault::status(503).times(1)).await;
    let mut connection = Connection::open(&emulator).await;
    for status in [503, 200] {
        connection.send("POST", "/run", "", PING.as_bytes()).await;
        let response = connection.response("POST").await;
        assert_eq!((response.status, response.header("connection")), (status, None));
    }
    assert_eq!(executed(&emulator), [false, true]);
}

#[tokio::test]
async fn a_status_has_the_headers_and_the_body_that_it_is_given() {
    let fault = Fault::status(502)
        .header("Content-Type", "text/html")
        .header("Retry-After", "2")
        .body("<h1>Bad Gateway</h1>");
    let (emulator, _) = faulty(fault).await;
    let response = get(&emulator, "/health").await;
    assert_eq!((response.status, response.body.as_str()), (502, "<h1>Bad Gateway</h1>"));
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert_eq!(response.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_a_status_with_a_header() {
    let (emulator, _) = faulty(
        Fault::status(307)
            .header("Location", "http://other.example/run")
            .body(""),
    )
    .await;
    let response = post(&emulator, "/run", PING).await;
    assert_eq!((response.status, response.body.as_str()), (307, ""));
    assert_eq!(response.header("location"), Some("http://other.example/run"));
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_status_without_a_body_is_not_taken_for_a_refusal_of_the_http_library() {
    for status in [400, 414, 431] {
        let (emulator, _) = faulty(Fault::status(status).body("").without_header("Content-Type")).await;
        let mut connection = Connection::open(&emulator).await;
        for _ in 0..2 {
            connection.send("GET", "/health", "", b"").await;
            let response = connection.response("GET").await;
            assert_eq!((response.status, response.body.as_str()), (status, ""));
        }
    }
    let bare = Fault::status(400)
        .body("")
        .without_header("Content-Type")
        .without_header("X-Request-ID");
    let (emulator, _) = faulty(bare).await;
    let (answer, end) = exchange(&emulator, "GET", "/health", "").await;
    let expected = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!((answer.as_str(), end), (expected, End::Closed));
}

#[tokio::test]
async fn a_status_beyond_the_usual_is_sent_as_far_as_http_goes() {
    for (status, line) in [
        (199, "199 <none>"),
        (101, "101 Switching Protocols"),
        (204, "204 No Content"),
        (999, "999 <none>"),
        (99, "500 Internal Server Error"),
        (1000, "500 Internal Server Error"),
    ] {
        let (emulator, _) = faulty(Fault::status(status)).await;
        let mut connection = Connection::open(&emulator).await;
        connection.send("GET", "/health", "", b"").await;
        let head = connection.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{head}");
        assert_eq!(executed(&emulator), [false]);
    }
}

#[tokio::test]
async fn resets_and_closes_say_nothing_and_execute_what_they_say() {
    let cases = [
        (Fault::reset_before_reading(), End::Reset, false, 0),
        (Fault::reset_before_executing(), End::Reset, false, PING.len()),
        (Fault::reset_after_executing(), End::Reset, true, PING.len()),
        (Fault::close_before_executing(), End::Closed, false, PING.len()),
        (Fault::cut_after(0), End::Closed, true, PING.len()),
    ];
    for (fault, expected, executes, read) in cases {
        let name = format!("{fault:?}");
        let (emulator, fault) = faulty(fault).await;
        assert_eq!(
            exchange(&emulator, "POST", "/run", PING).await,
            (String::new(), expected),
            "{name}"
        );
        assert_eq!((executed(&emulator), fault.fired()), (vec![executes], 1), "{name}");
        assert_eq!(emulator.executions(), u64::from(executes), "{name}");
        let request = &emulator.requests()[0];
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/run"));
        assert_eq!(
            (request.header("x-request-id"), request.body.len()),
            (Some("r"), read),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_reset_before_reading_does_not_wait_for_the_body() {
    let (emulator, _) = faulty(Fault::reset_before_reading()).await;
    let mut connection = Connection::open(&emulator).await;
    connection
        .raw("POST /run HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
        .await;
    assert_eq!(connection.end().await, (String::new(), End::Reset));
}

#[tokio::test]
async fn a_reset_kills_a_stream_that_it_has_executed() {
    let (emulator, _) = faulty(Fault::reset_after_executing()).await;
    assert_eq!(
        exchange(&emulator, "GET", PING_STREAM, "").await,
        (String::new(), End::Reset)
    );
    let stats = within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    assert_eq!(stats.executions, 1);
}

#[tokio::test]
async fn a_job_goes_on_when_its_answer_is_lost() {
    let (emulator, _) = faulty(Fault::reset_after_executing().on("/run/async")).await;
    let (answer, end) = exchange(&emulator, "POST", "/run/async", PING).await;
    assert_eq!((answer.as_str(), end), ("", End::Reset));
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let jobs = get(&emulator, "/jobs").await.json();
    assert_eq!(jobs["jobs"][0]["status"], "completed");
}

#[tokio::test]
async fn silence_lasts_until_the_client_goes_away() {
    for (fault, executes) in [
        (Fault::silence_before_executing(), false),
        (Fault::silence_after_executing(), true),
    ] {
        let (emulator, _) = faulty(fault.on("/run/stream")).await;
        let mut connection = Connection::open(&emulator).await;
        connection.send("GET", PING_STREAM, "", b"").await;
        let count = u64::from(executes);
        within(emulator.wait_for(|stats| stats.faults == 1 && stats.executions == count)).await;
        assert!(connection.is_silent(&emulator).await);
        assert_eq!((executed(&emulator)[0], emulator.stopped()), (executes, 0));
        drop(connection);
        within(emulator.wait_for(|stats| stats.stopped == count)).await;
    }
}

#[tokio::test]
async fn what_a_fault_meets_needs_no_token() {
    let emulator = Emulator::builder().api_token("t").start().await.unwrap();
    let fault = emulator.inject(Fault::status(502).on("/run").times(1));
    assert_eq!(post(&emulator, "/run", PING).await.status, 502);
    assert_eq!(post(&emulator, "/run", PING).await.status, 401);
    assert_eq!(executed(&emulator), [false, false]);
    assert_eq!(fault.fired(), 1);
}
