//! Streams of events, of runs and of agents, that end otherwise than they should.

use serde_json::json;
use stromboli_emulator::{Emulator, Fault};

use super::{PING_STREAM, executed, faulty};
use crate::client::{End, exchange, get, post, within};
use crate::events::{self, Events};

const ONE: &str = "B\r\ndata: one\n\n\r\n";
const TWO: &str = "B\r\ndata: two\n\n\r\n";
const LAST: &str = "0\r\n\r\n";

/// What comes of a run's stream after the head, with this fault.
async fn streamed(fault: Fault) -> (Emulator, String, End) {
    let (emulator, fault) = faulty(fault).await;
    let (answer, end) = exchange(&emulator, "GET", PING_STREAM, "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nContent-Type: text/event-stream\r\n"), "{head}");
    assert!(head.contains("\r\nTransfer-Encoding: chunked"), "{head}");
    assert_eq!((executed(&emulator), fault.fired()), (vec![true], 1));
    (emulator, body.to_owned(), end)
}

#[tokio::test]
async fn a_stream_ends_properly_after_so_many_events() {
    let cases = [(0, String::new()), (1, ONE.to_owned()), (2, format!("{ONE}{TWO}"))];
    for (events, expected) in cases {
        let (emulator, body, end) = streamed(Fault::end_events_after(events)).await;
        assert_eq!((body, end), (format!("{expected}{LAST}"), End::Closed));
        let stats = within(emulator.wait_for(|stats| stats.stopped == 1)).await;
        assert_eq!((stats.executions, stats.finished), (1, 0));
    }
    for events in [3, 4] {
        let (emulator, body, _) = streamed(Fault::end_events_after(events)).await;
        assert!(body.contains("event: done\n") && body.ends_with(LAST), "{body}");
        assert_eq!(emulator.stopped(), 0);
    }
}

#[tokio::test]
async fn a_stream_ends_without_its_marker() {
    let (_, body, end) = streamed(Fault::without_end_marker()).await;
    assert_eq!((body, end), (format!("{ONE}{TWO}{LAST}"), End::Closed));
}

#[tokio::test]
async fn an_error_is_an_end_marker_too() {
    let (emulator, _) = faulty(Fault::without_end_marker()).await;
    emulator.on_prompt("ping").fail(1, "one");
    let (answer, _) = exchange(&emulator, "GET", PING_STREAM, "").await;
    assert!(answer.ends_with(&format!("\r\n\r\n{ONE}{LAST}")), "{answer}");
}

#[tokio::test]
async fn a_stream_is_cut_after_its_marker() {
    for (fault, expected) in [
        (Fault::cut_after_end_marker(), End::Closed),
        (Fault::cut_after_end_marker().by_reset(), End::Reset),
    ] {
        let (emulator, body, end) = streamed(fault).await;
        assert!(body.contains("event: done\n") && body.ends_with("}\n\n\r\n"), "{body}");
        assert_eq!((end, emulator.stopped()), (expected, 0));
    }
}

#[tokio::test]
async fn what_is_no_stream_comes_whole() {
    for fault in [
        Fault::end_events_after(0),
        Fault::without_end_marker(),
        Fault::cut_after_end_marker(),
    ] {
        let (emulator, _) = faulty(fault).await;
        let response = get(&emulator, "/run/stream").await;
        assert_eq!(response.body, "Missing required parameter: prompt");
    }
}

#[tokio::test]
async fn the_stream_of_an_agent_ends_after_so_many_events_and_the_agent_goes_on() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").messages([json!({"type": "result"})]);
    let agent = events::start(&emulator, json!({})).await;
    let fault = emulator.inject(Fault::end_events_after(2).on("/agents/{id}/stream"));
    let mut events = Events::open(&emulator, &agent).await;
    events::send(&emulator, &agent, "ping").await;
    assert_eq!(events.next().await.name, "turn_start");
    assert_eq!(events.next().await.name, "output");
    assert_eq!(events.connection.end().await, (LAST.to_owned(), End::Closed));
    let stats = within(emulator.wait_for(|stats| stats.finished == 1)).await;
    assert_eq!((stats.agents, fault.fired()), (1, 1));
    within(emulator.wait_for(|stats| stats.subscribers == 0)).await;
}

#[tokio::test]
async fn the_stream_of_an_agent_with_a_wrong_length_is_its_first_event() {
    for more in [10, -10] {
        let emulator = Emulator::start().await.unwrap();
        emulator.on_prompt("ping").messages([json!({"type": "result"})]);
        let agent = events::start(&emulator, json!({})).await;
        let path = format!("/agents/{agent}/stream");
        emulator.inject(Fault::wrong_length(more).on("/agents/{id}/stream"));
        let stream = exchange(&emulator, "GET", &path, "");
        let prompt = async {
            within(emulator.wait_for(|stats| stats.subscribers == 1)).await;
            events::send(&emulator, &agent, "ping").await;
        };
        let ((answer, end), ()) = within(async { tokio::join!(stream, prompt) }).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(body.starts_with("event: turn_start\ndata: {"), "{body}");
        assert_eq!((body.matches("\n\n").count(), end), (1, End::Closed));
        let length = i64::try_from(body.len()).unwrap() + more;
        assert!(head.contains(&format!("\r\nContent-Length: {length}")), "{head}");
        assert!(!head.contains("Transfer-Encoding"), "{head}");
        within(emulator.wait_for(|stats| stats.subscribers == 0)).await;
    }
}

#[tokio::test]
async fn the_stream_of_an_agent_ends_without_its_marker_or_after_it() {
    for (fault, marker, expected) in [
        (Fault::without_end_marker(), "", LAST),
        (
            Fault::cut_after_end_marker(),
            "18\r\nevent: closed\ndata: {}\n\n\r\n",
            "",
        ),
    ] {
        let emulator = Emulator::start().await.unwrap();
        emulator
            .on_prompt("ping")
            .stderr("warning")
            .messages([json!({"type": "result"})]);
        let agent = events::start(&emulator, json!({})).await;
        emulator.inject(fault.on("/agents/{id}/stream"));
        let mut events = Events::open(&emulator, &agent).await;
        events::send(&emulator, &agent, "ping").await;
        // The error of an agent ends nothing.
        for name in ["turn_start", "error", "output", "turn_end"] {
            assert_eq!(events.next().await.name, name);
        }
        crate::client::delete(&emulator, &format!("/agents/{agent}")).await;
        assert_eq!(events.next().await.name, "exited");
        assert_eq!(
            events.connection.end().await,
            (format!("{marker}{expected}"), End::Closed)
        );
    }
}

#[tokio::test]
async fn a_stream_that_is_written_by_hand_comes_as_it_is_said() {
    let (emulator, _) = faulty(Fault::informational(103)).await;
    let hold = emulator.on_prompt("slow").lines(["one", "two"]).hold_after(1);
    let mut connection = crate::client::Connection::open(&emulator).await;
    connection.send("GET", "/run/stream?prompt=slow", "", b"").await;
    assert_eq!(connection.head().await, "HTTP/1.1 103 Early Hints\r\n\r\n");
    connection.head().await;
    assert_eq!(connection.chunk().await, "data: one\n\n");
    emulator.clear_faults();
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert_eq!(connection.chunk().await, "data: two\n\n");
    assert_eq!(post(&emulator, "/run", r#"{"prompt":"ping"}"#).await.status, 200);
}
