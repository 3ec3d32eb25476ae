//! `stromboli run`: output and exit codes.

use std::process::Stdio;

use insta::assert_snapshot;
use stromboli_emulator::{Emulator, Fault};

use tokio::time::timeout;

use crate::support::{Done, PATIENCE, World};

#[tokio::test]
async fn the_answer_is_all_of_stdout_and_the_rest_is_on_stderr() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let done = world.run(&["run", "ping"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 0
--- stdout
pong
--- stderr
session [id]
"#);
}

#[tokio::test]
async fn quiet_says_nothing_on_stderr() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let done = world.run(&["run", "ping", "--quiet"]).await;
    assert_eq!(
        (done.code, done.stdout.as_str(), done.stderr.as_str()),
        (0, "pong\n", "")
    );
}

#[tokio::test]
async fn json_is_the_reply_as_the_server_gave_it() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let pretty = world.run(&["run", "ping", "--output", "json"]).await;
    assert_eq!(pretty.json()["output"], "pong");
    assert_eq!(pretty.json()["status"], "completed");
    assert!(pretty.json()["session_id"].is_string());
    let line = world.run(&["run", "ping", "-o", "ndjson"]).await;
    assert_eq!(line.stdout.lines().count(), 1);
    assert_eq!(line.json()["output"], "pong");
}

#[tokio::test]
async fn a_crash_is_3_and_what_was_printed_before_it_is_kept() {
    let world = World::new().await;
    world
        .emulator()
        .on_prompt("crash")
        .lines(["half of it"])
        .crash(137, "SIGKILL");
    let done = world.run(&["run", "crash"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
half of it
--- stderr
session [id]
error: agent crashed with exit code 137 on signal SIGKILL
"#);
    let done = world.run(&["run", "crash", "-o", "json"]).await;
    assert_eq!((done.code, &done.json()["status"]), (3, &"crashed".into()));
}

#[tokio::test]
async fn a_failed_agent_is_3_and_its_words_are_shown() {
    let world = World::new().await;
    world.emulator().on_prompt("fail").fail(1, "Credit balance is too low");
    let done = world.run(&["run", "fail"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 3
--- stdout
--- stderr
error: execution failed: exit status 1
Credit balance is too low
"#);
}

#[tokio::test]
async fn an_error_inside_the_result_is_3_as_well() {
    let world = World::new().await;
    let result = r#"{"type":"result","subtype":"error_max_budget_usd","is_error":true}"#;
    world.emulator().on_prompt("spend").lines([result]);
    let done = world
        .run(&["run", "spend", "--budget", "0.01", "--claude", "output_format=json"])
        .await;
    assert_eq!((done.code, done.stdout.as_str()), (3, &*format!("{result}\n")));
    assert!(
        done.stderr.contains("error: agent reported error_max_budget_usd"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_server_that_wants_a_token_is_4() {
    let world = World::with(Emulator::builder().api_token("right")).await;
    let done = world.run(&["run", "ping"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 4
--- stdout
--- stderr
error: missing authorization header
  hint: `stromboli auth login`, or set STROMBOLI_TOKEN to a token that this server accepts
"#);
    let wrong = world
        .run_with(&[("STROMBOLI_TOKEN", "wrong-token")], &["run", "ping"])
        .await;
    assert_eq!(wrong.code, 4);
    assert!(!wrong.stderr.contains("wrong-token"));
    let right = world.run_with(&[("STROMBOLI_TOKEN", "right")], &["run", "ping"]).await;
    assert_eq!(right.code, 0);
}

#[tokio::test]
async fn a_server_that_is_down_is_5() {
    let world = World::new().await;
    let _down = world.emulator().refuse_connections().unwrap();
    let done = world.run(&["run", "ping"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 5
--- stdout
--- stderr
error: no connection to [server], is a server listening there, or a proxy in the way?
  hint: start it, or name another address with --url or STROMBOLI_URL
"#);
}

#[tokio::test]
async fn a_connection_that_breaks_is_5_and_says_that_it_may_have_run() {
    let world = World::new().await;
    world.emulator().inject(Fault::reset_after_executing().on("/run"));
    let done = world.run(&["run", "ping"]).await;
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("may have carried this out"), "{}", done.stderr);
    assert_eq!(world.emulator().executions(), 1);
}

#[tokio::test]
async fn a_gateway_that_gives_up_is_6() {
    let world = World::new().await;
    world.emulator().inject(Fault::status_after_executing(504).on("/run"));
    assert_eq!(world.run(&["run", "ping"]).await.code, 6);
}

#[tokio::test]
async fn what_is_not_there_is_7() {
    let world = World::new().await;
    world.emulator().inject(Fault::status(404).on("/run"));
    assert_eq!(world.run(&["run", "ping"]).await.code, 7);
}

#[tokio::test]
async fn a_wrong_command_line_is_2_and_sends_nothing() {
    let world = World::new().await;
    for arguments in [
        &["run", "ping", "--no-such-flag"][..],
        &["run", "ping", "--budget", "much"],
        &["run", "ping", "--claude", "modle=opus"],
        &["run", ""],
        &["no-such-command"],
    ] {
        let done = world.run(arguments).await;
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "");
    }
    assert_eq!(world.emulator().requests().len(), 0);
}

#[tokio::test]
async fn no_server_says_exactly_that() {
    let world = World::without_server();
    let done = world.run(&["run", "ping"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: no server is configured
  hint: name one with --url or STROMBOLI_URL, or try `stromboli serve`, which needs no Podman and costs nothing
"#);
}

/// Ctrl-C, as a terminal sends it.
#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_run_is_130_and_stopped_on_the_server() {
    let world = World::new().await;
    let _hold = world.emulator().on_prompt("long").reply("never").hold();
    let mut command = tokio::process::Command::from(world.command(&["run", "long"]));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = command.spawn().unwrap();
    let started = world.emulator().wait_for(|stats| stats.executions == 1);
    timeout(PATIENCE, started).await.unwrap();
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    let done = Done::from(child.wait_with_output().await.unwrap());
    assert_eq!(done.code, 130);
    assert_eq!(
        done.stderr,
        "error: interrupted: the connection is closed, and the server stops the run\n"
    );
    let stopped = world.emulator().wait_for(|stats| stats.stopped == 1);
    timeout(PATIENCE, stopped).await.unwrap();
}
