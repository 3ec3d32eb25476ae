//! Faults of connections, before there is a request.

use std::io::ErrorKind;

use stromboli_emulator::{Emulator, Fault};
use tokio::net::TcpStream;

use super::{PING, faulty};
use crate::client::{Connection, End, get, within};

async fn connect(emulator: &Emulator) -> std::io::Result<TcpStream> {
    TcpStream::connect(emulator.url().strip_prefix("http://").unwrap()).await
}

/// The error that connecting gives.
async fn refused(emulator: &Emulator) -> ErrorKind {
    connect(emulator).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_connection_is_reset_when_it_is_there() {
    let (emulator, fault) = faulty(Fault::reset_on_connect().times(2)).await;
    for fired in 1..=2 {
        let mut connection = Connection::open(&emulator).await;
        assert_eq!(connection.end().await, (String::new(), End::Reset));
        assert_eq!(fault.fired(), fired);
    }
    assert_eq!(get(&emulator, "/health").await.status, 200);
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(emulator.wait_for(|_| true).await.faults, 2);
}

#[tokio::test]
async fn connections_are_refused_until_the_refusal_is_released() {
    let emulator = Emulator::start().await.unwrap();
    for _ in 0..3 {
        let down = emulator.refuse_connections().unwrap();
        for _ in 0..3 {
            assert_eq!(refused(&emulator).await, ErrorKind::ConnectionRefused);
        }
        down.release();
        assert_eq!(get(&emulator, "/health").await.status, 200);
    }
    drop(emulator.refuse_connections().unwrap());
    assert_eq!(get(&emulator, "/health").await.status, 200);
}

#[tokio::test]
async fn two_refusals_end_with_the_later() {
    let emulator = Emulator::start().await.unwrap();
    let (first, second) = (
        emulator.refuse_connections().unwrap(),
        emulator.refuse_connections().unwrap(),
    );
    drop(first);
    assert_eq!(refused(&emulator).await, ErrorKind::ConnectionRefused);
    drop(second);
    assert_eq!(get(&emulator, "/health").await.status, 200);
}

#[tokio::test]
async fn a_refusal_closes_what_is_idle_and_lets_the_rest_end() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").lines(["one"]).hold();
    let mut fresh = Connection::open(&emulator).await;
    let mut idle = Connection::open(&emulator).await;
    idle.send("GET", "/health", "", b"").await;
    idle.response("GET").await;
    let mut busy = Connection::open(&emulator).await;
    busy.send("POST", "/run", "", PING.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;

    let _down = emulator.refuse_connections().unwrap();
    assert_eq!(fresh.end().await, (String::new(), End::Closed));
    assert_eq!(idle.end().await, (String::new(), End::Closed));
    hold.release();
    let response = busy.response("POST").await;
    assert_eq!((response.status, response.header("connection")), (200, Some("close")));
    assert_eq!(busy.end().await.1, End::Closed);
    assert_eq!(refused(&emulator).await, ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn what_was_connected_before_a_refusal_is_served() {
    let emulator = Emulator::start().await.unwrap();
    // On one thread, the emulator cannot have accepted it by then.
    let mut early = Connection::open(&emulator).await;
    let _down = emulator.refuse_connections().unwrap();
    early.send("GET", "/health", "Connection: close\r\n", b"").await;
    assert!(early.rest().await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_can_end_outside_of_the_runtime_and_after_the_emulator() {
    let emulator = Emulator::start().await.unwrap();
    let down = emulator.refuse_connections().unwrap();
    std::thread::spawn(move || drop(down)).join().unwrap();
    assert_eq!(get(&emulator, "/health").await.status, 200);
    let down = emulator.refuse_connections().unwrap();
    let url = emulator.url().to_owned();
    drop(emulator);
    drop(down);
    let again = TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_delayed_reset_waits_with_the_connection_open() {
    let hold = stromboli_emulator::Hold::new();
    let (emulator, fault) = faulty(Fault::reset_on_connect().times(1).delayed(&hold)).await;
    let mut connection = Connection::open(&emulator).await;
    within(emulator.wait_for(|stats| stats.faults == 1)).await;
    assert_eq!(fault.fired(), 1);
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.end().await, (String::new(), End::Reset));
    assert_eq!(get(&emulator, "/health").await.status, 200);
}
