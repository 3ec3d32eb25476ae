//! `/health` and `/claude/status`.

use stromboli_emulator::Emulator;

use crate::client::get;

#[tokio::test]
async fn health_lists_its_components_in_order() {
    let emulator = Emulator::start().await.unwrap();
    let health = get(&emulator, "/health").await;
    assert_eq!(health.status, 200);
    let expected = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha","components":[{"name":"podman","status":"ok"},{"name":"claude-credentials-file","status":"ok"},{"name":"claude-credentials-secret","status":"ok"}]}"#;
    assert_eq!(health.body, expected);
}

#[tokio::test]
async fn a_degraded_server_is_still_a_200() {
    let builder = Emulator::builder().version("dev").degraded("podman", "exit status 125");
    let emulator = builder.start().await.unwrap();
    let health = get(&emulator, "/health").await;
    assert_eq!(health.status, 200);
    let expected = r#"{"status":"degraded","name":"stromboli","version":"dev","components":[{"name":"podman","status":"error","error":"exit status 125"},{"name":"claude-credentials-file","status":"ok"},{"name":"claude-credentials-secret","status":"ok"}]}"#;
    assert_eq!(health.body, expected);
}

#[tokio::test]
async fn claude_status_says_whether_credentials_are_there() {
    let emulator = Emulator::start().await.unwrap();
    let status = get(&emulator, "/claude/status").await;
    assert_eq!(status.body, r#"{"configured":true,"message":"Claude is configured"}"#);

    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    let status = get(&emulator, "/claude/status").await;
    assert_eq!(status.status, 200);
    let expected = r#"{"configured":false,"message":"Run 'make claude-setup' to configure"}"#;
    assert_eq!(status.body, expected);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_at_the_start() {
    for builder in [
        Emulator::builder().degraded("docker", "gone"),
        Emulator::builder().utc_offset_minutes(i32::MAX),
        Emulator::builder().utc_offset_minutes(100_000),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}
