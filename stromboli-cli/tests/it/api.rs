//! `stromboli api`.

use stromboli_emulator::Fault;

use crate::auth::guarded;
use crate::support::{World, text};

#[tokio::test]
async fn the_body_goes_to_stdout_as_it_is() {
    let world = World::new().await;
    let done = world.run(&["api", "GET", "/jobs"]).await;
    assert_eq!(
        (done.code, done.stdout.as_str(), done.stderr.as_str()),
        (0, "{\"jobs\":[]}", "")
    );
    let done = world.run(&["api", "get", "jobs", "-i"]).await;
    let (head, body) = done.stdout.split_once("\n\n").unwrap();
    assert!(
        head.starts_with("HTTP 200 OK\n") && head.contains("\nx-request-id: "),
        "{head}"
    );
    assert_eq!(body, "{\"jobs\":[]}");
}

#[tokio::test]
async fn a_body_comes_from_the_argument_a_file_or_standard_input() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let json = r#"{"prompt":"ping"}"#;
    let file = world.file("request.json", json);
    let from_file = format!("@{}", text(&file));
    for data in [json, &from_file, "-"] {
        let done = world.run_with_input(&["api", "POST", "/run", "-d", data], json).await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(done.json()["output"], "pong");
        assert_eq!(world.sent()["prompt"], "ping");
    }
    assert_eq!(world.run(&["api", "POST", "/run", "-d", "@nowhere"]).await.code, 2);
}

#[tokio::test]
async fn the_exit_code_goes_by_the_status_and_the_body_is_there_all_the_same() {
    let world = World::new().await;
    for (status, code) in [(400, 2), (401, 4), (404, 7), (500, 1), (503, 5), (504, 6), (302, 1)] {
        world
            .emulator()
            .inject(Fault::status(status).on("/jobs").body("its words"));
        let done = world.run(&["api", "GET", "/jobs", "-i"]).await;
        assert_eq!(done.code, code, "{status}");
        assert!(done.stdout.starts_with(&format!("HTTP {status} ")), "{}", done.stdout);
        assert!(done.stdout.ends_with("\n\nits words"), "{}", done.stdout);
        assert!(done.stderr.starts_with("error: "), "{}", done.stderr);
        world.emulator().clear_faults();
    }
    assert_eq!(
        world
            .run(&["api", "GET", "/jobs", "--url", "http://127.0.0.1:1"])
            .await
            .code,
        5
    );
    assert_eq!(
        world
            .run(&[
                "api",
                "GET",
                "/../jobs",
                "--url",
                &format!("{}/base", world.emulator().url())
            ])
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let world = World::new().await;
    world.emulator().inject(Fault::reset_after_executing().on("/run"));
    let done = world.run(&["api", "POST", "/run", "-d", r#"{"prompt":"ping"}"#]).await;
    assert_eq!(done.code, 5);
    assert_eq!(world.emulator().executions(), 1);
    assert!(done.stderr.contains("may have carried this out"), "{}", done.stderr);
}

#[tokio::test]
async fn a_login_is_used() {
    let world = guarded().await;
    assert_eq!(world.run(&["api", "GET", "/jobs"]).await.code, 4);
    world.run_with_input(&["auth", "login"], "api-token").await;
    assert_eq!(world.run(&["api", "GET", "/jobs"]).await.code, 0);
}

#[tokio::test]
async fn a_stream_is_printed_to_its_end() {
    let world = World::new().await;
    world.emulator().on_prompt("ping").reply("pong");
    let done = world.run(&["api", "GET", "/run/stream?prompt=ping"]).await;
    assert!(
        done.stdout.starts_with("data: pong\n\n") && done.stdout.contains("event: done"),
        "{}",
        done.stdout
    );
}
