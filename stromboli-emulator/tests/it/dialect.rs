//! What a server of 0.4.3 does otherwise.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stromboli_emulator::{Answer, Blacklist, Builder, Dialect, Emulator, Run, Usage};

use crate::client::{get, post};
use crate::token::{guarded, pair, with};

fn old() -> Builder {
    Emulator::builder().dialect(Dialect::V0_4_3)
}

#[tokio::test]
async fn health_reports_the_release() {
    for (builder, version) in [
        (old(), "v0.4.3-alpha"),
        (Emulator::builder().dialect(Dialect::V0_5_7), "v0.5.7-alpha"),
        (Emulator::builder(), "v0.5.7-alpha"),
        (old().version("dev"), "dev"),
        (Emulator::builder().version("dev").dialect(Dialect::V0_4_3), "dev"),
    ] {
        let emulator = builder.start().await.unwrap();
        assert_eq!(get(&emulator, "/health").await.json()["version"], version);
    }
}

#[tokio::test]
async fn authentication_has_to_be_asked_for() {
    let off = guarded().dialect(Dialect::V0_4_3).start().await.unwrap();
    assert_eq!(get(&off, "/jobs").await.status, 200);
    assert_eq!(post(&off, "/auth/token", r#"{"client_id":"ci"}"#).await.status, 200);
    let on = guarded().dialect(Dialect::V0_4_3).auth(true).start().await.unwrap();
    assert_eq!(get(&on, "/jobs").await.status, 401);
    assert_eq!(get(&on, "/health").await.status, 200);
}

#[tokio::test]
async fn a_logout_that_cannot_be_kept_is_a_silent_200() {
    for blacklist in [Blacklist::Absent, Blacklist::Failing("gone".to_owned())] {
        let emulator = guarded().dialect(Dialect::V0_4_3).blacklist(blacklist);
        let emulator = emulator.start().await.unwrap();
        let (access, _) = pair(&emulator).await;
        let out = with(&emulator, &access, "POST", "/auth/logout", "").await;
        let expected = r#"{"success":true,"message":"token invalidated"}"#;
        assert_eq!((out.status, out.body.as_str()), (200, expected));
    }
}

#[tokio::test]
async fn a_run_has_no_usage() {
    for (builder, expected) in [(old(), false), (Emulator::builder(), true)] {
        let emulator = builder.start().await.unwrap();
        emulator.on_prompt("hi").reply("ok").usage(Usage::default());
        let run = post(&emulator, "/run", r#"{"prompt":"hi"}"#).await.json();
        assert_eq!(run.get("usage").is_some(), expected);
        assert_eq!(run["output"], "ok");
    }
}

#[tokio::test]
async fn options_that_came_later_are_ignored_whatever_they_are() {
    let seen = Arc::new(Mutex::new(Value::Null));
    let answerer = {
        let seen = Arc::clone(&seen);
        move |run: Run| {
            *seen.lock().unwrap() = run.claude;
            Answer::lines(["ok"])
        }
    };
    let claude = json!({
        "model": "haiku",
        "disable_slash_commands": true,
        "max_turns": 3,
        "effort": "high",
        "prompt_caching_ttl": "1h",
        "bedrock_service_tier": "x",
        "enable_powershell_tool": true,
    });
    let body = json!({"prompt": "hi", "claude": claude}).to_string();
    let emulator = old().answerer(answerer.clone()).start().await.unwrap();
    assert_eq!(post(&emulator, "/run", &body).await.status, 200);
    let known = json!({"model": "haiku", "disable_slash_commands": true, "max_turns": 3});
    assert_eq!(*seen.lock().unwrap(), known);

    let newest = Emulator::builder().answerer(answerer).start().await.unwrap();
    assert_eq!(post(&newest, "/run", &body).await.status, 200);
    assert_eq!(*seen.lock().unwrap(), claude);

    for name in [
        "effort",
        "prompt_caching_ttl",
        "bedrock_service_tier",
        "enable_powershell_tool",
    ] {
        let body = json!({"prompt": "hi", "claude": {name: [1]}}).to_string();
        assert_eq!(post(&emulator, "/run", &body).await.status, 200, "{name}");
        assert_eq!(post(&newest, "/run", &body).await.status, 400, "{name}");
    }
    let body = json!({"prompt": "hi", "claude": {"model": 1}}).to_string();
    assert_eq!(post(&emulator, "/run", &body).await.status, 400);
}

#[tokio::test]
async fn metrics_are_public_and_on_the_same_port() {
    let emulator = guarded().dialect(Dialect::V0_4_3).auth(true).rate_limit(1, 1);
    let emulator = emulator.start().await.unwrap();
    get(&emulator, "/jobs").await;
    get(&emulator, "/nowhere?x=1").await;
    get(&emulator, "/metrics").await;
    let metrics = get(&emulator, "/metrics").await;
    assert_eq!(metrics.status, 200);
    let content_type = metrics.header("content-type");
    assert_eq!(content_type, Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(metrics.header("x-ratelimit-limit"), None);
    for line in [
        "# TYPE http_requests_total counter",
        "# TYPE http_request_duration_seconds histogram",
        "# TYPE active_containers gauge",
        "active_containers 0",
        r#"http_requests_total{method="GET",path="/jobs",status="401"} 1"#,
        r#"http_requests_total{method="GET",path="/nowhere",status="404"} 1"#,
        r#"http_requests_total{method="GET",path="/metrics",status="200"} 1"#,
        r#"http_request_duration_seconds_count{method="GET",path="/jobs"} 1"#,
        r#"http_request_duration_seconds_bucket{method="GET",path="/jobs",le="+Inf"} 1"#,
    ] {
        assert!(
            metrics.body.lines().any(|given| given == line),
            "{line} in {}",
            metrics.body
        );
    }
    let newest = Emulator::start().await.unwrap();
    assert_eq!(get(&newest, "/metrics").await.status, 404);
}

#[tokio::test]
async fn metrics_show_the_runs_that_go_on() {
    let emulator = old().start().await.unwrap();
    let hold = emulator.on_prompt("ping").hold();
    post(&emulator, "/run/async", r#"{"prompt":"ping"}"#).await;
    emulator.wait_for(|stats| stats.executions == 1).await;
    assert!(
        get(&emulator, "/metrics")
            .await
            .body
            .contains("\nactive_containers 1\n")
    );
    hold.release();
    emulator.wait_for(|stats| stats.finished == 1).await;
    assert!(
        get(&emulator, "/metrics")
            .await
            .body
            .contains("\nactive_containers 0\n")
    );
}
