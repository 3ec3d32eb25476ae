//! `Client::run`: what is sent and what comes back.

use std::time::Duration;

use serde_json::{Value, json};
use stromboli::{
    ClaudeOptions, Client, ComposeEnvironment, Effort, InputFormat, LifecycleHooks, Model, OutputFormat,
    PermissionMode, PodmanOptions, PromptCachingTtl, RunRequest, RunResponse, RunStatus, SettingSource,
};
use stromboli_emulator::{Emulator, Usage};

use crate::support::{COMPLETED, Reply, Server, within};

/// What the server receives for `request`.
async fn sent(request: RunRequest) -> Value {
    let server = Server::once(Reply::new(200).json(COMPLETED).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    within(client.run(request)).await.unwrap();
    let received = server.only_request();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/run"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    serde_json::from_slice(&received.body).unwrap()
}

/// What `client.run` gives for a 200 with this body.
async fn reply_to(body: Value) -> RunResponse {
    let server = Server::once(Reply::new(200).json(body.to_string()).bytes()).await;
    within(Client::new(server.url()).unwrap().run("hi")).await.unwrap()
}

#[tokio::test]
async fn a_prompt_is_answered_with_its_text() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("pong\nand more");
    let client = Client::new(emulator.url()).unwrap();
    let reply = within(client.run("ping")).await.unwrap();
    assert_eq!(reply.text(), "pong\nand more");
    assert_eq!(reply.status, RunStatus::Completed);
    assert!(reply.id.starts_with("run-"));
    assert_eq!(reply.session_id().len(), 36);
    assert!(reply.extra.is_empty(), "{:?}", reply.extra);
    assert_eq!(reply.clone().ok().unwrap(), reply);
}

#[tokio::test]
async fn a_run_without_output_has_the_empty_text() {
    let reply = reply_to(json!({"id": "run-1", "status": "completed"})).await;
    assert_eq!((reply.text(), reply.session_id()), ("", ""));
    assert!(reply.ok().is_ok());
}

#[tokio::test]
async fn the_body_holds_what_was_set_and_nothing_else() {
    let claude = ClaudeOptions::new()
        .model(Model::Sonnet)
        .fallback_model("claude-haiku-4-5")
        .effort(Effort::Xhigh)
        .system_prompt("be brief")
        .append_system_prompt("be kind")
        .tools(["Bash"])
        .allowed_tools(["Read", "Bash(git:*)"])
        .disallowed_tools(vec!["Write".to_owned()])
        .permission_mode(PermissionMode::AcceptEdits)
        .input_format(InputFormat::Text)
        .output_format(OutputFormat::StreamJson)
        .json_schema(json!({"type": "object", "required": ["a"]}))
        .max_budget_usd(0.0)
        .max_turns(0)
        .agents([("helper", json!({"prompt": "help"}))])
        .setting_sources([SettingSource::User, SettingSource::Local])
        .prompt_caching_ttl(PromptCachingTtl::OneHour)
        .continue_(false)
        .verbose(true)
        .add_dirs(["/data"]);
    let hooks = LifecycleHooks::new()
        .post_create(["make deps"])
        .hooks_timeout(Duration::from_millis(1500));
    let compose = ComposeEnvironment::new().type_("compose").path("/c.yml").service("app");
    let podman = PodmanOptions::new()
        .image("python:3.12")
        .memory("2g")
        .cpus("0.5")
        .cpu_shares(0)
        .timeout(Duration::from_secs(600))
        .volumes(["/a:/b"])
        .volume("/code:/workspace:ro")
        .secrets_env([("A", "secret-a")])
        .secret_env("B", "secret-b")
        .lifecycle(hooks)
        .environment(compose.build_timeout(Duration::from_secs(60)));
    let request = RunRequest::new("Review this code")
        .workdir("/workspace")
        .webhook_url("https://example.com/hook?a=b")
        .claude(claude)
        .podman(podman);

    let mut body = sent(request).await;
    let schema = body["claude"]["json_schema"].take();
    let schema: Value = serde_json::from_str(schema.as_str().expect("the schema travels as text")).unwrap();
    assert_eq!(schema, json!({"type": "object", "required": ["a"]}));
    let expected = json!({
        "prompt": "Review this code",
        "workdir": "/workspace",
        "webhook_url": "https://example.com/hook?a=b",
        "claude": {
            "model": "sonnet",
            "fallback_model": "claude-haiku-4-5",
            "effort": "xhigh",
            "system_prompt": "be brief",
            "append_system_prompt": "be kind",
            "tools": ["Bash"],
            "allowed_tools": ["Read", "Bash(git:*)"],
            "disallowed_tools": ["Write"],
            "permission_mode": "acceptEdits",
            "input_format": "text",
            "output_format": "stream-json",
            "json_schema": null,
            "max_budget_usd": 0.0,
            "max_turns": 0,
            "agents": {"helper": {"prompt": "help"}},
            "setting_sources": ["user", "local"],
            "prompt_caching_ttl": "1h",
            "continue": false,
            "verbose": true,
            "add_dirs": ["/data"],
        },
        "podman": {
            "image": "python:3.12",
            "memory": "2g",
            "cpus": "0.5",
            "cpu_shares": 0,
            "timeout": "600s",
            "volumes": ["/a:/b", "/code:/workspace:ro"],
            "secrets_env": {"A": "secret-a", "B": "secret-b"},
            "lifecycle": {"post_create": ["make deps"], "hooks_timeout": "1.5s"},
            "environment": {"type": "compose", "path": "/c.yml", "service": "app", "build_timeout": "60s"},
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn empty_lists_are_left_out() {
    let none = || Vec::<String>::new();
    let hooks = LifecycleHooks::new()
        .post_start(none())
        .on_create_command(none())
        .post_create(none());
    let request = RunRequest::new("hi")
        .claude(
            ClaudeOptions::new()
                .tools(none())
                .betas(none())
                .agents(Vec::<(String, Value)>::new()),
        )
        .podman(
            PodmanOptions::new()
                .volumes(none())
                .secrets_env(Vec::<(String, String)>::new())
                .lifecycle(hooks),
        );
    assert_eq!(
        sent(request).await,
        json!({"prompt": "hi", "claude": {}, "podman": {"lifecycle": {}}})
    );
}

#[tokio::test]
async fn resuming_keeps_the_options_that_were_set() {
    let claude = ClaudeOptions::new().model(Model::Other("mine".into()));
    let request = RunRequest::new("And the tests?").claude(claude).resume("s-1");
    let expected = json!({"model": "mine", "session_id": "s-1", "resume": true});
    assert_eq!(
        sent(request).await,
        json!({"prompt": "And the tests?", "claude": expected})
    );
}

#[tokio::test]
async fn a_conversation_can_be_resumed() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let first = within(client.run("hi")).await.unwrap();
    let second = within(client.run(RunRequest::new("and?").resume(first.session_id())))
        .await
        .unwrap();
    assert_eq!(first.session_id(), second.session_id());
    let body: Value = serde_json::from_slice(&emulator.requests()[1].body).unwrap();
    assert_eq!(
        body["claude"],
        json!({"session_id": first.session_id(), "resume": true})
    );
}

#[tokio::test]
async fn what_a_newer_server_adds_survives() {
    let reply = reply_to(json!({
        "id": "run-1", "status": "paused", "queue": {"position": 3}, "output": null,
        "crash_info": {"exit_code": 1, "core": "/tmp/core"},
    }))
    .await;
    assert_eq!(reply.status, RunStatus::Other("paused".into()));
    assert_eq!(reply.extra["queue"], json!({"position": 3}));
    assert_eq!(reply.crash_info.as_ref().unwrap().extra["core"], "/tmp/core");
    let error = stromboli::Error::from(reply.ok().unwrap_err());
    assert!(
        error.is_agent_failed() && error.to_string().contains("paused"),
        "{error}"
    );
}

#[tokio::test]
async fn structured_output_may_be_any_json() {
    for value in [json!({"a": [1]}), json!([1, 2]), json!("text"), json!(7), json!(false)] {
        let reply = reply_to(json!({"id": "run-1", "status": "completed", "structured_output": value})).await;
        assert_eq!(reply.structured_output, Some(value));
    }
}

#[tokio::test]
async fn usage_is_read() {
    let emulator = Emulator::start().await.unwrap();
    let usage = Usage {
        model: Some("claude-sonnet-4-5".into()),
        input_tokens: 10,
        output_tokens: 20,
        ..Usage::default()
    };
    emulator.on_prompt("count").reply("1").usage(usage);
    let client = Client::new(emulator.url()).unwrap();
    let usage = within(client.run("count")).await.unwrap().usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (10, 20, 30)
    );
    assert_eq!(usage.model.as_deref(), Some("claude-sonnet-4-5"));
}

#[tokio::test]
async fn a_prompt_arrives_as_it_was_given() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let prompts = [
        "\"quotes\" 'and' \\backslashes\\ and <tags> & %20 + ?#".to_owned(),
        "line one\nline two\r\nthree\ttab".to_owned(),
        "NUL \0, escape \u{1b}, DEL \u{7f}, separators \u{2028}\u{2029}, BOM \u{feff}".to_owned(),
        "emoji 👩‍👩‍👧‍👦 🦀, combining e\u{301}, right to left שלום".to_owned(),
        " ".to_owned(),
        "long é ".repeat(1024 * 1024 / 8),
    ];
    for prompt in &prompts {
        within(client.run(prompt.as_str())).await.unwrap();
    }
    for (received, prompt) in emulator.requests().iter().zip(&prompts) {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        assert!(
            body["prompt"] == **prompt,
            "{:?}",
            prompt.chars().take(60).collect::<String>()
        );
    }
}
