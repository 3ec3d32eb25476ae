//! Token buckets. Time stands still in these tests, but for what they set it forward.

use std::io::ErrorKind;
use std::time::Duration;

use jiff::Timestamp;
use stromboli_emulator::{Answer, Builder, Dialect, Emulator, Run};

use crate::client::{Connection, Response};

const LIMIT: &str = "x-ratelimit-limit";
const REMAINING: &str = "x-ratelimit-remaining";
const RESET: &str = "x-ratelimit-reset";

/// An emulator and one connection to it.
async fn start(builder: Builder) -> (Emulator, Connection) {
    let emulator = builder.start().await.unwrap();
    let connection = Connection::open(&emulator).await;
    (emulator, connection)
}

async fn call(connection: &mut Connection, method: &str, target: &str, headers: &str, body: &str) -> Response {
    connection.send(method, target, headers, body.as_bytes()).await;
    connection.response(method).await
}

/// The status of `GET /jobs` with these headers, and what it says is left.
async fn jobs(connection: &mut Connection, headers: &str) -> (u16, Option<String>) {
    let response = call(connection, "GET", "/jobs", headers, "").await;
    (response.status, response.header(REMAINING).map(str::to_owned))
}

fn left(status: u16, remaining: &str) -> (u16, Option<String>) {
    (status, Some(remaining.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn every_protected_response_says_what_is_left() {
    let boom = |_: Run| -> Answer { panic!("on purpose") };
    let builder = Emulator::builder().rate_limit(10, 20).answerer(boom);
    let (emulator, mut connection) = start(builder).await;
    emulator.on_prompt("good").reply("ok");
    emulator.on_prompt("bad").fail(1, "");
    let cases = [
        ("GET", "/claude/status", "", 200),
        ("GET", "/jobs", "", 200),
        ("GET", "/jobs/none", "", 404),
        ("POST", "/run", "", 400),
        ("POST", "/run", r#"{"prompt":"good"}"#, 200),
        ("POST", "/run", r#"{"prompt":"bad"}"#, 500),
        ("POST", "/run", r#"{"prompt":"panic"}"#, 500),
        ("GET", "/run/stream?prompt=good", "", 200),
        ("GET", "/run/stream", "", 400),
        ("GET", "/agents", "", 200),
        ("POST", "/agents", "{}", 201),
        ("GET", "/agents/none/stream", "", 404),
    ];
    for ((method, target, body, status), remaining) in cases.into_iter().zip((0..20).rev()) {
        let now = Timestamp::now().as_second();
        let response = call(&mut connection, method, target, "", body).await;
        assert_eq!(response.status, status, "{method} {target}");
        assert_eq!(response.header(LIMIT), Some("10"), "{method} {target}");
        assert_eq!(response.header(REMAINING), Some(remaining.to_string().as_str()));
        let reset: i64 = response.header(RESET).unwrap().parse().unwrap();
        assert!((now + 1..=Timestamp::now().as_second() + 1).contains(&reset));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_public_or_unknown_is_not_limited() {
    let builder = Emulator::builder()
        .rate_limit(1, 1)
        .jwt_secret("0".repeat(32))
        .auth(false);
    let (_emulator, mut connection) = start(builder).await;
    let cases = [
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/jobs/", 301),
        ("OPTIONS", "/run", 404),
        ("POST", "/auth/token", 400),
        ("POST", "/auth/refresh", 400),
        ("GET", "/auth/validate", 401),
        ("POST", "/auth/logout", 401),
    ];
    for (method, target, status) in cases.into_iter().chain(cases) {
        let response = call(&mut connection, method, target, "", "").await;
        assert_eq!(response.status, status, "{method} {target}");
        assert!(response.header_names().iter().all(|name| !name.contains("ratelimit")));
    }
    assert_eq!(jobs(&mut connection, "").await, left(200, "0"));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_is_said_of_one() {
    let (_emulator, mut connection) = start(Emulator::builder()).await;
    for _ in 0..100 {
        assert_eq!(jobs(&mut connection, "").await, (200, None));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_has_used_up_the_burst_is_refused() {
    let (emulator, mut connection) = start(Emulator::builder().rate_limit(10, 3)).await;
    let body = r#"{"prompt":"hi"}"#;
    for remaining in ["2", "1", "0"] {
        let run = call(&mut connection, "POST", "/run", "", body).await;
        assert_eq!((run.status, run.header(REMAINING)), (200, Some(remaining)));
    }
    for _ in 0..2 {
        let refused = call(&mut connection, "POST", "/run", "", body).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.body, r#"{"error":"rate limit exceeded"}"#);
        let names = [
            "content-length",
            "content-type",
            "date",
            LIMIT,
            REMAINING,
            RESET,
            "x-request-id",
        ];
        assert_eq!(refused.header_names(), names);
        assert_eq!(refused.header(REMAINING), Some("0"));
    }
    assert_eq!(emulator.executions(), 3);
}

#[tokio::test(start_paused = true)]
async fn tokens_come_back_with_time_and_never_more_than_the_burst() {
    let (emulator, mut connection) = start(Emulator::builder().rate_limit(4, 2)).await;
    assert_eq!(jobs(&mut connection, "").await, left(200, "1"));
    assert_eq!(jobs(&mut connection, "").await, left(200, "0"));
    emulator.advance_clock(Duration::from_millis(249));
    assert_eq!(jobs(&mut connection, "").await, left(429, "0"));
    // A refused request costs nothing.
    emulator.advance_clock(Duration::from_millis(1));
    assert_eq!(jobs(&mut connection, "").await, left(200, "0"));
    emulator.advance_clock(Duration::from_millis(375));
    assert_eq!(jobs(&mut connection, "").await, left(200, "0"));
    emulator.advance_clock(Duration::from_millis(125));
    assert_eq!(jobs(&mut connection, "").await, left(200, "0"));
    emulator.advance_clock(Duration::from_secs(60));
    assert_eq!(jobs(&mut connection, "").await, left(200, "1"));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_token_uses_the_limit_up_too() {
    let builder = Emulator::builder().rate_limit(1, 2).api_token("t");
    let (_emulator, mut connection) = start(builder).await;
    assert_eq!(jobs(&mut connection, "").await, left(401, "1"));
    assert_eq!(jobs(&mut connection, "").await, left(401, "0"));
    // And is not even looked at then.
    assert_eq!(
        jobs(&mut connection, "Authorization: Bearer t\r\n").await,
        left(429, "0")
    );
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_address_counts_only_from_a_proxy_that_is_trusted() {
    for builder in [
        Emulator::builder(),
        Emulator::builder().trusted_proxy("10.0.0.0/8").trusted_proxy("::1"),
    ] {
        let (_emulator, mut connection) = start(builder.rate_limit(1, 2)).await;
        assert_eq!(
            jobs(&mut connection, "X-Forwarded-For: 1.1.1.1\r\n").await,
            left(200, "1")
        );
        assert_eq!(jobs(&mut connection, "X-Real-IP: 2.2.2.2\r\n").await, left(200, "0"));
        assert_eq!(jobs(&mut connection, "").await, left(429, "0"));
    }
    for network in ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"] {
        let builder = Emulator::builder().rate_limit(1, 2).trusted_proxy(network);
        let (_emulator, mut connection) = start(builder).await;
        let cases = [
            ("X-Forwarded-For: 1.1.1.1\r\n", "1"),
            ("X-Forwarded-For: 2.2.2.2, 1.1.1.1\r\n", "1"),
            ("X-Forwarded-For: 1.1.1.1:8080, 3.3.3.3\r\nX-Real-IP: 9.9.9.9\r\n", "0"),
            ("X-Forwarded-For:\r\nX-Real-IP: 2.2.2.2\r\n", "0"),
            ("X-Real-IP: anything\r\n", "1"),
            ("", "1"),
            ("X-Forwarded-For: 127.0.0.1\r\n", "0"),
        ];
        for (headers, remaining) in cases {
            assert_eq!(jobs(&mut connection, headers).await, left(200, remaining), "{headers}");
        }
        assert_eq!(jobs(&mut connection, "X-Real-IP: 1.1.1.1\r\n").await, left(429, "0"));
    }
}

#[tokio::test(start_paused = true)]
async fn before_0_5_what_was_used_was_said_to_be_left() {
    let builder = Emulator::builder().dialect(Dialect::V0_4_3).rate_limit(1, 3);
    let (_emulator, mut connection) = start(builder).await;
    for used in ["1", "2", "3"] {
        assert_eq!(jobs(&mut connection, "").await, left(200, used));
    }
    assert_eq!(jobs(&mut connection, "").await, left(429, "0"));
    // And everybody was believed.
    assert_eq!(
        jobs(&mut connection, "X-Forwarded-For: 1.1.1.1\r\n").await,
        left(200, "1")
    );
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused_at_the_start() {
    for builder in [
        Emulator::builder().rate_limit(0, 1),
        Emulator::builder().rate_limit(1, 0),
        Emulator::builder().trusted_proxy("localhost"),
        Emulator::builder().trusted_proxy("10.0.0.0/33"),
        Emulator::builder().trusted_proxy(""),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
