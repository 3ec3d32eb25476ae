//! Readers of an agent's stream that do not keep up.

use serde_json::json;
use stromboli_emulator::Emulator;

use crate::client::{Connection, within};
use crate::events::{Event, Events, send, start};

const RESULT: &str = r#"{"type":"result"}"#;

/// So many numbered lines of so many bytes and a few, and the end of the turn.
fn numbered(count: usize, length: usize) -> Vec<String> {
    let line = |number: usize| format!("{number} {}", "x".repeat(length));
    (0..count).map(line).chain([RESULT.to_owned()]).collect()
}

/// The numbers of the lines among the events.
fn numbers(events: &[Event]) -> Vec<usize> {
    let outputs = events.iter().filter(|event| event.name == "output");
    let numbers = outputs.filter_map(|event| event.content().split_once(' ')?.0.parse().ok());
    numbers.collect()
}

#[tokio::test]
async fn a_reader_that_does_not_read_loses_the_oldest_of_32_events() {
    let emulator = Emulator::builder().send_buffer(4096).start().await.unwrap();
    emulator.on_prompt("ping").lines(numbered(200, 1000));
    let agent = start(&emulator, json!({})).await;
    let slow = Connection::open_narrow(&emulator).await;
    let mut slow = Events::open_on(slow, &agent).await;
    let mut quick = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    let all = quick.until("turn_end").await;
    assert_eq!(numbers(&all), (0..200).collect::<Vec<_>>());
    let stats = within(emulator.wait_for(|stats| stats.finished == 1)).await;

    let received = slow.until("turn_end").await;
    assert_eq!(received[0].name, "turn_start");
    // 201 lines, a beginning and an end: what was not dropped has arrived.
    assert_eq!(received.len() as u64 + stats.dropped_events, 203);
    let numbers = numbers(&received);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    // First there is what had left for the socket, which is not much, and last what waited: 30 lines, the result and
    // the end, of which a few may have found their way into the socket before the others came.
    let first_hole = (0..numbers.len()).find(|at| numbers[*at] != *at).unwrap();
    assert!((1..100).contains(&first_hole), "{numbers:?}");
    assert_eq!(numbers[numbers.len() - 25..], (175..200).collect::<Vec<_>>());

    // It is a reader like any other again.
    emulator.on_prompt("again").lines([RESULT]);
    send(&emulator, &agent, "again").await;
    assert_eq!(slow.until("turn_end").await.len(), 3);
}

async fn assert_nothing_is_lost(emulator: Emulator) {
    // Whether they come one by one or at once; all fit into the system's buffers, however slow this reader is.
    let (mut single, joined) = (numbered(3000, 0), numbered(3000, 0).split_off(1500).join("\n"));
    single.truncate(1500);
    emulator.on_prompt("ping").lines(single.into_iter().chain([joined]));
    let agent = start(&emulator, json!({})).await;
    let mut first = Events::open(&emulator, &agent).await;
    let mut second = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    let (first, second) = tokio::join!(first.until("turn_end"), second.until("turn_end"));
    for events in [first, second] {
        assert_eq!(numbers(&events), (0..3000).collect::<Vec<_>>());
    }
    assert_eq!(emulator.wait_for(|_| true).await.dropped_events, 0);
}

#[tokio::test]
async fn a_reader_that_reads_loses_nothing() {
    assert_nothing_is_lost(Emulator::start().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_reads_loses_nothing_on_many_threads_either() {
    assert_nothing_is_lost(Emulator::start().await.unwrap()).await;
}

#[tokio::test]
async fn an_agent_does_not_wait_for_a_reader_that_is_gone_or_does_not_read() {
    let emulator = Emulator::builder().send_buffer(4096).start().await.unwrap();
    emulator.on_prompt("ping").lines(numbered(500, 1000));
    let agent = start(&emulator, json!({})).await;
    let asleep = Connection::open_narrow(&emulator).await;
    let _asleep = Events::open_on(asleep, &agent).await;
    let gone = Connection::open_narrow(&emulator).await;
    let gone = Events::open_on(gone, &agent).await;
    send(&emulator, &agent, "ping").await;
    within(emulator.wait_for(|stats| stats.dropped_events > 0)).await;
    drop(gone);
    let stats = within(emulator.wait_for(|stats| stats.finished == 1 && stats.subscribers == 1)).await;
    assert!(stats.dropped_events > 400);
}
