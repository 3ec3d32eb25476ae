//! Files of settings, as the program finds them.

use crate::support::World;

#[tokio::test]
async fn a_server_can_be_named_by_flag_variable_and_both_files() {
    let world = World::new().await;
    let url = world.emulator().url().to_owned();
    let nowhere = "url = 'http://127.0.0.1:1'";
    let health = |arguments: &[&str], variable: bool| {
        let mut command = world.command(&[&["health", "-o", "json"], arguments].concat());
        if !variable {
            command.env_remove("STROMBOLI_URL");
        }
        crate::support::Done::of(command, "")
    };
    assert_eq!(health(&[], false).await.code, 2);
    std::fs::write(world.user_file(), format!("url = '{url}'")).unwrap();
    assert_eq!(health(&[], false).await.code, 0);
    world.file(".stromboli.toml", &format!("{nowhere}\n[profiles.good]\nurl = '{url}'"));
    assert_eq!(health(&[], false).await.code, 5);
    assert_eq!(health(&["--profile", "good"], false).await.code, 0);
    assert_eq!(health(&[], true).await.code, 0);
    assert_eq!(health(&["--url", "http://127.0.0.1:1"], true).await.code, 5);
}

#[tokio::test]
async fn a_slip_in_a_settings_file_stops_the_command() {
    let world = World::new().await;
    world.file(".stromboli.toml", "ulr = 'http://localhost:8080'");
    let done = world.run(&["health"]).await;
    insta::assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: [world]/here/.stromboli.toml: the file has no key `ulr`
  hint: did you mean `url`?
"#);
}

#[tokio::test]
async fn a_token_is_never_taken_from_the_command_line() {
    let world = World::new().await;
    assert_eq!(world.run(&["health", "--token", "topsecret"]).await.code, 2);
}
