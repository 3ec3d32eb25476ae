//! How agents end: by themselves, stopped, and idle for too long.

use std::time::Duration;

use serde_json::json;
use stromboli_emulator::{Answer, Emulator, Run};
use tokio::time::{advance, pause, resume};

use crate::client::{Connection, delete, get, post, within};
use crate::events::{Events, look, names, puppet, send, start};

const RESULT: &str = r#"{"type":"result"}"#;

/// Lets so many seconds pass at once.
async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

#[tokio::test]
async fn an_agent_may_die_in_the_middle_of_a_turn() {
    let cases = [
        ("killed", Some("exit status 137")),
        ("failed", Some("exit status 3")),
        ("signalled", Some("signal: segmentation fault")),
        ("left", None),
    ];
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("killed").lines(["half"]).crash(137, "SIGKILL");
    emulator.on_prompt("failed").fail(3, "boom\nboom");
    emulator.on_prompt("signalled").crash(0, "segmentation fault");
    emulator.on_prompt("left").fail(0, "");
    for (number, (prompt, reason)) in cases.into_iter().enumerate() {
        let agent = start(&emulator, json!({})).await;
        let mut events = Events::open(&emulator, &agent).await;
        send(&emulator, &agent, prompt).await;
        let events = events.until("closed").await;
        let middle = match prompt {
            "killed" => vec!["output"],
            "failed" => vec!["error", "error"],
            _ => vec![],
        };
        let expected = [vec!["turn_start"], middle, vec!["exited", "closed"]].concat();
        assert_eq!(names(&events), expected);
        let exited = &events[events.len() - 2].data;
        assert_eq!(exited.get("error"), reason.map(|reason| json!(reason)).as_ref());
        assert_eq!(exited.get("turn_id"), None);
        let snapshot = look(&emulator, &agent).await;
        assert_eq!(
            (&snapshot["status"], &snapshot["turns_completed"]),
            (&json!("exited"), &json!(0))
        );
        assert_eq!(snapshot.get("exit_error"), exited.get("error"));
        let stats = within(emulator.wait_for(|stats| stats.agents == 0)).await;
        assert_eq!((stats.finished, stats.stopped), (number as u64 + 1, 0));
    }
}

#[tokio::test]
async fn an_agent_without_a_result_stays_busy() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("mute").reply("never mind").without_result();
    emulator
        .on_prompt("dies")
        .reply("never mind")
        .without_result()
        .crash(137, "SIGKILL");
    for prompt in ["mute", "dies"] {
        let agent = start(&emulator, json!({})).await;
        let mut events = Events::open(&emulator, &agent).await;
        send(&emulator, &agent, prompt).await;
        let mut last = events.next().await;
        while last.name != "output" || last.message()["event"]["type"] != "message_stop" {
            last = events.next().await;
        }
        if prompt == "dies" {
            assert_eq!(names(&events.until("closed").await), ["exited", "closed"]);
            continue;
        }
        assert!(events.connection.is_silent(&emulator).await);
        assert_eq!(look(&emulator, &agent).await["status"], "generating");
        let busy = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"again"}"#).await;
        assert_eq!(busy.status, 409);
    }
}

#[tokio::test]
async fn a_stopped_agent_may_finish_its_turn() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").lines(["one", RESULT]).hold_after(1);
    let agent = start(&emulator, json!({"prompt": "ping"})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let mut deleting = Connection::open(&emulator).await;
    let target = format!("/agents/{agent}");
    deleting.send("DELETE", &target, "", b"").await;
    assert!(deleting.is_silent(&emulator).await);
    // It cannot be asked for any more, though it lives.
    assert_eq!(get(&emulator, &target).await.status, 404);
    assert_eq!(delete(&emulator, &target).await.status, 404);
    assert_eq!(emulator.wait_for(|_| true).await.agents, 1);
    hold.release();
    let events = events.until("closed").await;
    let events = &events[events.len() - 4..];
    assert_eq!(names(events), ["output", "turn_end", "exited", "closed"]);
    assert_eq!(events[2].data.get("error"), None);
    assert_eq!(within(deleting.response("DELETE")).await.status, 204);
    let stats = within(emulator.wait_for(|stats| stats.agents == 0)).await;
    assert_eq!((stats.finished, stats.stopped), (1, 0));
}

#[tokio::test]
async fn a_stopped_agent_that_does_not_end_is_killed() {
    let grace = Duration::from_millis(20);
    let emulator = Emulator::builder().agent_grace(grace).start().await.unwrap();
    let _hold = emulator.on_prompt("ping").reply("pong").hold();
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    send(&emulator, &agent, "ping").await;
    assert_eq!(delete(&emulator, &format!("/agents/{agent}")).await.status, 204);
    let events = events.until("closed").await;
    assert_eq!(names(&events), ["turn_start", "exited", "closed"]);
    assert_eq!(events[1].data["error"], "exit status 143");
    let stats = within(emulator.wait_for(|stats| stats.agents == 0)).await;
    assert_eq!((stats.finished, stats.stopped), (0, 1));
}

#[tokio::test]
async fn a_stopped_agent_has_five_seconds_by_default() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("ping").reply("pong").hold();
    let agent = start(&emulator, json!({"prompt": "ping"})).await;
    let mut deleting = Connection::open(&emulator).await;
    deleting.send("DELETE", &format!("/agents/{agent}"), "", b"").await;
    assert!(deleting.is_silent(&emulator).await);
    pass(4).await;
    assert!(deleting.is_silent(&emulator).await);
    pass(1).await;
    assert_eq!(within(deleting.response("DELETE")).await.status, 204);
}

#[tokio::test]
async fn an_idle_agent_without_time_still_ends_by_itself() {
    for time in [Duration::ZERO, Duration::MAX] {
        let emulator = Emulator::builder().agent_grace(time).agent_tick(time).start();
        let emulator = emulator.await.unwrap();
        for _ in 0..16 {
            let agent = start(&emulator, json!({})).await;
            let mut events = Events::open(&emulator, &agent).await;
            let stopped = within(delete(&emulator, &format!("/agents/{agent}"))).await;
            assert_eq!(stopped.status, 204);
            assert_eq!(events.next().await.data.get("error"), None);
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_end_stops_the_agent_all_the_same() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let agent = start(&emulator, json!({"prompt": "ping"})).await;
    let mut deleting = Connection::open(&emulator).await;
    deleting.send("DELETE", &format!("/agents/{agent}"), "", b"").await;
    assert!(deleting.is_silent(&emulator).await);
    drop(deleting);
    hold.release();
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
}

#[tokio::test]
async fn an_idle_agent_is_removed_and_says_twice_that_it_exited() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({"idle_timeout_seconds": 60})).await;
    let mut events = Events::open(&emulator, &agent).await;
    pass(59).await;
    assert_eq!(look(&emulator, &agent).await["status"], "starting");
    assert!(events.connection.is_silent(&emulator).await);
    pass(31).await;
    let events = events.until("closed").await;
    assert_eq!(names(&events), ["exited", "exited", "closed"]);
    assert_eq!(events[0].data["error"], "agent: idle timeout reached");
    assert_eq!(events[1].data.get("error"), None);
    assert_eq!(get(&emulator, &format!("/agents/{agent}")).await.status, 404);
    assert_eq!(get(&emulator, "/agents").await.body, "[]");
    let sent = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"hi"}"#).await;
    assert_eq!(sent.status, 404);
}

#[tokio::test]
async fn agents_are_looked_at_only_every_thirty_seconds() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({"idle_timeout_seconds": 1})).await;
    pass(29).await;
    assert_eq!(look(&emulator, &agent).await["status"], "starting");
    pass(1).await;
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
}

#[tokio::test]
async fn the_look_at_idle_agents_can_come_more_often() {
    let tick = Duration::from_millis(5);
    let emulator = Emulator::builder().agent_tick(tick).start().await.unwrap();
    let agent = start(&emulator, json!({"idle_timeout_seconds": 1})).await;
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
    assert_eq!(get(&emulator, &format!("/agents/{agent}")).await.status, 404);
}

#[tokio::test]
async fn a_turn_that_outlasts_the_idle_timeout_is_killed() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("ping").lines(["one", RESULT]).hold_after(1);
    let agent = start(&emulator, json!({"idle_timeout_seconds": 60})).await;
    let mut events = Events::open(&emulator, &agent).await;
    pass(45).await;
    // A prompt is activity.
    send(&emulator, &agent, "ping").await;
    pass(45).await;
    assert_eq!(look(&emulator, &agent).await["status"], "generating");
    pass(45).await;
    let until = events.until("exited").await;
    assert_eq!(names(&until), ["turn_start", "output", "exited"]);
    assert_eq!(until[2].data.get("turn_id"), None);
    assert_eq!(get(&emulator, &format!("/agents/{agent}")).await.status, 404);
    // It may still finish its turn, as when it is stopped.
    pass(5).await;
    let rest = events.until("closed").await;
    assert_eq!(names(&rest), ["exited", "closed"]);
    assert_eq!(rest[0].data["error"], "exit status 143");
}

#[tokio::test]
async fn the_first_output_and_the_end_of_a_turn_are_activity_and_other_output_is_not() {
    let (answerer, mut puppets) = puppet();
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let agent = start(&emulator, json!({"idle_timeout_seconds": 60})).await;
    let mut puppet = puppets.recv().await.unwrap();
    let mut events = Events::open(&emulator, &agent).await;
    let print = |line: &str| {
        puppet
            .steps
            .send(stromboli_emulator::Step::Line(line.to_owned()))
            .unwrap()
    };
    pass(45).await;
    print("first");
    events.next().await;
    pass(45).await;
    send(&emulator, &agent, "hi").await;
    pass(45).await;
    print(RESULT);
    events.until("turn_end").await;
    pass(45).await;
    assert_eq!(look(&emulator, &agent).await["status"], "idle");
    print("more");
    assert_eq!(events.next().await.content(), "more");
    pass(30).await;
    let exited = events.next().await;
    assert_eq!(exited.data["error"], "agent: idle timeout reached");
    // Its input is closed: after the prompt there is nothing.
    assert_eq!(
        futures_util::StreamExt::next(&mut puppet.agent.prompts)
            .await
            .as_deref(),
        Some("hi")
    );
    assert_eq!(futures_util::StreamExt::next(&mut puppet.agent.prompts).await, None);
}

#[tokio::test]
async fn an_agent_without_an_idle_timeout_waits_for_ever() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"idle_timeout_seconds": 1, "disable_idle_timeout": true});
    let agent = start(&emulator, body).await;
    let mut events = Events::open(&emulator, &agent).await;
    pass(100_000).await;
    assert!(events.connection.is_silent(&emulator).await);
    assert_eq!(look(&emulator, &agent).await["status"], "starting");
}

#[tokio::test]
async fn an_agent_whose_answerer_panics_has_exited() {
    let answerer = |run: Run| -> Answer { panic!("cannot answer {}", run.id) };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let agent = start(&emulator, json!({"prompt": "hi"})).await;
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
    assert_eq!(look(&emulator, &agent).await["exit_error"], "the answerer panicked");
    assert_eq!(delete(&emulator, &format!("/agents/{agent}")).await.status, 204);
}
