//! `Client::run` when it does not go well: crashes, refusals, timeouts, and what each says.

use serde_json::json;
use stromboli::{
    ClaudeOptions, Client, ErrorKind, LifecycleHooks, PodmanOptions, RunRequest, RunResponse, RunStatus, Timeouts,
};
use stromboli_emulator::Emulator;

use crate::support::{COMPLETED, PAUSE, Reply, SHORT, Server, within};

#[tokio::test]
async fn resuming_no_session_is_refused_before_anything_is_sent() {
    let server = Server::once(Reply::new(200).json(COMPLETED).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let by_hand = RunRequest::new("hi").claude(ClaudeOptions::new().resume(true));
    for request in [RunRequest::new("hi").resume(""), by_hand] {
        let errors = [
            within(client.run(request.clone())).await.unwrap_err(),
            within(client.start(request)).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_crash_is_a_reply_and_an_error_when_asked() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("crash").lines(["half done"]).crash(137, "SIGKILL");
    let client = Client::new(emulator.url()).unwrap();
    let ask = async || -> stromboli::Result<RunResponse> { Ok(client.run("crash").await?.ok()?) };
    let error = within(ask()).await.unwrap_err();
    assert!(error.is_agent_failed());
    assert_eq!(error.code(), "AGENT_FAILED");
    assert!(error.may_have_executed());
    let shown = error.to_string();
    assert!(
        shown.contains("137") && shown.contains("SIGKILL") && !shown.contains("half done"),
        "{shown}"
    );
    let reply = error.reply().unwrap();
    assert_eq!((&reply.status, reply.text()), (&RunStatus::Crashed, "half done"));
    let crash = reply.crash_info.as_ref().unwrap();
    assert_eq!((crash.exit_code, crash.signal.as_deref()), (Some(137), Some("SIGKILL")));
    assert_eq!(crash.partial_output.as_deref(), Some("half done"));
}

#[tokio::test]
async fn an_error_inside_the_result_envelope_is_one_when_asked() {
    let envelope = json!({"type": "result", "subtype": "error_max_turns", "is_error": true, "result": ""});
    let body = json!({"id": "run-1", "status": "completed", "output": envelope.to_string()});
    let server = Server::once(Reply::new(200).json(body.to_string()).bytes()).await;
    let reply = within(Client::new(server.url()).unwrap().run("hi")).await.unwrap();
    let error = stromboli::Error::from(reply.ok().unwrap_err());
    assert!(
        error.is_agent_failed() && error.to_string().contains("error_max_turns"),
        "{error}"
    );
    assert_eq!(error.reply().unwrap().status, RunStatus::Completed);
}

#[tokio::test]
async fn an_agent_that_could_not_be_run_to_its_end_is_an_agent_failure() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("fail").fail(3, "no such model");
    let client = Client::new(emulator.url()).unwrap();
    let error = within(client.run("fail")).await.unwrap_err();
    assert!(error.is_agent_failed(), "{error:?}");
    assert!(error.may_have_executed());
    assert_eq!(error.status().unwrap(), 500);
    assert_eq!(
        error.message(),
        "execution failed: exit status 3, output: no such model"
    );
    assert_eq!(
        error.to_string(),
        "run_sync failed with status 500: execution failed: exit status 3"
    );
    assert!(error.request_id().is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn a_failed_run_that_printed_much_is_still_an_agent_failure() {
    let words = format!("execution failed: exit status 1, output: {}", "x".repeat(200_000));
    let body = json!({"id": "", "status": "error", "error": words});
    let server = Server::once(Reply::new(500).json(body.to_string()).bytes()).await;
    let error = within(Client::new(server.url()).unwrap().run("hi")).await.unwrap_err();
    assert!(error.is_agent_failed(), "{error:?}");
    assert!(
        error.message().starts_with("execution failed: exit status 1"),
        "{error}"
    );
    assert!(error.body().len() <= 64 * 1024);
}

#[tokio::test]
async fn options_that_the_server_refuses_did_not_run() {
    let emulator = Emulator::builder().allow_image("python:*").start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let podman = |podman| RunRequest::new("hi").podman(podman);
    let hooks = LifecycleHooks::new().post_start([""]);
    let session = RunRequest::new("hi").claude(ClaudeOptions::new().session_id("../x"));
    for (request, words) in [
        (RunRequest::new("hi").workdir("relative"), "workdir validation failed"),
        (
            podman(PodmanOptions::new().volume("/etc:/x")),
            "volume validation failed",
        ),
        (podman(PodmanOptions::new().image("alpine")), "image validation failed"),
        (
            podman(PodmanOptions::new().secret_env("1", "s")),
            "secrets validation failed",
        ),
        (
            podman(PodmanOptions::new().lifecycle(hooks)),
            "lifecycle hooks validation failed",
        ),
        (session, "invalid session ID"),
    ] {
        let error = within(client.run(request)).await.unwrap_err();
        assert_eq!(error.status().unwrap(), 500);
        assert!(error.message().starts_with(words), "{error}");
        assert!(!error.may_have_executed(), "{error}");
        assert!(!error.is_agent_failed(), "{error}");
    }
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_server_without_credentials_for_claude_is_unavailable_and_ran_nothing() {
    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    assert!(!within(client.claude_status()).await.unwrap().configured);
    let errors = [
        within(client.run("hi")).await.unwrap_err(),
        within(client.start("hi")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.message(), "Claude not configured. Run 'make claude-setup' first");
        assert!(!error.may_have_executed());
    }
}

#[tokio::test]
async fn an_empty_prompt_is_refused_with_the_servers_own_words() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let error = within(client.run("")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::BadRequest, 400)
    );
    assert!(error.message().starts_with("Invalid request: "), "{}", error.message());
    assert!(error.message().contains("'required' tag"), "{}", error.message());
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn dropping_the_future_kills_the_run() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("long").reply("done").hold();
    let client = Client::new(emulator.url()).unwrap();
    let run = tokio::spawn(async move { client.run("long").await });
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    run.abort();
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_a_timeout_that_may_have_executed_and_is_killed() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("long").reply("done").hold();
    let timeouts = Timeouts::default().run(PAUSE);
    let client = Client::builder(emulator.url()).timeouts(timeouts).build().unwrap();
    let error = within(client.run("long")).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(error.may_have_executed());
    assert_eq!((error.attempts(), error.status()), (1, None));
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
}

#[tokio::test]
async fn a_run_is_not_bound_by_the_timeout_of_quick_calls() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("long").reply("done").hold();
    let timeouts = Timeouts::default().quick(SHORT);
    let client = Client::builder(emulator.url()).timeouts(timeouts).build().unwrap();
    let run = tokio::spawn(async move { client.run("long").await });
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    // Time has to pass: that it may is the promise.
    tokio::time::sleep(SHORT * 3).await;
    hold.release();
    assert_eq!(within(run).await.unwrap().unwrap().text(), "done");
}
