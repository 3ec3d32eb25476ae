//! Live agents that end, connections that break, servers that die: every end is told, and no prompt is sent twice.

use std::time::Duration;

use stromboli::{AgentEventKind, AgentRequest, AgentStatus, Client, ErrorKind, RequestOptions};
use stromboli_emulator::Emulator;

use crate::agents::{emulator, spawn};
use crate::support::{SHORT, within};

/// How often prompts arrived at the emulator.
fn prompts(emulator: &Emulator) -> usize {
    emulator
        .requests()
        .iter()
        .filter(|request| request.target.ends_with("/send"))
        .count()
}

fn streams(emulator: &Emulator) -> usize {
    emulator
        .requests()
        .iter()
        .filter(|request| request.target.ends_with("/stream"))
        .count()
}

#[tokio::test]
async fn a_server_killed_in_mid_turn_is_a_turn_cut_off_that_may_have_run() {
    let (emulator, client) = emulator().await;
    let _hold = emulator.on_prompt("long").reply("never said").hold_after(3);
    let agent = spawn(&client).await;
    let mut turn = within(agent.send("long")).await.unwrap();
    for _ in 0..3 {
        assert!(within(turn.try_next()).await.unwrap().is_some());
    }
    drop(emulator);
    let error = within(turn.try_next()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_executed()),
        (ErrorKind::Truncated, true),
        "{error}"
    );
    assert!(within(turn.try_next()).await.unwrap().is_none());
    let error = within(agent.send("again")).await.unwrap_err();
    assert!(error.is_connect() && !error.may_have_executed());
}

#[tokio::test]
async fn an_agent_that_exits_in_mid_turn_is_told_with_its_last_words() {
    let (emulator, client) = emulator().await;
    emulator
        .on_prompt("crash")
        .stderr("out of memory")
        .reply("half of the ans")
        .without_result()
        .crash(137, "SIGKILL");
    let agent = spawn(&client).await;
    let mut turn = within(agent.send("crash")).await.unwrap();
    let error = loop {
        match within(turn.try_next()).await {
            Ok(message) => assert!(message.is_some(), "no end without an error"),
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.kind(), error.may_have_executed()),
        (ErrorKind::AgentExited, true)
    );
    assert_eq!(error.body(), b"out of memory");
    assert_eq!(turn.diagnostics().collect::<Vec<_>>(), ["out of memory"]);

    // It stays listed, takes no prompt and is not listened to.
    assert_eq!(within(agent.status()).await.unwrap(), AgentStatus::Exited);
    let before = streams(&emulator);
    for error in [
        within(agent.send("more")).await.unwrap_err(),
        within(agent.events()).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.may_have_executed()),
            (ErrorKind::AgentExited, false)
        );
    }
    assert_eq!((streams(&emulator), prompts(&emulator)), (before, 1));
    within(agent.stop()).await.unwrap();
    assert!(within(agent.get()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn what_an_agent_said_before_it_exited_is_kept_by_those_who_ask() {
    let (emulator, client) = emulator().await;
    emulator
        .on_prompt("crash")
        .reply("half of the answer")
        .without_result()
        .crash(139, "SIGSEGV");
    let agent = spawn(&client).await;
    let error = within(agent.ask("crash")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AgentExited);
    assert_eq!(error.body(), b"half of the answer");
}

#[tokio::test]
async fn an_agent_that_idled_too_long_exits_twice_and_is_gone() {
    let builder = Emulator::builder().agent_tick(Duration::from_millis(20));
    let emulator = builder.start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let agent = within(client.agents().spawn(AgentRequest::new().idle_timeout_seconds(1)))
        .await
        .unwrap();
    let mut events = within(agent.events()).await.unwrap();
    let mut reasons = Vec::new();
    while let Some(event) = within(events.try_next()).await.unwrap() {
        match event.kind {
            AgentEventKind::Exited(reason) => reasons.push(reason),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reasons.len(), 2);
    assert_eq!(reasons[0].as_deref(), Some("agent: idle timeout reached"));
    assert!(within(agent.send("hello")).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_turn_longer_than_the_idle_timeout_ends_with_its_reason() {
    let builder = Emulator::builder()
        .agent_tick(Duration::from_millis(20))
        .agent_grace(Duration::from_millis(1));
    let emulator = builder.start().await.unwrap();
    let _hold = emulator.on_prompt("long").reply("late").hold();
    let client = Client::new(emulator.url()).unwrap();
    let agent = within(client.agents().spawn(AgentRequest::new().idle_timeout_seconds(1)))
        .await
        .unwrap();
    let error = within(agent.ask("long")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AgentExited);
    assert!(error.message().contains("idle timeout reached"), "{error}");
}

#[tokio::test]
async fn a_lost_connection_ends_a_turn_and_the_agent_goes_on() {
    let (emulator, client) = emulator().await;
    let hold = emulator.on_prompt("long").reply("done").hold_after(2);
    let agent = spawn(&client).await;
    let turn = within(agent.send("long")).await.unwrap();
    emulator.close_streams();
    let error = within(turn.finish()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Truncated, true));

    let mut events = within(agent.events()).await.unwrap();
    hold.release();
    while !matches!(
        within(events.try_next()).await.unwrap().unwrap().kind,
        AgentEventKind::TurnEnd
    ) {}
    assert_eq!(prompts(&emulator), 1);
    assert_eq!(within(agent.get()).await.unwrap().turns_completed, 1);
}

#[tokio::test]
async fn events_end_with_an_error_when_the_connection_is_lost_unless_they_may_resubscribe() {
    let (emulator, client) = emulator().await;
    let agent = spawn(&client).await;
    let mut strict = within(agent.events()).await.unwrap();
    let mut lenient = within(agent.events()).await.unwrap().resubscribe(3);
    emulator.close_streams();
    let error = within(strict.try_next()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Truncated, false));
    assert!(within(strict.try_next()).await.unwrap().is_none());

    let gap = within(lenient.try_next()).await.unwrap().unwrap();
    assert!(matches!(gap.kind, AgentEventKind::Resubscribed));
    within(agent.ask("hello")).await.unwrap();
    assert!(matches!(
        within(lenient.try_next()).await.unwrap().unwrap().kind,
        AgentEventKind::TurnStart
    ));
    assert_eq!(prompts(&emulator), 1);
}

#[tokio::test]
async fn resubscribing_finds_an_agent_that_has_exited_in_between() {
    let (emulator, client) = emulator().await;
    emulator.on_prompt("crash").lines(["{}"]).crash(137, "SIGKILL");
    let agent = spawn(&client).await;
    let mut events = within(agent.events()).await.unwrap().resubscribe(3);
    // Nobody reads the events until it has exited.
    emulator.close_streams();
    within(agent.ask("crash")).await.unwrap_err();
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
    let mut kinds = Vec::new();
    while let Some(event) = within(events.try_next()).await.unwrap() {
        kinds.push(event.kind);
    }
    assert!(matches!(kinds[0], AgentEventKind::Resubscribed), "{kinds:?}");
    assert!(
        matches!(kinds.last().unwrap(), AgentEventKind::Exited(Some(_))),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn resubscribing_gives_up_after_so_many_times_in_a_row() {
    let (emulator, client) = emulator().await;
    let client = client.with_options(RequestOptions::new().retries(0));
    let agent = spawn(&client).await;
    let mut events = within(agent.events()).await.unwrap().resubscribe(2);
    drop(emulator);
    let error = within(events.try_next()).await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    assert!(within(events.try_next()).await.unwrap().is_none());
}

#[tokio::test]
async fn silence_ends_a_turn_and_events_after_their_idle_timeout() {
    let (emulator, client) = emulator().await;
    let _hold = emulator.on_prompt("long").reply("late").hold();
    let agent = spawn(&client).await;
    let mut events = within(agent.events()).await.unwrap().idle_timeout(SHORT);
    let error = within(events.try_next()).await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_executed());
    let turn = within(agent.send("long")).await.unwrap().idle_timeout(SHORT);
    let error = within(turn.finish()).await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_executed());
    within(emulator.wait_for(|stats| stats.subscribers == 0)).await;
}
