//! `stromboli secrets`.

use insta::assert_snapshot;

use crate::support::{World, text};

#[tokio::test]
async fn a_value_comes_from_a_pipe_or_a_file_and_is_never_shown() {
    let world = World::new().await;
    let done = world.run_with_input(&["secrets", "set", "piped"], "topsecret\n").await;
    assert_snapshot!(done.shown(&world), @r#"
exit 0
--- stdout
--- stderr
piped is stored
"#);
    assert_eq!(world.emulator().secret("piped").unwrap(), "topsecret");
    let key = world.file("key", "several\nlines\n");
    let done = world
        .run(&["secrets", "set", "filed", "-f", text(&key), "-o", "json"])
        .await;
    assert_eq!(done.json()["name"], "filed");
    assert_eq!(world.emulator().secret("filed").unwrap(), "several\nlines\n");
    for arguments in [
        &["secrets", "list"][..],
        &["secrets", "get", "piped"],
        &["secrets", "list", "-o", "json"],
    ] {
        let done = world.run(arguments).await;
        assert_eq!(done.code, 0);
        assert!(
            done.stdout.contains("piped") && !done.stdout.contains("topsecret"),
            "{}",
            done.stdout
        );
    }
}

#[tokio::test]
async fn no_value_no_such_name_and_no_such_secret_have_their_exit_codes() {
    let world = World::new().await;
    assert_eq!(world.run(&["secrets", "set", "name"]).await.code, 2);
    assert_eq!(world.run(&["secrets", "set", "name", "topsecret"]).await.code, 2);
    assert_eq!(world.run_with_input(&["secrets", "set", "a b"], "x").await.code, 2);
    assert_eq!(world.run(&["secrets", "set", "name", "-f", "nowhere"]).await.code, 2);
    assert_eq!(world.run(&["secrets", "get", "name"]).await.code, 7);
    assert_eq!(world.run(&["secrets", "rm", "name", "--yes"]).await.code, 7);
    assert!(world.emulator().secret("name").is_none());
}

#[tokio::test]
async fn a_secret_is_replaced_only_when_that_is_asked_for() {
    let world = World::new().await;
    world.run_with_input(&["secrets", "set", "name"], "old").await;
    let done = world.run_with_input(&["secrets", "set", "name"], "new").await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("--replace"), "{}", done.stderr);
    assert_eq!(world.emulator().secret("name").unwrap(), "old");
    assert_eq!(
        world
            .run_with_input(&["secrets", "set", "name", "--replace"], "new")
            .await
            .code,
        0
    );
    assert_eq!(world.emulator().secret("name").unwrap(), "new");
    assert_eq!(
        world
            .run_with_input(&["secrets", "set", "fresh", "--replace"], "new")
            .await
            .code,
        0
    );
}

#[tokio::test]
async fn secrets_are_deleted_only_after_a_yes() {
    let world = World::new().await;
    world.run_with_input(&["secrets", "set", "a"], "x").await;
    world.run_with_input(&["secrets", "set", "b"], "x").await;
    assert_eq!(world.run(&["secrets", "rm", "a", "b"]).await.code, 2);
    assert!(world.emulator().secret("a").is_some());
    assert_eq!(world.run(&["secrets", "rm", "a", "b", "-y"]).await.code, 0);
    assert!(world.emulator().secret("a").is_none() && world.emulator().secret("b").is_none());
}
