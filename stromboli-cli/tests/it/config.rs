//! `stromboli config`.

use insta::assert_snapshot;

use crate::support::{Done, World};

#[tokio::test]
async fn each_setting_is_listed_with_where_it_comes_from() {
    let world = World::without_server();
    std::fs::write(
        world.user_file(),
        "color = 'never'\n[profiles.work]\nurl = 'http://localhost:1'\n",
    )
    .unwrap();
    world.file(".stromboli.toml", "profile = 'work'\n");
    let variables = [("STROMBOLI_TOKEN", "topsecret")];
    let done = world.run_with(&variables, &["config", "list"]).await;
    assert_snapshot!(done.shown(&world).replace("  ", " "), @r#"
exit 0
--- stdout
KEY   VALUE        FROM
url   http://localhost:1 profile work of [world]/config/stromboli/config.toml
profile work        [world]/here/.stromboli.toml
output  text        default
color  never        [world]/config/stromboli/config.toml
token  (not shown)     STROMBOLI_TOKEN
--- stderr
"#);
    let json = world.run_with(&variables, &["config", "ls", "-o", "json"]).await;
    let color = serde_json::json!({"key": "color", "value": "never", "origin": world.user_file()});
    assert_eq!(json.json()[3], color);
    assert!(!json.stdout.contains("topsecret"));
}

#[tokio::test]
async fn a_setting_is_written_read_and_shown_where_it_is() {
    let world = World::without_server();
    assert_eq!(world.run(&["config", "get", "url"]).await.code, 1);
    assert_eq!(
        world.run(&["config", "set", "url", "http://localhost:1/"]).await.code,
        0
    );
    assert_eq!(
        world.run(&["config", "get", "url"]).await.stdout,
        "http://localhost:1/\n"
    );
    assert_eq!(
        std::fs::read_to_string(world.user_file()).unwrap(),
        "url = \"http://localhost:1/\"\n"
    );
    let path = world.run(&["config", "path"]).await.stdout;
    assert_eq!(path.trim_end(), world.user_file().to_str().unwrap());
    assert_eq!(world.run(&["config", "path", "--local"]).await.code, 1);

    let local = world.file(".stromboli.toml", "# ours\n");
    let done = world
        .run(&["config", "set", "--local", "profiles.work.url", "http://localhost:2"])
        .await;
    assert_eq!(done.code, 0);
    let text = std::fs::read_to_string(&local).unwrap();
    assert_eq!(text, "# ours\n[profiles.work]\nurl = \"http://localhost:2\"\n");
    let done = world.run(&["config", "get", "url", "--profile", "work"]).await;
    assert_eq!(done.stdout, "http://localhost:2\n");
    assert_eq!(
        world.run(&["config", "path", "--local"]).await.stdout.trim_end(),
        local.to_str().unwrap()
    );
}

#[tokio::test]
async fn what_no_file_can_say_is_refused_with_what_was_meant() {
    let world = World::without_server();
    for (arguments, reason) in [
        (&["ulr", "http://a"], "did you mean `url`?"),
        (&["profiles.a.colour", "auto"], "did you mean `profiles.a.color`?"),
        (&["output", "yaml"], "unknown variant `yaml`"),
        (&["url", "localhost:8080"], "did you mean `http://localhost:8080`?"),
        (&["url", "http://me:topsecret@host"], "holds credentials"),
        (&["profile", "work"], "there is no profile work"),
    ] {
        let done = world.run(&[&["config", "set"], arguments.as_slice()].concat()).await;
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(done.stderr.contains(reason), "{}", done.stderr);
    }
    assert!(!world.user_file().exists());
    let done = world.run(&["config", "get", "colour"]).await;
    assert!(
        done.code == 2 && done.stderr.contains("did you mean `color`?"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_file_with_a_mistake_can_be_found_and_is_not_overwritten() {
    let world = World::without_server();
    std::fs::write(world.user_file(), "url = ").unwrap();
    let done = Done::of(world.command(&["config", "set", "url", "http://a"]), "").await;
    assert!(
        done.code == 2 && done.stderr.contains("config.toml: TOML parse error"),
        "{}",
        done.stderr
    );
    assert_eq!(std::fs::read_to_string(world.user_file()).unwrap(), "url = ");
    assert_eq!(world.run(&["config", "path"]).await.code, 0);
    assert_eq!(world.run(&["config", "list"]).await.code, 2);
}
