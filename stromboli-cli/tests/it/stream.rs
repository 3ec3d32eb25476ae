//! `stromboli stream`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use stromboli_emulator::Fault;
use tokio::time::timeout;

use crate::support::{Done, PATIENCE, World};

fn events(done: &Done) -> Vec<Value> {
    done.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn lines_are_printed_as_they_come() {
    let world = World::new().await;
    let rule = world.emulator().on_prompt("count").lines(["one", "", "two"]);
    let hold = rule.hold_after(2);
    let mut running = world.start(&["stream", "count", "--workdir", "/w", "--session", SESSION]);
    assert_eq!(running.line().await, "one\n");
    assert_eq!(running.line().await, "\n");
    hold.release();
    let done = running.end().await;
    assert_snapshot!(done.shown(&world), @r#"
exit 0
--- stdout
one

two
--- stderr
session [id]
"#);
    let requests = world.emulator().requests();
    let target = &requests.last().unwrap().target;
    assert!(target.contains("workdir=%2Fw") && target.contains(SESSION), "{target}");
}

const SESSION: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";

#[tokio::test]
async fn ndjson_is_one_event_a_line() {
    let world = World::new().await;
    world.emulator().on_prompt("count").lines(["one", "two"]);
    let done = world.run(&["stream", "count", "-o", "ndjson"]).await;
    let events = events(&done);
    assert_eq!(events[0], json!({"type": "output", "line": "one"}));
    assert_eq!(events[1], json!({"type": "output", "line": "two"}));
    assert_eq!(
        (&events[2]["type"], &events[2]["status"]),
        (&json!("done"), &json!("completed"))
    );
    assert!(events[2]["session_id"].is_string());
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn json_is_what_a_run_gives() {
    let world = World::new().await;
    world.emulator().on_prompt("count").lines(["one", "two"]);
    let streamed = world.run(&["stream", "count", "-o", "json"]).await.json();
    assert_eq!(
        (&streamed["output"], &streamed["status"]),
        (&json!("one\ntwo"), &json!("completed"))
    );
}

#[tokio::test]
async fn a_crash_is_3_and_what_came_before_it_is_kept() {
    let world = World::new().await;
    world
        .emulator()
        .on_prompt("crash")
        .lines(["half of it"])
        .crash(137, "SIGKILL");
    let done = world.run(&["stream", "crash"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
half of it
--- stderr
session [id]
error: agent crashed with exit code 137 on signal SIGKILL
"#);
    let done = world.run(&["stream", "crash", "-o", "ndjson"]).await;
    assert_eq!((done.code, &events(&done)[1]["status"]), (3, &json!("crashed")));
    world.emulator().on_prompt("fail").fail(1, "Credit balance is too low");
    let done = world.run(&["stream", "fail"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
Credit balance is too low
--- stderr
error: execution failed: exit status 1
"#);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_5_and_what_came_is_kept() {
    let world = World::new().await;
    world.emulator().on_prompt("count").lines(["one", "two", "three"]);
    for (format, stdout) in [
        ("text", "one\ntwo\n"),
        (
            "ndjson",
            "{\"type\":\"output\",\"line\":\"one\"}\n{\"type\":\"output\",\"line\":\"two\"}\n",
        ),
        ("json", "{\n  \"output\": \"one\\ntwo\"\n}\n"),
    ] {
        world
            .emulator()
            .inject(Fault::end_events_after(2).on("/run/stream").times(1));
        let done = world.run(&["stream", "count", "-o", format]).await;
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (5, stdout),
            "{format}: {}",
            done.stderr
        );
        assert!(done.stderr.contains("may have carried this out"), "{}", done.stderr);
    }
    assert_eq!(world.emulator().executions(), 3, "each ran once");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_is_130_keeps_what_came_and_stops_the_run() {
    let world = World::new().await;
    let rule = world.emulator().on_prompt("count").lines(["one", "two"]);
    let _hold = rule.hold_after(1);
    let mut running = world.start(&["stream", "count"]);
    assert_eq!(running.line().await, "one\n");
    running.interrupt();
    let done = running.end().await;
    assert_snapshot!(done.shown(&world), @r#"
exit 130
--- stdout
one
--- stderr
error: interrupted: the connection is closed, and the server stops the run
"#);
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.stopped == 1))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_flag_that_streams_do_not_take_is_2() {
    let world = World::new().await;
    assert_eq!(world.run(&["stream", "count", "--model", "opus"]).await.code, 2);
    assert_eq!(world.emulator().requests().len(), 0);
}
