//! `--continue`: the last conversation of each directory and server.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::Value;
use stromboli_emulator::Emulator;

use crate::support::{Done, World};

/// The session that the last run resumed.
fn resumed(world: &World) -> Option<String> {
    let claude = world.sent()["claude"].clone();
    assert_eq!(claude["resume"] == true, claude["session_id"].is_string(), "{claude}");
    claude["session_id"].as_str().map(str::to_owned)
}

fn registry(world: &World) -> PathBuf {
    world.folder().join("state/stromboli/conversations.json")
}

#[tokio::test]
async fn a_run_goes_on_with_the_last_one_of_its_directory_and_server() {
    let world = World::new().await;
    let done = world.run(&["run", "one", "--continue"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: there is no conversation of this directory with this server to continue
  hint: `stromboli run` begins one, and --resume ID takes up any other
"#);
    assert_eq!(world.emulator().requests().len(), 0);

    let first = world.run(&["run", "one", "-o", "json"]).await.json()["session_id"].clone();
    let done = world.run(&["run", "two", "-c"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(resumed(&world).as_deref(), first.as_str());

    let streamed = world.run(&["stream", "three", "-o", "json"]).await.json()["session_id"].clone();
    world.run(&["run", "four", "--continue"]).await;
    assert_eq!(resumed(&world).as_deref(), streamed.as_str());

    let started = world.run(&["start", "five", "-o", "json"]).await.json()["session_id"].clone();
    world.run(&["start", "six", "--continue", "--wait"]).await;
    assert_eq!(resumed(&world).as_deref(), started.as_str());

    let elsewhere = world.here().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut command = world.command(&["run", "seven", "--continue"]);
    command.current_dir(elsewhere);
    assert_eq!(Done::of(command, "").await.code, 2, "another directory");

    let other = Emulator::start().await.unwrap();
    let done = world.run(&["run", "eight", "--continue", "--url", other.url()]).await;
    assert_eq!(done.code, 2, "another server");
    world.run(&["run", "nine", "--continue"]).await;
    assert_eq!(resumed(&world).as_deref(), started.as_str());
}

#[tokio::test]
async fn a_crashed_run_can_be_continued() {
    let world = World::new().await;
    world
        .emulator()
        .on_prompt("crash")
        .lines(["half"])
        .crash(137, "SIGKILL");
    let crashed = world.run(&["run", "crash", "-o", "json"]).await;
    assert_eq!(crashed.code, 3);
    world.run(&["run", "go on", "--continue"]).await;
    assert_eq!(resumed(&world).as_deref(), crashed.json()["session_id"].as_str());
}

#[tokio::test]
async fn processes_that_race_lose_nothing() {
    let world = World::new().await;
    let ends = (0..12).map(|number| {
        let here = world.here().join(number.to_string());
        std::fs::create_dir(&here).unwrap();
        let mut command = world.command(&["run", "ping", "--output", "json"]);
        command.current_dir(here);
        tokio::spawn(async move { Done::of(command, "").await.json()["session_id"].clone() })
    });
    let mut sessions = Vec::new();
    for end in ends.collect::<Vec<_>>() {
        sessions.push(end.await.unwrap());
    }
    let text = std::fs::read_to_string(registry(&world)).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    for (number, session) in sessions.iter().enumerate() {
        let folder = format!("/{number}");
        let mut entries = kept["conversations"].as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["directory"].as_str().unwrap().ends_with(&folder));
        assert_eq!(&entry.unwrap()["id"], session, "{text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_registry_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    world.run(&["run", "ping"]).await;
    let mode = std::fs::metadata(registry(&world)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_registry_that_cannot_be_used_fails_no_run() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    std::fs::create_dir(world.folder().join("state/stromboli")).unwrap();
    std::fs::write(registry(&world), "not JSON").unwrap();
    let done = world.run(&["run", "ping"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "pong\n"));
    assert!(
        done.stderr.contains("what --continue goes on with cannot be noted"),
        "{}",
        done.stderr
    );
    let done = world.run(&["run", "ping", "--continue"]).await;
    assert_snapshot!(done.shown(&world), @r#"
exit 1
--- stdout
--- stderr
error: [world]/state/stromboli/conversations.json cannot be understood: expected ident at line 1 column 2
  hint: remove it: all that it says is which conversations were the last
"#);
    assert_eq!(std::fs::read_to_string(registry(&world)).unwrap(), "not JSON");
}
