//! Answers that take their time.

use std::time::Duration;

use stromboli_emulator::{Delay, Emulator, Fault, Hold};
use tokio::time::Instant;

use super::{PING, PING_STREAM, STATUS, STATUS_HEAD, executed, faulty};
use crate::client::{Connection, End, exchange, within};

const MINUTE: Duration = Duration::from_secs(60);

/// Sends the request with the id `r` to an emulator with this fault, which must execute it.
async fn begin(fault: Fault, target: &str) -> (Emulator, Connection) {
    let (emulator, _) = faulty(fault.on(target.split('?').next().unwrap())).await;
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", target, "X-Request-ID: r\r\n", b"").await;
    within(emulator.wait_for(|stats| stats.faults == 1 && stats.requests == 1)).await;
    assert_eq!(executed(&emulator), [true]);
    (emulator, connection)
}

#[tokio::test]
async fn an_answer_can_be_held_before_its_headers() {
    let hold = Hold::new();
    let (emulator, mut connection) = begin(Fault::delay_headers(&hold), "/claude/status").await;
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    let response = connection.response("GET").await;
    assert_eq!((response.status, response.body.as_str()), (200, STATUS));
    // It is a proper answer, and the connection is kept.
    emulator.clear_faults();
    connection.send("GET", "/claude/status", "", b"").await;
    assert_eq!(connection.response("GET").await.status, 200);
}

#[tokio::test]
async fn a_run_has_ended_before_its_answer_is_held() {
    let hold = Hold::new();
    let (emulator, _) = faulty(Fault::status_after_executing(502).delayed(&hold).on("/run")).await;
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", PING.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.response("POST").await.status, 502);
}

#[tokio::test]
async fn a_refusal_can_be_held_and_given_up() {
    let hold = Hold::new();
    let (emulator, _) = faulty(Fault::status(429).delayed(&hold)).await;
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", PING.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.requests == 1)).await;
    drop(connection);
    hold.release();
    emulator.clear_faults();
    assert_eq!(crate::client::get(&emulator, "/health").await.status, 200);
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn an_answer_can_be_held_between_headers_and_body() {
    let hold = Hold::new();
    let (emulator, mut connection) = begin(Fault::delay_body(&hold), "/claude/status").await;
    let head = crate::client::without_date(&connection.head().await);
    assert_eq!(
        head,
        STATUS_HEAD.replace("Content-Length", "Connection: close\r\nContent-Length")
    );
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.end().await, (STATUS.to_owned(), End::Closed));
}

#[tokio::test]
async fn an_answer_can_be_held_between_its_halves() {
    let hold = Hold::new();
    let (emulator, mut connection) = begin(Fault::delay_chunks(&hold), "/claude/status").await;
    connection.head().await;
    assert_eq!(connection.take(26).await, STATUS[..26]);
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.end().await, (STATUS[26..].to_owned(), End::Closed));
}

#[tokio::test]
async fn a_stream_can_be_held_between_its_events() {
    let hold = Hold::new();
    let (emulator, mut connection) = begin(Fault::delay_chunks(&hold), PING_STREAM).await;
    connection.head().await;
    assert_eq!(connection.chunk().await, "data: one\n\n");
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.chunk().await, "data: two\n\n");
    assert!(connection.chunk().await.starts_with("event: done\n"));
    assert_eq!(connection.end().await, ("0\r\n\r\n".to_owned(), End::Closed));
    assert_eq!(emulator.stopped(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_during_a_delay_kills_its_stream() {
    let hold = Hold::new();
    for fault in [
        Fault::delay_headers(&hold),
        Fault::delay_body(&hold),
        Fault::delay_chunks(&hold),
        Fault::drip(&hold),
    ] {
        let (emulator, connection) = begin(fault, PING_STREAM).await;
        within(emulator.wait_for(|stats| stats.executions == 1)).await;
        drop(connection);
        within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    }
}

#[tokio::test]
async fn a_dripping_answer_can_be_held_before_its_first_byte() {
    let hold = Hold::new();
    let (emulator, mut connection) = begin(Fault::drip(&hold), "/claude/status").await;
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    let (answer, end) = connection.end().await;
    assert!(answer.ends_with(STATUS), "{answer}");
    assert_eq!(end, End::Closed);
}

/// How long an exchange takes by a clock that stands still while anything else can happen.
async fn duration(fault: Fault, target: &str) -> (Duration, String) {
    let (emulator, _) = faulty(fault).await;
    let start = Instant::now();
    let (answer, _) = exchange(&emulator, "GET", target, "").await;
    (start.elapsed(), answer)
}

fn assert_about(taken: Duration, expected: Duration) {
    assert!(
        taken >= expected && taken < expected + MINUTE / 2,
        "{taken:?} for {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn delays_take_their_time() {
    let second = Duration::from_secs(1);
    let close = |fault: Fault| fault.header("Connection", "close");
    assert_about(
        duration(close(Fault::delay_headers(second)), "/claude/status").await.0,
        second,
    );
    assert_about(
        duration(Fault::status(503).delayed(second).by_reset(), "/run").await.0,
        second,
    );
    assert_about(duration(Fault::delay_body(second), "/claude/status").await.0, second);
    assert_about(duration(Fault::delay_chunks(second), "/claude/status").await.0, second);
    // Three events are two pauses.
    assert_about(duration(Fault::delay_chunks(second), PING_STREAM).await.0, 2 * second);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_answer_takes_its_time_for_each_byte() {
    let fault = Fault::drip(Delay::from(Duration::from_millis(100)));
    let (taken, answer) = duration(fault, "/claude/status").await;
    let head = STATUS_HEAD.replace("Content-Length", "Connection: close\r\nContent-Length");
    assert_eq!(answer, format!("{head}{STATUS}"));
    // The date has 37 bytes.
    let bytes = u32::try_from(answer.len() + 37).unwrap();
    let expected = bytes * Duration::from_millis(100);
    assert!(taken >= expected, "{taken:?} for {expected:?}");
}
