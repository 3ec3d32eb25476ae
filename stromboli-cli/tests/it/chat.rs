//! `stromboli chat` from a pipe; on a terminal it is tested in `terminal_chat.rs`.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use stromboli_emulator::{Dialect, Emulator};
use tokio::time::timeout;

use crate::agents::spawned;
use crate::support::{PATIENCE, World};

#[tokio::test]
async fn each_line_is_a_prompt_for_one_agent_which_is_stopped_in_the_end() {
    let world = World::new().await;
    world.emulator().on_prompt("one").reply("first");
    world.emulator().on_prompt("two").reply("second");
    let done = world
        .run_with_input(&["chat", "--model", "opus"], "one\n\n  two\n")
        .await;
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (0, "first\nsecond\n"),
        "{}",
        done.stderr
    );
    let stats = world.emulator().wait_for(|_| true).await;
    assert_eq!((stats.executions, stats.agents), (2, 0));
    let requests = world.emulator().requests();
    let spawned: Vec<_> = requests
        .iter()
        .filter(|request| request.method == "POST" && request.target == "/agents")
        .collect();
    assert_eq!(spawned.len(), 1);
    assert_eq!(spawned[0].body, json!({"claude": {"model": "opus"}}).to_string());
}

#[tokio::test]
async fn a_chat_from_a_pipe_has_the_formats_of_agents_send() {
    let world = World::new().await;
    world.emulator().on_prompt("one").reply("first");
    let done = world.run_with_input(&["chat", "-o", "json"], "one\n").await;
    assert_eq!(
        (&done.json()["type"], &done.json()["result"]),
        (&json!("result"), &json!("first"))
    );
    let done = world.run_with_input(&["chat", "-o", "ndjson"], "one\n").await;
    let mut lines = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["type"], "system");
    assert_eq!(lines.next_back().unwrap()["type"], "result");
}

#[tokio::test]
async fn the_first_failure_of_a_script_is_its_last_prompt() {
    let world = World::new().await;
    let failed = json!({"type": "result", "subtype": "error_max_turns", "is_error": true});
    world.emulator().on_prompt("spend").messages([failed]);
    let done = world.run_with_input(&["chat"], "spend\nmore\n").await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    let stats = world.emulator().wait_for(|_| true).await;
    assert_eq!((stats.executions, stats.agents), (1, 0));
}

#[tokio::test]
async fn with_runs_each_prompt_resumes_the_session() {
    let world = World::new().await;
    let done = world
        .run_with_input(&["chat", "--memory", "1g", "-o", "ndjson"], "one\ntwo\n")
        .await;
    let replies: Vec<serde_json::Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(replies.len(), 2, "{}", done.stderr);
    assert_eq!(replies[0]["session_id"], replies[1]["session_id"]);
    let expected = json!({
        "prompt": "two", "podman": {"memory": "1g"},
        "claude": {"session_id": replies[0]["session_id"], "resume": true},
    });
    assert_eq!(world.sent(), expected);

    let session = replies[0]["session_id"].as_str().unwrap();
    for arguments in [&["chat", "--continue"][..], &["chat", "--resume", session]] {
        let done = world.run_with_input(arguments, "three\n").await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(world.sent()["claude"], json!({"session_id": session, "resume": true}));
    }
}

#[tokio::test]
async fn with_runs_there_is_a_session_to_choose_and_to_continue_past_an_agent() {
    let world = World::new().await;
    let session = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";
    world.run_with_input(&["chat", "--session", session], "one\n").await;
    assert_eq!(world.sent()["claude"], json!({"session_id": session}));
    spawned(&world).await;
    let done = world.run_with_input(&["chat", "--continue", "--runs"], "two\n").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(world.sent()["claude"], json!({"session_id": session, "resume": true}));
}

#[tokio::test]
async fn a_living_agent_is_talked_with_and_lives_on() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let id = spawned(&world).await;
    for arguments in [&["chat", "--agent", &id][..], &["chat", "--continue"]] {
        let done = world.run_with_input(arguments, "ping\n").await;
        assert_eq!((done.code, done.stdout.as_str()), (0, "pong\n"), "{}", done.stderr);
    }
    let agent = world.run(&["agents", "get", &id, "-o", "json"]).await.json();
    assert_eq!(agent["turns_completed"], 2);
    let done = world
        .run_with_input(&["chat", "--agent", &id, "--model", "opus"], "ping\n")
        .await;
    assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: an agent that lives takes no options any more
  hint: `stromboli chat` without --agent or --continue starts one with them
"#);
}

#[tokio::test]
async fn an_agent_that_has_ended_cannot_be_continued_and_that_is_said() {
    let world = World::new().await;
    let id = spawned(&world).await;
    let client = stromboli::Client::new(world.emulator().url()).unwrap();
    client.agent(&id).stop().await.unwrap();
    let done = world.run_with_input(&["chat", "--continue"], "ping\n").await;
    assert_eq!(done.code, 7);
    assert!(
        done.stderr.contains("has ended, and its conversation with it"),
        "{}",
        done.stderr
    );
    let done = world.run_with_input(&["chat", "--continue"], "ping\n").await;
    assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: there is no conversation of this directory with this server to continue
  hint: `stromboli chat` begins one
"#);
    assert_eq!(world.emulator().executions(), 0);
}

#[tokio::test]
async fn an_old_server_has_no_live_agents_and_that_is_said() {
    let world = World::with(Emulator::builder().dialect(Dialect::V0_4_3)).await;
    let done = world.run_with_input(&["chat"], "ping\n").await;
    assert_snapshot!(done.shown(&world), @r#"
exit 1
--- stdout
--- stderr
error: the server is too old for live agents
  hint: `stromboli chat --runs` works without
"#);
    let done = world.run_with_input(&["chat", "--runs"], "ping\n").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_script_is_130_and_stops_its_agent() {
    let world = World::with(Emulator::builder().agent_grace(Duration::from_millis(1))).await;
    let _hold = world.emulator().on_prompt("long").reply("never").hold();
    let mut running = world.start(&["chat"]);
    running.type_line("long").await;
    timeout(PATIENCE, world.emulator().wait_for(|stats| stats.executions == 1))
        .await
        .unwrap();
    running.interrupt();
    let done = running.end().await;
    assert_eq!(done.code, 130);
    assert!(done.stderr.contains("the agent is stopped"), "{}", done.stderr);
    assert_eq!(world.emulator().wait_for(|_| true).await.agents, 0);

    let mut waiting = world.start(&["chat"]);
    waiting.type_line("ping").await;
    waiting.line().await;
    waiting.interrupt();
    assert_eq!(waiting.end().await.code, 130, "while it waits for a prompt");
}
