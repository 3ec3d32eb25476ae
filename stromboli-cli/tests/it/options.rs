//! Flags, `--claude`, `--podman` and `--options`: what of them reaches the server.

use serde_json::json;

use crate::support::{World, text};

#[tokio::test]
async fn every_flag_of_a_run_is_sent() {
    let world = World::new().await;
    #[rustfmt::skip]
    let done = world.run(&[
        "run", "ping", "--workdir", "/workspace", "--model", "sonnet", "--effort", "high", "--budget", "2.5",
        "--max-turns", "7", "--allowed-tools", "Read", "--allowed-tool", "Bash(git:*)", "--disallowed-tool", "Write",
        "--permission-mode", "plan", "--system-prompt", "short", "--append-system-prompt", "kind",
        "--json-schema", "{}", "--session", "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297",
        "--volume", "/code:/workspace:ro", "--volume", "./sub:/x", "--memory", "2g", "--cpus", "0.5",
        "--timeout", "90s", "--image", "agent:1", "--secret-env", "TOKEN=t",
    ]).await;
    drop(done);
    let here = std::fs::canonicalize(world.here()).unwrap();
    let sub = format!("{}:/x", here.join("sub").display());
    assert_eq!(
        world.sent(),
        json!({
            "prompt": "ping", "workdir": "/workspace",
            "claude": {
                "model": "sonnet", "effort": "high", "max_budget_usd": 2.5, "max_turns": 7,
                "allowed_tools": ["Read", "Bash(git:*)"], "disallowed_tools": ["Write"], "permission_mode": "plan",
                "system_prompt": "short", "append_system_prompt": "kind", "json_schema": "{}",
                "session_id": "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297",
            },
            "podman": {
                "volumes": ["/code:/workspace:ro", sub], "memory": "2g", "cpus": "0.5", "timeout": "90s",
                "image": "agent:1", "secrets_env": {"TOKEN": "t"},
            },
        })
    );
}

#[tokio::test]
async fn resume_names_the_session_and_asks_for_it() {
    let world = World::new().await;
    world
        .run(&["run", "ping", "--resume", "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297"])
        .await;
    let claude = json!({"session_id": "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297", "resume": true});
    assert_eq!(world.sent()["claude"], claude);
}

#[tokio::test]
async fn flags_count_more_than_keys_and_keys_more_than_the_file() {
    let world = World::new().await;
    let file = "[claude]\nmodel = 'opus'\nmax_turns = 9\nverbose = true\n[podman]\nmemory = '1g'\n";
    let toml = world.file("options.toml", file);
    let arguments = [
        "--claude",
        "max_turns=3",
        "--claude",
        "model=sonnet",
        "--model",
        "haiku",
    ];
    world
        .run(&[&["run", "ping", "--options", text(&toml)], &arguments[..]].concat())
        .await;
    assert_eq!(
        world.sent()["claude"],
        json!({"model": "haiku", "max_turns": 3, "verbose": true})
    );
    assert_eq!(world.sent()["podman"], json!({"memory": "1g"}));
    let json = world.file("options.json", r#"{"podman": {"cpus": "2"}}"#);
    world.run(&["run", "ping", "--options", text(&json)]).await;
    assert_eq!(world.sent()["podman"], json!({"cpus": "2"}));
}

#[tokio::test]
async fn a_slip_in_an_options_file_names_the_file_and_the_nearest_key() {
    let world = World::new().await;
    let file = world.file("options.toml", "[podman.lifecycle]\npost_strat = []\n");
    let done = world.run(&["run", "ping", "--options", text(&file)]).await;
    insta::assert_snapshot!(done.shown(&world), @r#"
exit 2
--- stdout
--- stderr
error: [world]/here/options.toml has no key `podman.lifecycle.post_strat`
  hint: did you mean `podman.lifecycle.post_start`?
"#);
}
