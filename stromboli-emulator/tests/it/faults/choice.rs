//! Which requests a fault strikes, and how often.

use serde_json::json;
use stromboli_emulator::{Emulator, Fault};

use super::executed;
use crate::client::{Connection, delete, get, post};

async fn run(emulator: &Emulator, prompt: &str) -> u16 {
    post(emulator, "/run", json!({"prompt": prompt}).to_string())
        .await
        .status
}

#[tokio::test]
async fn without_limits_a_fault_strikes_every_request_for_ever() {
    let emulator = Emulator::start().await.unwrap();
    let fault = emulator.inject(Fault::status(503));
    for _ in 0..5 {
        assert_eq!(get(&emulator, "/health").await.status, 503);
        assert_eq!(run(&emulator, "ping").await, 503);
    }
    assert_eq!(fault.fired(), 10);
    emulator.clear_faults();
    assert_eq!(run(&emulator, "ping").await, 200);
    assert_eq!(fault.fired(), 10);
}

#[tokio::test]
async fn a_counted_fault_strikes_so_often() {
    let emulator = Emulator::start().await.unwrap();
    let fault = emulator.inject(Fault::status(503).times(2).on("/run"));
    let statuses = [
        run(&emulator, "a").await,
        run(&emulator, "b").await,
        run(&emulator, "c").await,
    ];
    assert_eq!(statuses, [503, 503, 200]);
    assert_eq!((fault.fired(), emulator.executions()), (2, 1));
    assert_eq!(executed(&emulator), [false, false, true]);
    let never = emulator.inject(Fault::status(503).times(0));
    assert_eq!((run(&emulator, "d").await, never.fired()), (200, 0));
}

#[tokio::test]
async fn faults_strike_in_the_order_of_their_injection_and_one_at_a_time() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject(Fault::status(429).times(1));
    emulator.inject(Fault::delay_headers(std::time::Duration::ZERO).times(1));
    emulator.inject(Fault::status(502).times(1));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(run(&emulator, "ping").await);
    }
    assert_eq!(statuses, [429, 200, 502, 200]);
    assert_eq!(emulator.wait_for(|_| true).await.faults, 3);
}

#[tokio::test]
async fn a_fault_strikes_its_route_and_method_only() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject(Fault::status(501).on("/jobs/{id}").method("delete"));
    emulator.inject(Fault::status(502).on("/jobs/j 1"));
    emulator.inject(Fault::status(503).on("/nowhere"));
    assert_eq!(delete(&emulator, "/jobs/j%201").await.status, 501);
    assert_eq!(get(&emulator, "/jobs/j%201?x=y").await.status, 502);
    assert_eq!(get(&emulator, "/jobs/j2").await.status, 404);
    assert_eq!(get(&emulator, "/jobs").await.status, 200);
    assert_eq!(get(&emulator, "/nowhere").await.status, 503);
}

#[tokio::test]
async fn a_fault_strikes_prompts_with_its_text_only() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject(Fault::status(503).on_prompt("deploy é"));
    assert_eq!(run(&emulator, "please deploy é now").await, 503);
    assert_eq!(run(&emulator, "ping").await, 200);
    assert_eq!(get(&emulator, "/run/stream?prompt=deploy+%C3%A9").await.status, 503);
    assert_eq!(get(&emulator, "/run/stream?prompt=ping").await.status, 200);
    assert_eq!(get(&emulator, "/health").await.status, 200);
    let agent = |prompt: &str| json!({ "prompt": prompt }).to_string();
    assert_eq!(post(&emulator, "/agents", agent("deploy é")).await.status, 503);
    assert_eq!(post(&emulator, "/agents", agent("ping")).await.status, 201);
    // What it has looked into arrives whole at the route, and in the list of requests.
    assert_eq!(post(&emulator, "/run", "{").await.status, 400);
    let bodies: Vec<_> = emulator.requests().iter().map(|request| request.body.len()).collect();
    assert!(bodies[0] > 0 && bodies[1] > 0, "{bodies:?}");
    assert_eq!(emulator.executions(), 3);
}

/// Which of 40 runs are struck, by an emulator and a fault with these seeds, if any.
async fn struck(emulator: u64, fault: Option<u64>, noise: bool) -> Vec<bool> {
    let emulator = Emulator::builder().seed(emulator).start().await.unwrap();
    let mut injected = Fault::status(503).probability(0.3).on("/run");
    if let Some(seed) = fault {
        injected = injected.seed(seed);
    }
    let injected = emulator.inject(injected);
    let mut connection = Connection::open(&emulator).await;
    let mut struck = Vec::new();
    for _ in 0..40 {
        if noise {
            connection.send("GET", "/health", "", b"").await;
            connection.response("GET").await;
        }
        connection.send("POST", "/run", "", br#"{"prompt":"ping"}"#).await;
        struck.push(connection.response("POST").await.status == 503);
    }
    let count = struck.iter().filter(|struck| **struck).count();
    assert_eq!(injected.fired(), count as u64);
    assert!((4..25).contains(&count), "{count}");
    struck
}

#[tokio::test]
async fn a_probable_fault_strikes_the_same_requests_with_the_same_seed() {
    let first = struck(1, None, false).await;
    assert_eq!(struck(1, None, true).await, first);
    assert_ne!(struck(2, None, false).await, first);
    let own = struck(1, Some(7), false).await;
    assert_eq!(struck(2, Some(7), true).await, own);
    assert_ne!(struck(1, Some(8), false).await, own);
    assert_ne!(own, first);
}

#[tokio::test]
async fn a_probable_fault_can_be_counted_as_well() {
    let emulator = Emulator::builder().seed(3).start().await.unwrap();
    let fault = emulator.inject(Fault::status(503).probability(0.5).times(4).on("/run"));
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(run(&emulator, "ping").await);
    }
    assert_eq!(fault.fired(), 4);
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 4);
    assert_ne!(statuses[..4], [503; 4]);
}
