//! Requests with everything in them. No `..`: a contract that grows stops this file from compiling until the new field
//! is sent as well.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use stromboli::{
    AgentRequest, ClaudeOptions, ComposeEnvironment, Effort, ImagePullRequest, ImageSearch, InputFormat,
    LifecycleHooks, Model, OutputFormat, PermissionMode, PodmanOptions, PromptCachingTtl, RunRequest, SettingSource,
    StreamRequest,
};

const SESSION: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";

/// Where a field that is new is to get its value from: something that is no default.
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn list(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

pub(super) fn run() -> RunRequest {
    RunRequest {
        prompt: "Review this code".to_owned(),
        workdir: some("/workspace"),
        webhook_url: some("https://example.com/hooks/stromboli"),
        claude: Some(claude()),
        podman: Some(podman()),
    }
}

pub(super) fn stream() -> StreamRequest {
    StreamRequest {
        prompt: "a & b / c?\u{e9}\n".to_owned(),
        workdir: some("/workspace"),
        session_id: some(SESSION),
    }
}

pub(super) fn agent() -> AgentRequest {
    AgentRequest {
        claude: Some(claude()),
        disable_idle_timeout: Some(true),
        idle_timeout_seconds: Some(60),
        prompt: some("Look at the failing test"),
        workdir: some("/workspace"),
    }
}

pub(super) fn pull() -> ImagePullRequest {
    ImagePullRequest {
        image: "docker.io/library/python:3.12".to_owned(),
        platform: some("linux/arm64"),
        quiet: Some(true),
    }
}

pub(super) fn search() -> ImageSearch {
    ImageSearch {
        query: "library/python".to_owned(),
        limit: Some(5),
        no_trunc: Some(true),
    }
}

fn claude() -> ClaudeOptions {
    let reviewer = json!({"description": "Reviews code.", "prompt": "You are a code reviewer."});
    ClaudeOptions {
        add_dirs: list("/data"),
        agent: some("reviewer"),
        agents: Map::from_iter([("reviewer".to_owned(), reviewer)]),
        allow_dangerously_skip_permissions: Some(true),
        allowed_tools: list("Bash(git:*)"),
        append_system_prompt: some("Mention every assumption."),
        bedrock_service_tier: some("priority"),
        betas: list("context-1m"),
        continue_: Some(true),
        dangerously_skip_permissions: Some(true),
        debug: some("api,mcp"),
        disable_slash_commands: Some(true),
        disallowed_tools: list("Write"),
        effort: Some(Effort::High),
        enable_powershell_tool: Some(true),
        fallback_model: Some(Model::from("claude-sonnet-4-5")),
        files: list("file_abc:notes.txt"),
        fork_session: Some(true),
        include_partial_messages: Some(true),
        input_format: Some(InputFormat::StreamJson),
        json_schema: some(r#"{"type":"array"}"#),
        max_budget_usd: Some(5.5),
        max_turns: Some(30),
        mcp_configs: list("/workspace/mcp.json"),
        model: Some(Model::Opus),
        no_persistence: Some(true),
        output_format: Some(OutputFormat::StreamJson),
        permission_mode: Some(PermissionMode::AcceptEdits),
        plugin_dirs: list("/plugins"),
        prompt_caching_ttl: Some(PromptCachingTtl::OneHour),
        replay_user_messages: Some(true),
        resume: Some(true),
        session_id: some(SESSION),
        setting_sources: vec![SettingSource::User, SettingSource::Project],
        settings: some("/workspace/settings.json"),
        strict_mcp_config: Some(true),
        system_prompt: some("Answer in one short paragraph."),
        tools: list("Bash"),
        verbose: Some(true),
    }
}

fn podman() -> PodmanOptions {
    PodmanOptions {
        cpu_shares: Some(256),
        cpus: some("1.5"),
        environment: Some(ComposeEnvironment {
            build_timeout: some("15m"),
            path: some("/srv/project/docker-compose.yml"),
            service: some("dev"),
            type_: some("compose"),
        }),
        image: some("python:3.12"),
        lifecycle: Some(LifecycleHooks {
            hooks_timeout: some("5m"),
            on_create_command: list("cargo fetch --locked"),
            post_create: list("make fixtures"),
            post_start: list("service postgresql start"),
        }),
        memory: some("2g"),
        secrets_env: BTreeMap::from([("DEPLOY_KEY".to_owned(), "deploy-key".to_owned())]),
        timeout: some("10m"),
        volumes: list("/srv/data:/data:ro"),
    }
}
