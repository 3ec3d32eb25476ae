//! Answers that take their time.

use std::time::Duration;

use stromboli_emulator::{Emulator, Fault, Hold};
use tokio::time::Instant;

use super::{PING, PING_STREAM, STATUS, STATUS_HEAD, executed, faulty};
use crate::client::{Connection, End, within};

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

/// How long the answer to `GET /claude/status` takes by a clock that stands still while anything else can happen. The
/// only timer is the one under test, so that the clock can jump to no other.
async fn duration(fault: Fault) -> Duration {
    let (emulator, _) = faulty(fault).await;
    let mut connection = Connection::open(&emulator).await;
    let start = Instant::now();
    connection.send("GET", "/claude/status", "", b"").await;
    let response = connection.response("GET").await;
    assert_eq!((response.status, response.body.as_str()), (200, STATUS));
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_its_time() {
    let fault = Fault::delay_headers(MINUTE).delayed(2 * MINUTE);
    for (fault, expected) in [
        (Fault::delay_headers(MINUTE), MINUTE),
        (fault, 2 * MINUTE),
        (Fault::delay_body(MINUTE), MINUTE),
        (Fault::delay_chunks(MINUTE), MINUTE),
        (Fault::delay_chunks(MINUTE).delayed(MINUTE), 2 * MINUTE),
    ] {
        let taken = duration(fault).await;
        assert!(
            taken >= expected && taken < expected + MINUTE / 2,
            "{taken:?} for {expected:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dripping_answer_takes_its_time_for_each_byte() {
    let taken = duration(Fault::drip(MINUTE)).await;
    let head = STATUS_HEAD.replace("Content-Length", "Connection: close\r\nContent-Length");
    // The id has 16 digits here, and the date 37 bytes with its name.
    let bytes = u32::try_from(head.len() + 15 + 37 + STATUS.len()).unwrap();
    let expected = bytes * MINUTE;
    assert!(
        taken >= expected && taken < expected + MINUTE / 2,
        "{taken:?} for {expected:?}"
    );
}
