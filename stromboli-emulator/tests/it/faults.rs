//! Faults: what a client sees of each, and whether its request is executed.

mod answers;
mod choice;
mod connections;
mod delays;
mod refusals;
mod streams;

use stromboli_emulator::{Emulator, Fault, Injected};

/// What a route without parameters says, and how long that is.
const STATUS: &str = r#"{"configured":true,"message":"Claude is configured"}"#;
/// Its head when nothing is wrong, without the date; the request had the id `r`.
const STATUS_HEAD: &str = "HTTP/1.1 200 OK\r\n\
     Content-Type: application/json; charset=utf-8\r\n\
     X-Request-Id: r\r\n\
     Content-Length: 52\r\n\
     \r\n";
/// A run, and its events when nothing is wrong, but for the end, which has ids.
const PING: &str = r#"{"prompt":"ping"}"#;
const PING_STREAM: &str = "/run/stream?prompt=ping";

/// An emulator with a fault; it answers `ping` with two lines.
async fn faulty(fault: Fault) -> (Emulator, Injected) {
    let emulator = Emulator::builder().seed(1).start().await.unwrap();
    emulator.on_prompt("ping").lines(["one", "two"]);
    let injected = emulator.inject(fault);
    (emulator, injected)
}

/// Whether the requests so far were executed, in their order.
fn executed(emulator: &Emulator) -> Vec<bool> {
    emulator.requests().iter().map(|request| request.executed).collect()
}
