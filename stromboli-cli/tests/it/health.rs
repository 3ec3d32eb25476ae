//! `stromboli health`.

use insta::assert_snapshot;
use stromboli_emulator::Emulator;

use crate::support::World;

#[tokio::test]
async fn a_well_server_is_0_and_its_parts_are_a_table() {
    let world = World::new().await;
    assert_snapshot!(world.run(&["health"]).await.shown(&world), @r#"
exit 0
--- stdout
stromboli v0.5.7-alpha: ok
COMPONENT                  STATUS  ERROR
podman                     ok
claude-credentials-file    ok
claude-credentials-secret  ok
--- stderr
"#);
    assert_eq!(world.run(&["health", "-o", "json"]).await.json()["status"], "ok");
}

#[tokio::test]
async fn a_degraded_server_is_1_and_names_the_part() {
    let world = World::with(Emulator::builder().degraded("podman", "cannot connect")).await;
    assert_snapshot!(world.run(&["health"]).await.shown(&world), @r#"
exit 1
--- stdout
stromboli v0.5.7-alpha: degraded
COMPONENT                  STATUS  ERROR
podman                     error   cannot connect
claude-credentials-file    ok
claude-credentials-secret  ok
--- stderr
error: podman is not well
"#);
}

#[tokio::test]
async fn colours_go_by_the_flag_and_the_environment() {
    let world = World::without_server();
    let escapes = |done: &crate::support::Done| done.stderr.contains('\u{1b}');
    assert!(!escapes(&world.run(&["health"]).await));
    assert!(escapes(&world.run(&["health", "--color", "always"]).await));
    assert!(escapes(&world.run_with(&[("CLICOLOR_FORCE", "1")], &["health"]).await));
    let never = world.run_with(&[("CLICOLOR_FORCE", "1")], &["health", "--color", "never"]);
    assert!(!escapes(&never.await));
}
