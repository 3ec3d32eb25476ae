//! `stromboli jobs`.

use insta::assert_snapshot;

use crate::support::World;

/// Starts a job in the background and waits for its end; its id.
async fn finished(world: &World, prompt: &str) -> String {
    let client = stromboli::Client::new(world.emulator().url()).unwrap();
    let job = client.start(prompt).await.unwrap();
    job.wait().await.unwrap();
    job.id().to_owned()
}

#[tokio::test]
async fn jobs_are_a_table_and_json() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    assert_snapshot!(world.run(&["jobs", "list"]).await.shown(&world), @r#"
exit 0
--- stdout
--- stderr
no jobs
"#);
    assert_eq!(world.run(&["jobs", "list", "-o", "json"]).await.stdout, "[]\n");
    let id = finished(&world, "ping").await;
    let done = world.run(&["jobs", "ls"]).await;
    let lines: Vec<Vec<&str>> = done
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["JOB", "STATUS", "AGE", "SESSION"]);
    assert_eq!(lines[1][..2], [&id, "completed"]);
    assert_eq!(lines.len(), 2);
    finished(&world, "ping").await;
    let done = world.run(&["jobs", "list", "-o", "ndjson"]).await;
    assert_eq!(done.stdout.lines().count(), 2);
}

#[tokio::test]
async fn a_job_shows_its_output_and_fails_as_its_agent_did() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    world
        .emulator()
        .on_prompt("crash")
        .lines(["half of it"])
        .crash(137, "SIGKILL");
    let good = finished(&world, "ping").await;
    let done = world.run(&["jobs", "get", &good]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "pong\n"));
    let bad = finished(&world, "crash").await;
    let done = world.run(&["jobs", "get", &bad]).await;
    assert_eq!((done.code, done.stdout.as_str()), (3, "half of it\n"));
    let gone = world.run(&["jobs", "get", "job-0123456789abcdef"]).await;
    assert_snapshot!(gone.shown(&world), @r#"
exit 7
--- stdout
--- stderr
error: job not found
"#);
}
