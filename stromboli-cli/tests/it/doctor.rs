//! `stromboli doctor`.

use insta::assert_snapshot;
use stromboli_emulator::{Emulator, Fault};

use crate::auth::guarded;
use crate::support::{Done, World};

#[tokio::test]
async fn all_well_is_a_list_of_ticks_and_0() {
    let world = World::new().await;
    assert_snapshot!(world.run(&["doctor"]).await.shown(&world), @r#"
exit 0
--- stdout
✓ settings: no files, which is fine
✓ logins: none
✓ address: [server], from STROMBOLI_URL
✓ server: stromboli answers
✓ version: v0.5.7-alpha
✓ clock: less than a minute from the server's
✓ access: the server asks for no token
✓ Claude: Claude is configured
✓ podman: ok
✓ claude-credentials-file: ok
✓ claude-credentials-secret: ok
--- stderr
"#);
}

#[tokio::test]
async fn whatever_is_wrong_is_told_with_what_helps() {
    let builder = Emulator::builder().version("v0.9.0").claude_configured(false);
    let world = World::with(builder.degraded("podman", "cannot connect")).await;
    let date = "Tue, 06 Jan 1998 12:00:00 GMT";
    world.emulator().inject(
        Fault::content_type("application/json")
            .on("/health")
            .header("date", date),
    );
    let done = world.run(&["doctor", "-o", "ndjson"]).await;
    assert_eq!(done.code, 1);
    let lines: Vec<serde_json::Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bad: Vec<_> = lines.iter().filter(|check| check["ok"] == false).collect();
    let names: Vec<_> = bad.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["version", "clock", "Claude", "podman"]);
    assert!(
        bad.iter()
            .all(|check| check["fix"].as_str().is_some_and(|fix| !fix.is_empty())),
        "{bad:?}"
    );
    assert!(
        bad[1]["detail"].as_str().unwrap().contains("ahead of the server's"),
        "{bad:?}"
    );
}

#[tokio::test]
async fn the_exit_code_is_that_of_the_first_thing_that_is_wrong() {
    let none = World::without_server();
    let done = none.run(&["doctor"]).await;
    assert_eq!(done.code, 2);
    assert!(
        done.stdout.contains("✗ address: no server is configured"),
        "{}",
        done.stdout
    );
    let done = none.run(&["doctor", "--url", "http://127.0.0.1:1"]).await;
    assert_eq!(done.code, 5);
    std::fs::write(none.user_file(), "ulr = 'x'").unwrap();
    let done = none.run(&["doctor"]).await;
    assert_eq!(done.code, 2);
    assert!(done.stdout.contains("did you mean `url`?"), "{}", done.stdout);
    let guarded = guarded().await;
    let done = guarded.run(&["doctor"]).await;
    assert_eq!(done.code, 4);
    assert!(
        done.stdout.contains("✗ access") && done.stdout.contains("`stromboli auth login`"),
        "{}",
        done.stdout
    );
    let done = guarded.run_with(&[("STROMBOLI_TOKEN", "api-token")], &["doctor"]).await;
    assert_eq!(done.code, 0, "{}", done.stdout);
}

#[cfg(unix)]
#[tokio::test]
async fn files_that_others_can_change_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let world = guarded().await;
    std::fs::write(world.user_file(), "").unwrap();
    std::fs::set_permissions(world.user_file(), std::fs::Permissions::from_mode(0o666)).unwrap();
    world.run_with_input(&["auth", "login"], "api-token").await;
    std::fs::set_permissions(world.logins_file(), std::fs::Permissions::from_mode(0o604)).unwrap();
    let done = world.run(&["doctor"]).await;
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("chmod go-w"), "{}", done.stdout);
    assert!(done.stdout.contains("chmod 600"), "{}", done.stdout);
}

#[tokio::test]
async fn what_is_no_stromboli_server_is_told_from_one() {
    let world = World::new().await;
    world.emulator().inject(
        Fault::content_type("text/html")
            .on("/health")
            .body("<h1>It works!</h1>"),
    );
    let done = Done::of(world.command(&["doctor"]), "").await;
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("it is no Stromboli server"), "{}", done.stdout);
}
