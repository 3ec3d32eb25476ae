//! Who ends what: clients that go away, and the emulator's own end.

use std::io::ErrorKind;
use std::time::Duration;

use stromboli_emulator::Emulator;
use tokio::net::TcpStream;

use crate::client::{Connection, get, post, within};

#[tokio::test]
async fn a_client_that_goes_away_kills_its_run() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("ping").hold();
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", br#"{"prompt":"ping"}"#).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    assert_eq!(emulator.stopped(), 0);
    drop(connection);
    let stats = within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    assert_eq!((stats.executions, stats.finished), (1, 0));
}

#[tokio::test]
async fn a_client_that_goes_away_kills_its_stream_before_and_after_the_first_event() {
    let emulator = Emulator::start().await.unwrap();
    let _before = emulator.on_prompt("before").hold();
    let _after = emulator.on_prompt("after").lines(["one", "two"]).hold_after(1);
    for (number, prompt) in [(1, "before"), (2, "after")] {
        let mut connection = Connection::open(&emulator).await;
        connection
            .send("GET", &format!("/run/stream?prompt={prompt}"), "", b"")
            .await;
        within(emulator.wait_for(|stats| stats.executions == number)).await;
        if prompt == "after" {
            connection.head().await;
            assert_eq!(connection.chunk().await, "data: one\n\n");
        }
        assert_eq!(emulator.stopped(), number - 1);
        drop(connection);
        within(emulator.wait_for(|stats| stats.stopped == number)).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_kill_its_job() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let accepted = post(&emulator, "/run/async", r#"{"prompt":"ping"}"#).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    hold.release();
    let stats = within(emulator.wait_for(|stats| stats.finished == 1)).await;
    assert_eq!(stats.stopped, 0);
    let id = accepted.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(
        get(&emulator, &format!("/jobs/{id}")).await.json()["status"],
        "completed"
    );
}

#[tokio::test]
async fn a_run_that_ends_is_not_stopped() {
    let emulator = Emulator::start().await.unwrap();
    post(&emulator, "/run", r#"{"prompt":"hi"}"#).await;
    get(&emulator, "/run/stream?prompt=hi").await;
    let stats = within(emulator.wait_for(|stats| stats.finished == 2)).await;
    assert_eq!((stats.executions, stats.stopped, stats.requests), (2, 0, 2));
}

async fn assert_gone(emulator: Emulator) {
    let _hold = emulator.on_prompt("ping").lines(["one", "two"]).hold_after(1);
    let mut open = Connection::open(&emulator).await;
    open.send("GET", "/run/stream?prompt=ping", "", b"").await;
    open.head().await;
    assert_eq!(open.chunk().await, "data: one\n\n");
    let mut idle = Connection::open(&emulator).await;
    idle.send("GET", "/health", "", b"").await;
    idle.response("GET").await;

    let address = emulator.url().strip_prefix("http://").unwrap().to_owned();
    drop(emulator);
    let refused = TcpStream::connect(&address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(open.is_closed().await);
    assert!(idle.is_closed().await);
}

#[tokio::test]
async fn a_dropped_emulator_is_gone() {
    assert_gone(Emulator::start().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_emulator_is_gone_on_many_threads_too() {
    assert_gone(Emulator::start().await.unwrap()).await;
}

#[tokio::test]
async fn emulators_do_not_know_each_other() {
    let (first, second) = (Emulator::start().await.unwrap(), Emulator::start().await.unwrap());
    assert_ne!(first.url(), second.url());
    first.on_prompt("hi").reply("first");
    assert_eq!(
        post(&first, "/run", r#"{"prompt":"hi"}"#).await.json()["output"],
        "first"
    );
    assert_ne!(
        post(&second, "/run", r#"{"prompt":"hi"}"#).await.json()["output"],
        "first"
    );
    drop(first);
    assert_eq!(get(&second, "/health").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_run_may_take_thirty_minutes_and_a_connection_idle_as_long() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("long").reply("pong").hold();
    let _never = emulator.on_prompt("too much").reply("pong").hold();
    let [mut idle, mut long, mut longer] = [
        Connection::open(&emulator).await,
        Connection::open(&emulator).await,
        Connection::open(&emulator).await,
    ];
    idle.send("GET", "/health", "", b"").await;
    assert_eq!(idle.response("GET").await.status, 200);
    long.send("POST", "/run", "", br#"{"prompt":"long"}"#).await;
    longer.send("POST", "/run", "", br#"{"prompt":"too much"}"#).await;
    emulator.wait_for(|stats| stats.executions == 2).await;
    tokio::time::sleep(Duration::from_secs(30 * 60 - 1)).await;
    assert_eq!(emulator.wait_for(|_| true).await.finished, 0);
    hold.release();
    assert_eq!(long.response("POST").await.json()["output"], "pong");
    assert_eq!(longer.response("POST").await.json()["status"], "crashed");
    idle.send("GET", "/health", "", b"").await;
    assert_eq!(idle.response("GET").await.status, 200);
}
