//! `stromboli start`, `jobs wait` and `jobs cancel`.

use insta::assert_snapshot;
use serde_json::json;
use stromboli_emulator::Emulator;
use tokio::time::timeout;

use crate::support::{PATIENCE, World};

/// The id of a job that is held.
async fn started(world: &World, prompt: &str) -> String {
    let done = world.run(&["start", prompt]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout.trim().to_owned()
}

#[tokio::test]
async fn a_start_prints_the_jobs_id_and_a_wait_its_output() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("audit").reply("all well").hold();
    let id = started(&world, "audit").await;
    assert!(id.starts_with("job-"), "{id}");
    let running = world.start(&["jobs", "wait", &id]);
    hold.release();
    let done = running.end().await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "all well\n"));
    assert!(
        done.stderr.starts_with(&format!("{id} is completed")),
        "{}",
        done.stderr
    );
    let json = world.run(&["start", "audit", "-o", "json"]).await.json();
    assert!(json["job_id"].is_string() && json["session_id"].is_string(), "{json}");
}

#[tokio::test]
async fn everything_of_a_run_and_a_webhook_is_sent() {
    let world = World::new().await;
    let webhook = "http://127.0.0.1:9/hook";
    world
        .run(&[
            "start",
            "audit",
            "--webhook",
            webhook,
            "--model",
            "opus",
            "--memory",
            "1g",
            "--workdir",
            "/w",
        ])
        .await;
    assert_eq!(
        world.sent(),
        json!({
            "prompt": "audit", "webhook_url": webhook, "workdir": "/w",
            "claude": {"model": "opus"}, "podman": {"memory": "1g"},
        })
    );
}

#[tokio::test]
async fn start_and_wait_is_both_in_one() {
    let world = World::new().await;
    world.emulator().on_prompt("audit").reply("all well");
    let done = world.run(&["start", "audit", "--wait"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "all well\n"));
    let lines: Vec<_> = done.stderr.lines().collect();
    assert!(
        lines[0].contains("is started") && lines[1].contains("is completed"),
        "{lines:?}"
    );
    let json = world.run(&["start", "audit", "--wait", "-o", "json"]).await.json();
    assert_eq!(
        (&json["status"], &json["output"]),
        (&json!("completed"), &json!("all well"))
    );
}

#[tokio::test]
async fn a_job_whose_agent_failed_is_3_with_its_words() {
    let world = World::new().await;
    world
        .emulator()
        .on_prompt("crash")
        .lines(["half"])
        .crash(137, "SIGKILL");
    let done = world.run(&["start", "crash", "--wait"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (3, "half\n"));
    assert!(
        done.stderr.contains("error: agent crashed with exit code 137"),
        "{}",
        done.stderr
    );
    world.emulator().on_prompt("fail").fail(1, "Credit balance is too low");
    let done = world.run(&["start", "fail", "--wait"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("Credit balance is too low"), "{}", done.stderr);
}

#[tokio::test]
async fn a_wait_has_a_limit_which_the_job_does_not_share() {
    let world = World::new().await;
    let _hold = world.emulator().on_prompt("audit").reply("late").hold();
    let id = started(&world, "audit").await;
    let done = world.run(&["jobs", "wait", &id, "--timeout", "1ms"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 6
--- stdout
--- stderr
error: [id] has not ended in time
  hint: the job goes on: `stromboli jobs wait [id]` waits for it again
"#);
    assert_eq!(world.run(&["jobs", "wait", &id, "--timeout", "soon"]).await.code, 2);
}

#[tokio::test]
async fn a_wait_for_no_job_is_7_and_for_no_server_5() {
    let world = World::new().await;
    let done = world.run(&["jobs", "wait", "job-0123456789abcdef"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 7
--- stdout
--- stderr
error: job not found; server forgets a job one hour after its end, and every job when it restarts
"#);
    let world = World::with(Emulator::builder().api_token("right")).await;
    let done = world.run(&["jobs", "wait", "job-0123456789abcdef"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 4
--- stdout
--- stderr
error: missing authorization header
  hint: `stromboli auth login`, or set STROMBOLI_TOKEN to a token that this server accepts
"#);
}

#[tokio::test]
async fn a_cancelled_job_is_said_to_run_on() {
    let world = World::new().await;
    let _hold = world.emulator().on_prompt("audit").reply("late").hold();
    let id = started(&world, "audit").await;
    let done = world.run(&["jobs", "cancel", &id]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 0
--- stdout
--- stderr
[id] is cancelled; its container runs on to its end, which the server cannot hasten
"#);
    let done = world.run(&["jobs", "cancel", &id]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 1
--- stdout
--- stderr
error: cannot cancel job (already completed, failed, or cancelled)
"#);
    let id = started(&world, "audit").await;
    let json = world.run(&["jobs", "cancel", &id, "-o", "json"]).await.json();
    assert_eq!(json, json!({"cancelled": true, "job_id": id}));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_once_leaves_the_job_and_says_how_to_come_back() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("audit").reply("all well").hold();
    let mut running = world.start(&["start", "audit", "--wait"]);
    running.hear("is started").await;
    // The next look at the job is the wait's.
    let waiting = world.emulator().wait_for(|stats| stats.requests >= 2);
    timeout(PATIENCE, waiting).await.unwrap();
    running.interrupt();
    let done = running.end().await;
    assert_snapshot!(done.shown(&world), @r#"
exit 130
--- stdout
--- stderr
[id] is started · session [id]
[id] goes on; Ctrl-C again cancels it
error: interrupted: [id] goes on
  hint: `stromboli jobs wait [id]` waits for it again
"#);
    hold.release();
    let (_, come_back) = done.stderr.split_once("`stromboli ").unwrap();
    let (come_back, _) = come_back.split_once('`').unwrap();
    let done = world.run(&come_back.split(' ').collect::<Vec<_>>()).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "all well\n"));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_twice_cancels_the_job() {
    let world = World::new().await;
    let _hold = world.emulator().on_prompt("audit").reply("late").hold();
    let id = started(&world, "audit").await;
    let before = world.emulator().wait_for(|_| true).await.requests;
    let mut running = world.start(&["jobs", "wait", &id]);
    let waiting = world.emulator().wait_for(|stats| stats.requests > before);
    timeout(PATIENCE, waiting).await.unwrap();
    running.interrupt();
    running.hear("Ctrl-C again cancels it").await;
    running.interrupt();
    let done = running.end().await;
    assert_snapshot!(done.shown(&world), @r#"
exit 130
--- stdout
--- stderr
[id] goes on; Ctrl-C again cancels it
error: interrupted: [id] is cancelled; its container runs on to its end, which the server cannot hasten
"#);
    let done = world.run(&["jobs", "get", &id, "-o", "json"]).await;
    assert_eq!(done.json()["status"], "cancelled");
}
