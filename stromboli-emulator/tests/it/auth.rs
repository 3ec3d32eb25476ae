//! API tokens.

use stromboli_emulator::Emulator;

use crate::client::{get, request};

#[tokio::test]
async fn each_way_to_lack_a_token_has_its_text() {
    let emulator = Emulator::builder()
        .api_token("a b")
        .api_token("t2")
        .start()
        .await
        .unwrap();
    let cases = [
        ("", "missing authorization header"),
        ("Authorization:\r\n", "missing authorization header"),
        ("Authorization: a b\r\n", "invalid authorization header format"),
        ("Authorization: Bearer\r\n", "invalid authorization header format"),
        ("Authorization: Basic t2\r\n", "invalid authorization header format"),
        ("Authorization: Bearer other\r\n", "invalid or expired token"),
        ("Authorization: Bearer  t2\r\n", "invalid or expired token"),
        ("Authorization: Bearer T2\r\n", "invalid or expired token"),
    ];
    for (header, text) in cases {
        let refused = request(&emulator, "GET", "/jobs", header, b"").await;
        assert_eq!(refused.status, 401, "{header}");
        assert_eq!(refused.body, format!(r#"{{"error":"{text}"}}"#), "{header}");
        let names = ["content-length", "content-type", "date", "x-request-id"];
        assert_eq!(refused.header_names(), names);
    }
    for token in ["Bearer t2", "bEARER a b"] {
        let header = format!("Authorization: {token}\r\n");
        assert_eq!(
            request(&emulator, "GET", "/jobs", &header, b"").await.status,
            200,
            "{token}"
        );
    }
}

#[tokio::test]
async fn only_health_needs_no_token_and_unknown_routes_stay_unknown() {
    let emulator = Emulator::builder().api_token("t").start().await.unwrap();
    assert_eq!(get(&emulator, "/health").await.status, 200);
    assert_eq!(get(&emulator, "/nowhere").await.status, 404);
    assert_eq!(get(&emulator, "/jobs/").await.status, 301);
    let protected = [
        ("GET", "/claude/status"),
        ("POST", "/run"),
        ("POST", "/run/async"),
        ("GET", "/run/stream"),
        ("GET", "/jobs"),
        ("GET", "/jobs/job-1"),
        ("DELETE", "/jobs/job-1"),
    ];
    for (method, target) in protected {
        let refused = request(&emulator, method, target, "", b"").await;
        assert_eq!(refused.status, 401, "{method} {target}");
    }
    assert_eq!(emulator.executions(), 0);
}
