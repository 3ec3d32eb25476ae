//! A reader that goes away, as `head` does: no error, but no excuse for an agent that failed either.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::support::{Done, PATIENCE, World};

/// Runs it with nobody who reads its stdout.
async fn unread(world: &World, arguments: &[&str], input: &str) -> Done {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (stdin, mut ours) = std::io::pipe().unwrap();
    ours.write_all(input.as_bytes()).unwrap();
    drop(ours);
    let mut command = tokio::process::Command::from(world.command(arguments));
    let child = command
        .stdin(stdin)
        .stdout(writer)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    drop(command);
    let ended = tokio::time::timeout(PATIENCE, child.unwrap().wait_with_output()).await;
    let done = Done::from(ended.expect("the program ends").unwrap());
    let words = &done.stderr;
    assert!(!words.contains("panicked") && !words.contains("roken pipe"), "{words}");
    done
}

#[tokio::test]
async fn a_run_and_a_job_end_as_their_agent_did() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    world.emulator().on_prompt("crash").lines(["half"]).crash(1, "");
    for (prompt, code) in [("ping", 0), ("crash", 3)] {
        for format in ["text", "json", "ndjson"] {
            assert_eq!(unread(&world, &["run", prompt, "-o", format], "").await.code, code);
            let start = ["start", prompt, "--wait", "-o", format];
            assert_eq!(unread(&world, &start, "").await.code, code);
            let chat = ["chat", "--runs", "-o", format];
            assert_eq!(unread(&world, &chat, prompt).await.code, code);
        }
    }
}

#[tokio::test]
async fn a_turn_is_listened_to_until_it_is_known_how_it_ended() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let said =
        json!({"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": "half"}]}});
    let failed = json!({"type": "result", "subtype": "error_max_turns", "is_error": true});
    world.emulator().on_prompt("spend").messages([said, failed]);
    let agent = world.run(&["agents", "spawn"]).await.stdout.trim().to_owned();
    for (prompt, code) in [("ping", 0), ("spend", 3)] {
        for format in ["text", "json", "ndjson"] {
            let send = ["agents", "send", &agent, prompt, "-o", format];
            assert_eq!(unread(&world, &send, "").await.code, code, "{prompt} {format}");
            let chat = ["chat", "-o", format];
            assert_eq!(unread(&world, &chat, prompt).await.code, code, "{prompt} {format}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_nobody_reads_is_stopped_and_its_failure_is_told() {
    let world = World::new().await;
    world.emulator().on_prompt("crash").crash(1, "");
    for format in ["text", "json", "ndjson"] {
        let done = unread(&world, &["stream", "crash", "-o", format], "").await;
        assert_eq!(done.code, 3, "{format}: {}", done.stderr);
    }
    let _hold = world
        .emulator()
        .on_prompt("long")
        .lines(["half", "never"])
        .hold_after(1);
    let done = unread(&world, &["stream", "long"], "").await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("the server stops the run"), "{}", done.stderr);
}
