//! The request types are the contract's. Each is taken apart here without `..`, so that a contract that grows stops
//! this file from compiling until somebody has looked at the new field.

use stromboli::{
    AgentRequest, ClaudeOptions, ComposeEnvironment, ImagePullRequest, ImageSearch, LifecycleHooks, PodmanOptions,
    RunRequest, StreamRequest,
};

#[test]
fn a_request_of_defaults_sends_only_the_prompt() {
    let request = RunRequest::new("hi").claude(ClaudeOptions::new()).podman(
        PodmanOptions::new()
            .lifecycle(LifecycleHooks::new())
            .environment(ComposeEnvironment::new()),
    );
    let sent = serde_json::to_value(&request).unwrap();
    let nothing = serde_json::json!({});
    assert_eq!(sent["claude"], nothing);
    assert_eq!(
        sent["podman"],
        serde_json::json!({"lifecycle": nothing, "environment": nothing})
    );
    assert_eq!(
        serde_json::to_string(&RunRequest::new("hi")).unwrap(),
        r#"{"prompt":"hi"}"#
    );
}

#[test]
fn every_field_of_a_run_is_known() {
    let RunRequest {
        prompt,
        workdir,
        webhook_url,
        claude,
        podman,
    } = RunRequest::new("hi");
    assert_eq!(prompt, "hi");
    assert_eq!(
        (workdir, webhook_url, claude.is_none(), podman.is_none()),
        (None, None, true, true)
    );
}

#[test]
fn every_field_of_a_stream_is_known() {
    let StreamRequest {
        prompt,
        workdir,
        session_id,
    } = "hi".into();
    assert_eq!((prompt.as_str(), workdir, session_id), ("hi", None, None));
}

#[test]
fn every_field_of_an_agent_is_known() {
    let AgentRequest {
        claude,
        disable_idle_timeout,
        idle_timeout_seconds,
        prompt,
        workdir,
    } = AgentRequest::new();
    assert!(claude.is_none() && disable_idle_timeout.is_none() && idle_timeout_seconds.is_none());
    assert_eq!((prompt, workdir), (None, None));
}

#[test]
fn every_field_of_an_image_to_pull_or_to_search_for_is_known() {
    let ImagePullRequest { image, platform, quiet } = "python:3.12".into();
    assert_eq!((image.as_str(), platform, quiet), ("python:3.12", None, None));
    assert_eq!(ImagePullRequest::from(image.clone()), ImagePullRequest::new(image));

    let ImageSearch { query, limit, no_trunc } = "python".into();
    assert_eq!((query.as_str(), limit, no_trunc), ("python", None, None));
    assert_eq!(ImageSearch::from(query.clone()), ImageSearch::new(query));
}

#[test]
fn every_option_of_claude_is_known() {
    let ClaudeOptions {
        add_dirs,
        agent,
        agents,
        allow_dangerously_skip_permissions,
        allowed_tools,
        append_system_prompt,
        bedrock_service_tier,
        betas,
        continue_,
        dangerously_skip_permissions,
        debug,
        disable_slash_commands,
        disallowed_tools,
        effort,
        enable_powershell_tool,
        fallback_model,
        files,
        fork_session,
        include_partial_messages,
        input_format,
        json_schema,
        max_budget_usd,
        max_turns,
        mcp_configs,
        model,
        no_persistence,
        output_format,
        permission_mode,
        plugin_dirs,
        prompt_caching_ttl,
        replay_user_messages,
        resume,
        session_id,
        setting_sources,
        settings,
        strict_mcp_config,
        system_prompt,
        tools,
        verbose,
    } = ClaudeOptions::new();
    let flags = [
        allow_dangerously_skip_permissions,
        continue_,
        dangerously_skip_permissions,
        disable_slash_commands,
        enable_powershell_tool,
        fork_session,
        include_partial_messages,
        no_persistence,
        replay_user_messages,
        resume,
        strict_mcp_config,
        verbose,
    ];
    assert!(flags.iter().all(Option::is_none));
    let texts = [
        agent,
        append_system_prompt,
        bedrock_service_tier,
        debug,
        json_schema,
        session_id,
        settings,
        system_prompt,
    ];
    assert!(texts.iter().all(Option::is_none));
    let lists = [
        add_dirs,
        allowed_tools,
        betas,
        disallowed_tools,
        files,
        mcp_configs,
        plugin_dirs,
        tools,
    ];
    assert!(lists.iter().all(Vec::is_empty) && agents.is_empty() && setting_sources.is_empty());
    assert!(model.is_none() && fallback_model.is_none() && effort.is_none() && permission_mode.is_none());
    assert!(input_format.is_none() && output_format.is_none() && prompt_caching_ttl.is_none());
    assert!(max_budget_usd.is_none() && max_turns.is_none());
}

#[test]
fn every_option_of_podman_is_known() {
    let PodmanOptions {
        cpu_shares,
        cpus,
        environment,
        image,
        lifecycle,
        memory,
        secrets_env,
        timeout,
        volumes,
    } = PodmanOptions::new();
    assert!([cpus, image, memory, timeout].iter().all(Option::is_none));
    assert!(cpu_shares.is_none() && environment.is_none() && lifecycle.is_none());
    assert!(secrets_env.is_empty() && volumes.is_empty());

    let LifecycleHooks {
        hooks_timeout,
        on_create_command,
        post_create,
        post_start,
    } = LifecycleHooks::new();
    assert!(hooks_timeout.is_none());
    assert!([on_create_command, post_create, post_start].iter().all(Vec::is_empty));

    let ComposeEnvironment {
        build_timeout,
        path,
        service,
        type_,
    } = ComposeEnvironment::new();
    assert!([build_timeout, path, service, type_].iter().all(Option::is_none));
}
