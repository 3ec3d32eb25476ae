//! Values that are read with futures, each of which is polled once and dropped: nothing is lost and nothing comes twice.

use std::fmt::Debug;

use stromboli::{AgentEvent, AgentEventKind, AgentRequest, Client, Error, RunEvent};
use stromboli_emulator::Emulator;

use super::cut::by_single_polls;
use super::operations::often;
use crate::support::{Relay, within};

/// An emulator, and a client to which its answers come a few bytes at a time.
async fn emulator() -> (Emulator, Relay, Client) {
    let emulator = Emulator::start().await.unwrap();
    let relay = Relay::to(emulator.url(), 7).await;
    let client = Client::new(relay.url()).unwrap();
    (emulator, relay, client)
}

/// What was read, without an error and by many futures.
fn whole<T: Debug>((read, dropped): (Vec<Result<T, Error>>, usize)) -> Vec<T> {
    assert!(dropped > 10, "only {dropped} futures were dropped");
    read.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_run_stream_loses_nothing() {
    let (emulator, _relay, client) = emulator().await;
    let lines: Vec<_> = (0..50).map(|n| format!("line {n} of it")).collect();
    emulator.on_prompt("").lines(lines.clone());
    let mut run = within(client.stream("hi")).await.unwrap();
    let mut events = whole(by_single_polls(&mut run, async |run| run.try_next().await).await);
    assert!(matches!(events.pop(), Some(RunEvent::Done(_))));
    assert_eq!(events, lines.into_iter().map(RunEvent::Output).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_history_loses_nothing() {
    let (emulator, _relay, client) = emulator().await;
    let id = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";
    let line = |n| format!(r#"{{"type":"user","uuid":"m-{n}","message":{{"role":"user","content":"hi"}}}}"#);
    let lines: Vec<_> = (0..50).map(line).collect();
    emulator.add_session(id, &lines.join("\n"));
    let mut messages = client.session(id).messages().limit(7).stream();
    let read = whole(by_single_polls(&mut messages, async |messages| messages.try_next().await).await);
    let expected: Vec<_> = (0..50).map(|n| format!("m-{n}")).collect();
    assert_eq!(
        read.iter().map(|message| message.uuid.clone()).collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test]
async fn the_updates_of_a_job_end_with_its_end() {
    let (emulator, _relay, client) = emulator().await;
    let hold = emulator.on_prompt("").reply("done").hold();
    let job = within(client.start("hi")).await.unwrap();

    let mut updates = job.updates_with(often());
    assert!(!within(updates.try_next()).await.unwrap().unwrap().status.is_final());
    hold.release();
    let read = whole(by_single_polls(&mut updates, async |updates| updates.try_next().await).await);
    assert_eq!(read.last().unwrap().output.as_deref(), Some("done"));
    assert!(read.iter().rev().skip(1).all(|job| !job.status.is_final()));
}

#[tokio::test]
async fn a_turn_and_the_events_beside_it_lose_nothing() {
    let (emulator, _relay, client) = emulator().await;
    emulator.on_prompt("").reply("a long answer ".repeat(20));
    let agent = within(client.agents().spawn(AgentRequest::new())).await.unwrap();
    let patient = within(agent.ask("hi")).await.unwrap();
    let mut events = within(agent.events()).await.unwrap();
    let mut turn = within(agent.send("hi")).await.unwrap();
    let messages = whole(by_single_polls(&mut turn, async |turn| turn.try_next().await).await);
    assert_eq!(messages.len(), patient.messages.len());
    assert_eq!(messages.last().unwrap().as_result().unwrap().text(), patient.text);
    within(agent.stop()).await.unwrap();
    let events = whole(by_single_polls(&mut events, async |events| events.try_next().await).await);
    let is_message = |event: &&AgentEvent| matches!(event.kind, AgentEventKind::Message(_));
    let said = events.iter().filter(is_message).count();
    assert_eq!(said, messages.len());
}

#[tokio::test]
async fn events_that_are_subscribed_to_again_go_on() {
    let (emulator, _relay, client) = emulator().await;
    let agent = within(client.agents().spawn(AgentRequest::new())).await.unwrap();
    let mut events = within(agent.events()).await.unwrap().resubscribe(1);
    emulator.close_streams();
    let stop = async {
        emulator.wait_for(|stats| stats.subscribers == 0).await;
        emulator.wait_for(|stats| stats.subscribers == 1).await;
        agent.stop().await.unwrap();
    };
    let (read, ()) = tokio::join!(
        by_single_polls(&mut events, async |events| events.try_next().await),
        stop
    );
    let kinds: Vec<_> = whole(read).into_iter().map(|event| event.kind).collect();
    assert!(
        matches!(kinds[..], [AgentEventKind::Resubscribed, .., AgentEventKind::Exited(_)]),
        "{kinds:?}"
    );
}
