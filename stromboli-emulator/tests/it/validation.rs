//! The server's checks of a run: 500 on `/run`, a failed job on `/run/async`, an `error` event on `/run/stream`.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{SESSION, get, post};

/// The text with which `/run` refuses these options, none when it does not.
async fn refusal(emulator: &Emulator, options: Value) -> Option<String> {
    let mut body = options;
    body["prompt"] = json!("hi");
    let response = post(emulator, "/run", body.to_string()).await;
    let json = response.json();
    if response.status == 200 {
        return None;
    }
    assert_eq!(response.status, 500, "{body}");
    assert_eq!((&json["id"], &json["status"]), (&json!(""), &json!("error")));
    Some(json["error"].as_str().unwrap().to_owned())
}

async fn assert_refused(emulator: &Emulator, prefix: &str, cases: impl IntoIterator<Item = Value>) {
    for options in cases {
        let text = refusal(emulator, options.clone()).await;
        assert!(
            text.as_ref().is_some_and(|t| t.starts_with(prefix)),
            "{options} got {text:?}"
        );
    }
}

async fn assert_accepted(emulator: &Emulator, cases: impl IntoIterator<Item = Value>) {
    for options in cases {
        assert_eq!(refusal(emulator, options.clone()).await, None, "{options}");
    }
}

#[tokio::test]
async fn a_failed_check_shows_as_an_error_of_the_run() {
    let emulator = Emulator::start().await.unwrap();
    let body = r#"{"prompt":"hi","claude":{"session_id":"a/b"}}"#;
    let run = post(&emulator, "/run", body).await;
    assert_eq!(run.status, 500);
    assert_eq!(run.body, r#"{"id":"","status":"error","error":"invalid session ID"}"#);

    let stream = get(&emulator, "/run/stream?prompt=hi&session_id=..").await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.body, "event: error\ndata: invalid session ID\n\n");
    let stream = get(&emulator, "/run/stream?prompt=hi&workdir=tmp").await;
    assert!(
        stream
            .body
            .starts_with("event: error\ndata: workdir validation failed: ")
    );

    let accepted = post(&emulator, "/run/async", body).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(accepted.json()["session_id"], "a/b");
    let id = accepted.json()["job_id"].as_str().unwrap().to_owned();
    // The check fails without waiting for anything, but in a task of its own.
    let mut job = json!({"status": "running"});
    for _ in 0..1000 {
        if job["status"] != "running" {
            break;
        }
        job = get(&emulator, &format!("/jobs/{id}")).await.json();
    }
    assert_eq!(
        (&job["status"], &job["error"]),
        (&json!("failed"), &json!("invalid session ID"))
    );
    assert_eq!((job.get("session_id"), emulator.executions()), (None, 0));
}

#[tokio::test]
async fn compose_files_are_not_run() {
    let emulator = Emulator::start().await.unwrap();
    let environment = json!({"type": "compose", "path": "/a/compose.yaml", "service": "a"});
    // It comes before every other check.
    let podman = json!({"environment": environment, "timeout": "bad"});
    let text = refusal(&emulator, json!({"podman": podman})).await;
    assert_eq!(text.as_deref(), Some("the emulator does not run compose files"));
    assert_accepted(&emulator, [json!({"podman": {"environment": {"type": ""}}})]).await;
}

#[tokio::test]
async fn a_timeout_is_a_go_duration() {
    let emulator = Emulator::start().await.unwrap();
    let text = refusal(&emulator, json!({"podman": {"timeout": "10"}})).await;
    let expected = r#"invalid timeout duration: time: missing unit in duration "10""#;
    assert_eq!(text.as_deref(), Some(expected));
    let accepted = ["", "1h30m", "2562047h"];
    assert_accepted(&emulator, accepted.map(|t| json!({"podman": {"timeout": t}}))).await;
}

#[tokio::test]
async fn images_are_checked_against_the_allowed_patterns() {
    let image = |name: &str| json!({"podman": {"image": name}});
    let any = Emulator::start().await.unwrap();
    assert_accepted(&any, [image("anything:latest")]).await;
    let emulator = Emulator::builder().allow_image("python:*").start().await.unwrap();
    assert_accepted(&emulator, [image("python:3.12"), image("")]).await;
    let text = refusal(&emulator, image("node:22")).await;
    let expected = r#"image validation failed: image "node:22" not in allowed patterns"#;
    assert_eq!(text.as_deref(), Some(expected));
}

#[tokio::test]
async fn a_session_id_cannot_leave_its_directory() {
    let emulator = Emulator::start().await.unwrap();
    let session = |id: &str| json!({"claude": {"session_id": id}});
    assert_refused(
        &emulator,
        "invalid session ID",
        ["a/b", "..", "a..b", "a\0"].map(session),
    )
    .await;
    // What the server lets through, Claude Code may still refuse.
    let failed = "execution failed: exit status 1, output: Error: Invalid session ID. Must be a valid UUID.";
    assert_refused(&emulator, failed, ["any text", "é", "a.b"].map(session)).await;
    assert_accepted(&emulator, [SESSION].map(session)).await;
}

#[tokio::test]
async fn a_workdir_is_a_plain_absolute_path() {
    let emulator = Emulator::start().await.unwrap();
    let workdir = |path: &str| json!({"workdir": path});
    let long = format!("/{}", "a".repeat(4096));
    let bad = ["relative", "/a b", "/a/../b", "/é", "/a;b", long.as_str()];
    assert_refused(&emulator, "workdir validation failed: ", bad.map(workdir)).await;
    assert_accepted(&emulator, ["", "/", "/a-b/c.d_e/9", &long[..4096]].map(workdir)).await;
}

#[tokio::test]
async fn volumes_are_denied_unless_allowed_and_never_over_the_system() {
    let volume = |text: &str| json!({"podman": {"volumes": [text]}});
    let prefix = "volume validation failed: ";
    let closed = Emulator::start().await.unwrap();
    assert_refused(&closed, prefix, [volume("/data:/data")]).await;
    assert_accepted(&closed, [json!({"podman": {"volumes": []}})]).await;

    let emulator = Emulator::builder().allow_volume("/data").start().await.unwrap();
    let bad = [
        "/data",
        ":/x",
        "/data:",
        "/database:/x",
        "/data/../etc:/x",
        "/data:relative",
        "/data:/x/../etc",
        "/data:/etc",
        "/data:/home/user/.ssh/id",
        "/data:/proc/",
        "/data:/x:rw,exec",
        "/data:/x:",
    ];
    assert_refused(&emulator, prefix, bad.map(volume)).await;
    let good = [
        "/data:/x",
        "/data/sub:/etcetera:ro,z,U",
        "/data:/home/user/work:rprivate,nocopy",
    ];
    assert_accepted(&emulator, good.map(volume)).await;

    let open = Emulator::builder().allow_volume("/").start().await.unwrap();
    assert_accepted(&open, [volume("/anywhere:/x")]).await;
}

#[tokio::test]
async fn secrets_need_a_variable_and_a_name() {
    let emulator = Emulator::start().await.unwrap();
    let secrets = |map: Value| json!({"podman": {"secrets_env": map}});
    let many = |count: usize| -> Value { (0..count).map(|n| (format!("V{n}"), json!("s"))).collect() };
    let bad = [
        json!({"1A": "s"}),
        json!({"A-B": "s"}),
        json!({"": "s"}),
        json!({"LD_PRELOAD": "s"}),
        json!({"LD_LIBRARY_PATH": "s"}),
        json!({"A": ""}),
        json!({"A": null}),
        json!({"A": "s".repeat(254)}),
        many(51),
    ];
    assert_refused(&emulator, "secrets validation failed: ", bad.map(secrets)).await;
    let longest = "s".repeat(253);
    for name in ["s", &longest] {
        let secret = json!({"name": name, "value": "v"}).to_string();
        let created = post(&emulator, "/secrets", secret).await;
        assert_eq!(created.status, 201, "{}", created.body);
    }
    let good = [json!({}), json!({"_a9": longest}), many(50)];
    assert_accepted(&emulator, good.map(secrets)).await;
}

#[tokio::test]
async fn a_hook_that_is_there_has_commands() {
    let emulator = Emulator::start().await.unwrap();
    let hooks = |lifecycle: Value| json!({"podman": {"lifecycle": lifecycle}});
    let bad = [
        json!({"on_create_command": []}),
        json!({"post_create": [""]}),
        json!({"post_start": ["a\0"]}),
        json!({"post_start": [null]}),
        json!({"post_create": ["a".repeat(4097)]}),
        json!({"post_create": vec!["a"; 101]}),
        json!({"on_create_command": vec!["a"; 100], "post_create": vec!["a"; 100], "post_start": ["a"]}),
        json!({"post_create": vec!["a".repeat(4096); 17]}),
        json!({"hooks_timeout": "soon"}),
    ];
    assert_refused(&emulator, "lifecycle hooks validation failed: ", bad.map(hooks)).await;
    let good = [
        json!({}),
        json!({"post_create": null}),
        json!({"on_create_command": vec!["a"; 100], "post_create": vec!["a"; 100]}),
        json!({"post_create": vec!["a".repeat(4096); 16], "hooks_timeout": "5m"}),
    ];
    assert_accepted(&emulator, good.map(hooks)).await;
}

#[tokio::test]
async fn the_known_container_paths_are_blocked_with_what_is_below_them_and_no_others() {
    let emulator = Emulator::builder().allow_volume("/data").start().await.unwrap();
    let volume = |path: &str| json!({"podman": {"volumes": [format!("/data:{path}")]}});
    let blocked = "/etc /root /bin /usr/bin /lib /run /proc /sys /dev /home/user/.claude /home/user/.ssh /home/user/.aws \
                   /home/user/.config";
    for path in blocked.split_whitespace() {
        let text = format!("volume validation failed: container path \"{path}/x\" is blocked");
        assert_eq!(refusal(&emulator, volume(&format!("{path}/x"))).await, Some(text));
    }
    let others = ["/usr", "/usr/share", "/opt", "/var/lib", "/home/user", "/workspace/etc"];
    assert_accepted(&emulator, others.map(volume)).await;
}

#[tokio::test]
async fn what_is_behind_the_colon_names_what_is_wrong() {
    let emulator = Emulator::builder().allow_volume("/data").start().await.unwrap();
    let cases = [
        (
            json!({"workdir": "here"}),
            r#"workdir validation failed: path "here" is not absolute"#,
        ),
        (
            json!({"podman": {"volumes": ["/other:/x"]}}),
            r#"volume validation failed: host path "/other" is not allowed"#,
        ),
        (
            json!({"podman": {"secrets_env": {"1A": "s"}}}),
            r#"secrets validation failed: invalid environment variable name "1A""#,
        ),
        (
            json!({"podman": {"lifecycle": {"post_start": []}}}),
            "lifecycle hooks validation failed: post_start is empty",
        ),
    ];
    for (options, text) in cases {
        assert_eq!(refusal(&emulator, options).await.as_deref(), Some(text));
    }
}

#[tokio::test]
async fn the_checks_come_in_the_servers_order() {
    let emulator = Emulator::builder().allow_image("python").start().await.unwrap();
    let mut options = json!({
        "workdir": "relative",
        "claude": {"session_id": ".."},
        "podman": {
            "environment": {"type": "compose"},
            "timeout": "bad",
            "image": "node",
            "volumes": ["bad"],
            "secrets_env": {"": ""},
            "lifecycle": {"post_start": []},
        },
    });
    let order = [
        ("the emulator does not", "/podman/environment"),
        ("invalid timeout duration: ", "/podman/timeout"),
        ("image validation failed: ", "/podman/image"),
        ("invalid session ID", "/claude/session_id"),
        ("workdir validation failed: ", "/workdir"),
        ("volume validation failed: ", "/podman/volumes"),
        ("secrets validation failed: ", "/podman/secrets_env"),
        ("lifecycle hooks validation failed: ", "/podman/lifecycle"),
    ];
    for (prefix, cause) in order {
        assert_refused(&emulator, prefix, [options.clone()]).await;
        *options.pointer_mut(cause).unwrap() = Value::Null;
    }
    assert_accepted(&emulator, [options]).await;
}
