//! Readers of live agents that are too slow, and much to read: nothing is missing without a word.

use serde_json::{Value, json};
use stromboli::{AgentEventKind, AgentRequest, Client, ErrorKind, Message, Outcome};
use stromboli_emulator::Emulator;

use crate::agents::{emulator, spawn};
use crate::support::within;

/// How many pieces the answer of [`long_turn`] comes in: far more than a slow reader's buffer of 32.
const PIECES: usize = 64;
/// So large that a few of them fill the buffers of both sockets.
const PIECE: usize = 16 * 1024;

/// A turn with one long answer, in the order of a recorded one.
fn long_turn() -> Vec<Value> {
    let event = |event: Value| json!({"type": "stream_event", "event": event, "parent_tool_use_id": null});
    let text = |text: String| json!([{"type": "text", "text": text}]);
    let mut turn = vec![
        json!({"type": "system", "subtype": "init"}),
        event(json!({"type": "message_start", "message": {"id": "msg_1", "content": []}})),
        event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
    ];
    let piece = "x".repeat(PIECE);
    for _ in 0..PIECES {
        turn.push(event(json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": piece}})));
    }
    turn.extend([
        json!({"type": "assistant", "message": {"id": "msg_1", "content": text("x".repeat(PIECE * PIECES))}}),
        event(json!({"type": "content_block_stop", "index": 0})),
        event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})),
        event(json!({"type": "message_stop"})),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": "the end",
            "usage": {"output_tokens": 42}, "total_cost_usd": 1.5}),
    ]);
    turn
}

/// An emulator that keeps next to nothing for a slow reader, with a long turn and a short one.
async fn small_buffers() -> (Emulator, Client) {
    let emulator = Emulator::builder().send_buffer(4096).start().await.unwrap();
    emulator.on_prompt("long").messages(long_turn());
    emulator
        .on_prompt("short")
        .tool("Bash", json!({"command": "ls"}), "main.rs")
        .reply("short answer");
    // So short that even a reader that gets no time at all loses nothing of it.
    emulator.on_prompt("tiny").reply("yes");
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

#[tokio::test]
async fn a_thousand_turns_with_a_reader_that_is_sometimes_slow_have_no_hole_that_is_not_told() {
    let (emulator, client) = small_buffers().await;
    let agent = spawn(&client).await;
    let whole_short = within(agent.ask("short")).await.unwrap().messages.len();
    let whole_long = long_turn().len();
    let mut told = 0;
    for number in 1..1000 {
        let slow = number % 40 == 0;
        let long = slow || number % 100 == 1;
        let dropped = emulator.wait_for(|_| true).await.dropped_events;
        let mut turn = within(agent.send(if long { "long" } else { "short" })).await.unwrap();
        if slow {
            within(emulator.wait_for(|stats| stats.dropped_events > dropped)).await;
            within(emulator.wait_for(|stats| stats.finished > number)).await;
        }
        let (mut messages, mut holes, mut has_result) = (0, 0, false);
        loop {
            match within(turn.try_next()).await {
                Ok(Some(message)) => {
                    messages += 1;
                    has_result = message.as_result().is_some();
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Lagged, "turn {number}: {error}");
                    assert!(error.may_have_executed());
                    holes += 1;
                }
            }
        }
        let whole = if long { whole_long } else { whole_short };
        assert!(messages < whole || !slow, "turn {number} was read whole");
        assert_eq!(
            holes,
            usize::from(messages < whole),
            "turn {number}: {messages} of {whole} messages"
        );
        assert!(has_result, "turn {number}");
        told += holes;
    }
    // A reader that does not wait may be too slow for the long turns as well.
    assert!(told >= 24, "{told}");
    assert_eq!(within(agent.get()).await.unwrap().turns_completed, 1000);
}

#[tokio::test]
async fn asking_gives_the_whole_answer_whatever_was_missed_and_says_so() {
    let (emulator, client) = small_buffers().await;
    let agent = spawn(&client).await;
    let turn = within(agent.send("long")).await.unwrap();
    within(emulator.wait_for(|stats| stats.finished == 1 && stats.dropped_events > 0)).await;
    let result = within(turn.finish()).await.unwrap();
    assert_eq!((result.text.as_str(), result.total_cost_usd), ("the end", Some(1.5)));
    assert_eq!(result.outcome, Outcome::Ok);
    assert!(!result.is_complete());

    let next = within(agent.ask("short")).await.unwrap();
    assert!(next.is_complete());
}

#[tokio::test]
async fn one_slow_subscriber_costs_the_others_nothing() {
    let (emulator, client) = small_buffers().await;
    let agent = spawn(&client).await;
    let mut slow = within(agent.events()).await.unwrap();
    let mut turns = 0;
    // More than some turns have: fewer could all be lines between the start and the end of one.
    while emulator.wait_for(|_| true).await.dropped_events < 100 {
        assert!(within(agent.ask("tiny")).await.unwrap().is_complete());
        turns += 1;
        assert!(turns < 2000, "nothing is ever dropped");
    }
    within(agent.stop()).await.unwrap();

    let (mut starts, mut ends, mut holes) = (0, 0, 0);
    while let Some(event) = within(slow.try_next()).await.unwrap() {
        match event.kind {
            AgentEventKind::TurnStart => starts += 1,
            AgentEventKind::TurnEnd => ends += 1,
            AgentEventKind::Lagged => holes += 1,
            _ => {}
        }
    }
    assert!(starts < turns && ends < turns, "{starts} and {ends} of {turns}");
    // Now and then the system lets a few events through in between.
    assert!(holes >= 1, "{starts} of {turns} turns came, and no hole was told");
}

#[tokio::test]
async fn a_turn_of_ten_megabytes_arrives_whole() {
    let (emulator, client) = emulator().await;
    let text = "naïve 🌋 \"quoted\" \\ ".repeat(400_000);
    let said = [
        json!({"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": text}]}}),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": "said"}),
    ];
    // Its line must stay below what the server cuts, the escapes included.
    let size = said[0].to_string().len();
    assert!(size > 10_000_000 && size < 10 * 1024 * 1024, "{size}");
    emulator.on_prompt("much").messages(said);
    let agent = spawn(&client).await;
    let mut turn = within(agent.send("much")).await.unwrap();
    let first = within(turn.try_next()).await.unwrap().unwrap();
    assert_eq!(first.as_assistant().unwrap().text(), text);
    let rest = within(turn.finish()).await.unwrap();
    assert_eq!((rest.text.as_str(), rest.is_complete()), ("said", true));

    let result = within(agent.ask("much")).await.unwrap();
    assert_eq!(result.messages[0].as_assistant().unwrap().text(), text);
    assert!(result.is_complete());
}

#[tokio::test]
async fn a_message_above_ten_mebibytes_is_told_to_be_missing() {
    let (emulator, client) = emulator().await;
    let huge = json!({"type": "assistant", "message": {"content": [{"type": "text", "text": "x".repeat(11 << 20)}]}});
    let end = json!({"type": "result", "subtype": "success", "is_error": false, "result": "said"});
    emulator.on_prompt("huge").messages([huge, end]);
    let agent = within(client.agents().spawn(AgentRequest::new())).await.unwrap();
    let mut events = within(agent.events()).await.unwrap();
    let mut turn = within(agent.send("huge")).await.unwrap();
    let error = within(turn.try_next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lagged);
    assert!(error.message().contains("10 MiB"), "{error:?}");
    assert!(matches!(
        within(turn.try_next()).await.unwrap(),
        Some(Message::Result(_))
    ));
    assert!(within(turn.try_next()).await.unwrap().is_none());
    let mut cut = 0;
    while !matches!(
        within(events.try_next()).await.unwrap().unwrap().kind,
        AgentEventKind::TurnEnd
    ) {
        cut += 1;
    }
    assert_eq!(cut, 3, "the start, the note and the result");

    let result = within(agent.ask("huge")).await.unwrap();
    assert_eq!((result.text.as_str(), result.is_complete()), ("said", false));
}
