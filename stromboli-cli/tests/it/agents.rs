//! `stromboli agents`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use stromboli_emulator::{Emulator, Usage};
use tokio::time::timeout;

use crate::support::{Done, PATIENCE, World};

/// The id of a new agent.
pub(crate) async fn spawned(world: &World) -> String {
    let done = world.run(&["agents", "spawn"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout.trim().to_owned()
}

fn types(done: &Done) -> Vec<String> {
    let messages = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    messages
        .map(|message| message["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_spawned_agent_has_its_options_and_an_id_on_stdout() {
    let world = World::new().await;
    let file = world.file("options.toml", "[claude]\nmax_turns = 9\n");
    let file = file.to_str().unwrap();
    #[rustfmt::skip]
    let done = world.run(&[
        "agents", "spawn", "--model", "opus", "--workdir", "/w", "--idle-timeout", "2h", "--options", file,
    ]).await;
    assert!(done.stdout.starts_with("agent-"), "{}", done.stdout);
    assert_snapshot!(done.shown(&world), @r#"
exit 0
--- stdout
[id]
--- stderr
the server stops it after 2h without anything to do · session [id]
"#);
    let requests = world.emulator().requests();
    let created = requests.iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&created.body).unwrap(),
        json!({"claude": {"model": "opus", "max_turns": 9}, "workdir": "/w", "idle_timeout_seconds": 7200})
    );
    let json = world
        .run(&["agents", "spawn", "--no-idle-timeout", "-o", "json"])
        .await
        .json();
    assert_eq!(json["idle_timeout_disabled"], true);
}

#[tokio::test]
async fn a_live_agent_takes_no_options_of_the_container_and_no_session() {
    let world = World::new().await;
    let file = world.file("options.toml", "[podman]\nmemory = '1g'\n");
    for arguments in [
        &["--options", file.to_str().unwrap()][..],
        &["--memory", "1g"],
        &["--resume", "x"],
        &["a prompt"],
    ] {
        let done = world.run(&[&["agents", "spawn"], arguments].concat()).await;
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{}", done.stderr);
    }
    assert_eq!(world.emulator().requests().len(), 0);
}

#[tokio::test]
async fn agents_are_listed_shown_and_stopped() {
    let world = World::new().await;
    assert_snapshot!(world.run(&["agents", "list"]).await.shown(&world), @r#"
exit 0
--- stdout
--- stderr
no agents
"#);
    let id = spawned(&world).await;
    let done = world.run(&["agents", "ls"]).await;
    let rows: Vec<Vec<_>> = done
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["AGENT", "STATUS", "TURNS", "AGE", "LAST", "USED"]);
    assert_eq!((rows.len(), rows[1][0]), (2, id.as_str()));
    let shown = world.run(&["agents", "get", &id]).await;
    assert!(
        shown.stdout.contains(&id) && shown.stdout.contains("turns: 0"),
        "{}",
        shown.stdout
    );
    assert_eq!(world.run(&["agents", "get", &id, "-o", "json"]).await.json()["id"], id);
    let done = world.run(&["agents", "stop", &id]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    for arguments in [
        ["agents", "get", &id],
        ["agents", "stop", &id],
        ["agents", "attach", &id],
    ] {
        assert_eq!(world.run(&arguments).await.code, 7, "{arguments:?}");
    }
    assert_eq!(world.run(&["agents", "send", &id, "ping"]).await.code, 7);
}

#[tokio::test]
async fn a_turn_is_text_on_stdout_and_its_tools_on_stderr() {
    let world = World::new().await;
    let input = json!({"command": "cargo test"});
    let rule = world.emulator().on_prompt("tests").tool("Bash", input, "3 passed");
    rule.reply("All green.\nNothing to do.").usage(Usage {
        model: Some("claude-sonnet-5".to_owned()),
        input_tokens: 1000,
        ..Usage::default()
    });
    let id = spawned(&world).await;
    let done = world.run(&["agents", "send", &id, "Run the tests"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "All green.\nNothing to do.\n"));
    assert!(done.stderr.starts_with("· Bash cargo test\n"), "{}", done.stderr);
    let done = world.run(&["agents", "send", &id, "tests", "-o", "json"]).await;
    assert_eq!(
        (&done.json()["type"], &done.json()["result"]),
        (&json!("result"), &json!("All green.\nNothing to do."))
    );
    let done = world
        .run_with_input(&["agents", "send", &id, "-o", "ndjson"], "tests")
        .await;
    let types = types(&done);
    assert_eq!(types.last().unwrap(), "result");
    assert!(types.iter().any(|name| name == "stream_event") && types.iter().any(|name| name == "assistant"));
}

#[tokio::test]
async fn a_turn_that_fails_is_3() {
    let world = World::new().await;
    let failed = json!({"type": "result", "subtype": "error_max_turns", "is_error": true});
    world.emulator().on_prompt("spend").messages([failed]);
    let id = spawned(&world).await;
    let done = world.run(&["agents", "send", &id, "spend"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
--- stderr
error: agent failed: the model was called as often as allowed
"#);
    world
        .emulator()
        .on_prompt("die")
        .stderr("out of memory")
        .without_result()
        .crash(137, "SIGKILL");
    let done = world.run(&["agents", "send", &id, "die"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
--- stderr
out of memory
error: agent has exited: exit status 137, in the middle of a turn
"#);
    assert_eq!(world.run(&["agents", "send", &id, "again"]).await.code, 3);
}

#[tokio::test]
async fn without_waiting_there_is_only_the_id_of_the_turn() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("tests").reply("All green").hold();
    let id = spawned(&world).await;
    let done = world.run(&["agents", "send", &id, "tests", "--no-wait"]).await;
    assert!(done.code == 0 && done.stdout.starts_with("turn-"), "{}", done.stdout);
    let busy = world.run(&["agents", "send", &id, "more"]).await;
    assert_snapshot!(busy.shown(&world), @r#"
exit 1
--- stdout
--- stderr
error: agent: a turn is already in progress
  hint: wait for the turn to end
"#);
    hold.release();
}

#[tokio::test]
async fn attached_one_sees_what_others_send() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let id = spawned(&world).await;
    let mut text = world.start(&["agents", "attach", &id]);
    let ndjson = world.start(&["agents", "attach", &id, "-o", "ndjson"]);
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.subscribers == 2))
        .await
        .unwrap();
    world.run(&["agents", "send", &id, "ping", "-q"]).await;
    assert_eq!(text.line().await, "pong\n");
    text.hear("turn ends: ok").await;
    world.run(&["agents", "stop", &id]).await;
    let done = text.end().await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "pong\n"));
    assert!(done.stderr.contains("agent has ended"), "{}", done.stderr);
    let done = ndjson.end().await;
    assert!(types(&done).contains(&"result".to_owned()), "{}", done.stdout);
}

#[tokio::test]
async fn a_lost_connection_is_told_and_opened_again() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let id = spawned(&world).await;
    let mut running = world.start(&["agents", "attach", &id, "--quiet"]);
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.subscribers == 1))
        .await
        .unwrap();
    world.emulator().close_streams();
    running.hear("warning: the connection was lost").await;
    world.run(&["agents", "send", &id, "ping", "--no-wait"]).await;
    assert_eq!(running.line().await, "pong\n");
}

/// A turn whose answer comes in far more than the 32 events that the server keeps for a slow reader.
fn long_answer() -> Vec<Value> {
    const PIECES: usize = 100;
    let piece = "x".repeat(16 * 1024);
    let event = |event: Value| json!({"type": "stream_event", "event": event});
    let delta = json!({"type": "text_delta", "text": piece});
    let delta = event(json!({"type": "content_block_delta", "index": 0, "delta": delta}));
    let text = json!({"type": "text", "text": piece.repeat(PIECES)});
    let mut turn = vec![
        event(json!({"type": "message_start", "message": {"id": "msg_1", "content": []}})),
        event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
    ];
    turn.extend(std::iter::repeat_n(delta, PIECES));
    turn.extend([
        json!({"type": "assistant", "message": {"id": "msg_1", "content": [text]}}),
        event(json!({"type": "content_block_stop", "index": 0})),
        event(json!({"type": "message_stop"})),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": "the end"}),
    ]);
    turn
}

#[tokio::test]
async fn a_hole_is_told() {
    let world = World::with(Emulator::builder().send_buffer(4096)).await;
    let messages = long_answer();
    world.emulator().on_prompt("talk").messages(messages);
    let id = spawned(&world).await;
    let sending = world.start(&["agents", "send", &id, "talk"]);
    let lost = world
        .emulator()
        .wait_for(|stats| stats.dropped_events > 0 && stats.finished == 1);
    let lost = timeout(PATIENCE, lost).await.unwrap().dropped_events;
    let done = sending.end().await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("warning: messages are missing"), "{}", done.stderr);

    let mut running = world.start(&["agents", "attach", &id, "-o", "ndjson"]);
    running.hear("is shown what others send").await;
    world.run(&["agents", "send", &id, "talk", "--no-wait"]).await;
    let more = world
        .emulator()
        .wait_for(|stats| stats.dropped_events > lost && stats.finished == 2);
    timeout(PATIENCE, more).await.unwrap();
    let stop = tokio::spawn({
        let command = world.command(&["agents", "stop", &id]);
        Done::of(command, "")
    });
    let done = running.end().await;
    assert!(
        done.stderr.contains("warning: messages are missing here"),
        "{}",
        done.stderr
    );
    stop.await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_leaves_the_agent_alone() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("long").reply("done").hold();
    let id = spawned(&world).await;
    let mut attached = world.start(&["agents", "attach", &id]);
    attached.hear("is shown what others send").await;
    attached.interrupt();
    let done = attached.end().await;
    assert_eq!(done.code, 130);
    let sending = world.start(&["agents", "send", &id, "long"]);
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.executions == 1))
        .await
        .unwrap();
    sending.interrupt();
    let done = sending.end().await;
    assert_snapshot!(done.shown(&world), @r#"
exit 130
--- stdout
--- stderr
error: interrupted: the agent goes on with the turn, which the server cannot interrupt
  hint: `stromboli agents attach [id]` listens again, `stromboli agents stop [id]` ends the agent
"#);
    hold.release();
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.finished == 1))
        .await
        .unwrap();
}
