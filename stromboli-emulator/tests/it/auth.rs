//! Who is let in: API tokens, JWTs, and when neither is asked for.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::json;
use stromboli_emulator::{Blacklist, Dialect, Emulator};

use crate::client::{get, post, request};
use crate::token::{API_TOKEN, SECRET, guarded, pair, refusal, signed, signed_hs384, with};

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
        ("Authorization: Bearer t2 \r\nAuthorization: Bearer t2\r\n", ""),
        (
            "Authorization: t2\r\nAuthorization: Bearer t2\r\n",
            "invalid authorization header format",
        ),
    ];
    for (header, text) in cases {
        let refused = request(&emulator, "GET", "/jobs", header, b"").await;
        if text.is_empty() {
            assert_eq!(refused.status, 200, "{header}");
            continue;
        }
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
async fn only_what_is_public_needs_no_token_and_unknown_routes_stay_unknown() {
    let emulator = guarded().start().await.unwrap();
    let public = [
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/jobs/", 301),
    ];
    for (method, target, status) in public {
        assert_eq!(
            request(&emulator, method, target, "", b"").await.status,
            status,
            "{target}"
        );
    }
    // These look at the tokens they are given themselves, and not at who gives them.
    let missing = (401, "missing authorization header".to_owned());
    assert_eq!(refusal(&get(&emulator, "/auth/validate").await), missing);
    assert_eq!(refusal(&post(&emulator, "/auth/logout", "").await), missing);
    assert_eq!(refusal(&post(&emulator, "/auth/refresh", "").await).0, 400);
    let protected = [
        ("GET", "/claude/status"),
        ("POST", "/run"),
        ("POST", "/run/async"),
        ("GET", "/run/stream"),
        ("GET", "/jobs"),
        ("GET", "/jobs/job-1"),
        ("DELETE", "/jobs/job-1"),
        ("POST", "/auth/token"),
        ("GET", "/agents"),
        ("POST", "/agents"),
        ("GET", "/agents/agent-1"),
        ("DELETE", "/agents/agent-1"),
        ("POST", "/agents/agent-1/send"),
        ("GET", "/agents/agent-1/stream"),
    ];
    for (method, target) in protected {
        let refused = request(&emulator, method, target, "", b"").await;
        assert_eq!(refusal(&refused), missing, "{method} {target}");
    }
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn an_access_token_opens_what_an_api_token_opens() {
    let emulator = guarded().start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    for token in [API_TOKEN, &access] {
        let run = with(&emulator, token, "POST", "/run", r#"{"prompt":"hi"}"#).await;
        assert_eq!(run.status, 200, "{}", run.body);
    }
    let refused = with(&emulator, &refresh, "GET", "/jobs", "").await;
    assert_eq!(refusal(&refused), (401, "invalid or expired token".to_owned()));
}

#[tokio::test]
async fn an_access_token_opens_nothing_once_it_has_expired() {
    let emulator = guarded().start().await.unwrap();
    let (access, _) = pair(&emulator).await;
    emulator.advance_clock(Duration::from_secs(24 * 60 * 60 - 60));
    assert_eq!(with(&emulator, &access, "GET", "/jobs", "").await.status, 200);
    emulator.advance_clock(Duration::from_secs(60));
    let refused = with(&emulator, &access, "GET", "/jobs", "").await;
    assert_eq!(refusal(&refused), (401, "invalid or expired token".to_owned()));
    assert_eq!(with(&emulator, API_TOKEN, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn only_tokens_that_the_secret_signed_with_hs256_are_let_in() {
    let emulator = guarded().start().await.unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({"sub": "me", "exp": 4_000_000_000_u64, "jti": "mine"});
    let good = signed(&header, &claims, SECRET);
    assert_eq!(with(&emulator, &good, "GET", "/jobs", "").await.status, 200);
    let (message, _) = good.rsplit_once('.').unwrap();
    let bad = [
        signed(&header, &claims, "another secret of 32 characters!"),
        signed(&json!({"alg": "none"}), &claims, SECRET),
        signed(&json!({"alg": "HS512"}), &claims, SECRET),
        signed_hs384(&claims),
        signed(&header, &json!({"exp": 1}), SECRET),
        signed(&header, &json!({"exp": 4_000_000_000_u64, "is_refresh": true}), SECRET),
        signed(
            &header,
            &json!({"exp": 4_000_000_000_u64, "nbf": 3_999_999_999_u64}),
            SECRET,
        ),
        format!("{message}."),
        message.to_owned(),
        "a.b.c".to_owned(),
    ];
    for token in bad {
        let refused = with(&emulator, &token, "GET", "/jobs", "").await;
        assert_eq!(
            refusal(&refused),
            (401, "invalid or expired token".to_owned()),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_token_that_was_logged_out_is_revoked() {
    let emulator = guarded().start().await.unwrap();
    let (access, _) = pair(&emulator).await;
    let (other, _) = pair(&emulator).await;
    assert_eq!(with(&emulator, &access, "POST", "/auth/logout", "").await.status, 200);
    for (method, target) in [("GET", "/jobs"), ("POST", "/run"), ("POST", "/auth/token")] {
        let refused = with(&emulator, &access, method, target, "").await;
        assert_eq!(refusal(&refused), (401, "token revoked".to_owned()), "{target}");
    }
    assert_eq!(with(&emulator, &other, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn a_store_that_fails_shuts_jwts_out_and_not_api_tokens() {
    let failing = Blacklist::Failing("database not open".to_owned());
    let emulator = guarded().blacklist(failing).start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    for target in ["/jobs", "/claude/status"] {
        let refused = with(&emulator, &access, "GET", target, "").await;
        assert_eq!(refusal(&refused), (503, "auth backend unavailable".to_owned()));
    }
    let refused = with(&emulator, &refresh, "GET", "/jobs", "").await;
    assert_eq!(refused.status, 401);
    assert_eq!(with(&emulator, API_TOKEN, "GET", "/jobs", "").await.status, 200);
    // Nothing to look up.
    let nameless = signed(&json!({"alg": "HS256"}), &json!({"exp": 4_000_000_000_u64}), SECRET);
    assert_eq!(with(&emulator, &nameless, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn without_a_store_every_access_token_is_let_in() {
    let emulator = guarded().blacklist(Blacklist::Absent).start().await.unwrap();
    let (access, _) = pair(&emulator).await;
    assert_eq!(with(&emulator, &access, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn without_a_secret_there_are_no_jwts() {
    let emulator = Emulator::builder().api_token(API_TOKEN).start().await.unwrap();
    let empty = signed(&json!({"alg": "HS256"}), &json!({"exp": 4_000_000_000_u64}), "");
    assert_eq!(with(&emulator, &empty, "GET", "/jobs", "").await.status, 401);
    assert_eq!(with(&emulator, API_TOKEN, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn authentication_is_on_when_there_is_a_token_or_when_it_is_asked_for() {
    let statuses = [
        (Emulator::builder(), 200),
        (Emulator::builder().api_token("t"), 401),
        (Emulator::builder().jwt_secret(SECRET), 401),
        (Emulator::builder().auth(true), 401),
        (guarded().auth(false), 200),
    ];
    for (builder, status) in statuses {
        let emulator = builder.start().await.unwrap();
        assert_eq!(get(&emulator, "/jobs").await.status, status);
    }
}

#[tokio::test]
async fn a_secret_that_the_server_would_not_start_with_is_refused() {
    let short = "0123456789abcdef0123456789abcde";
    let placeholders = [
        "generate-with-openssl-rand-base64-32",
        " Insecure-Secret-Do-Not-Use-In-Prod\n",
    ];
    for secret in ["", short, placeholders[0], placeholders[1]] {
        let error = Emulator::builder().jwt_secret(secret).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{secret}");
        assert!(error.to_string().contains("JWT secret"), "{error}");
        assert!(secret.is_empty() || !error.to_string().contains(secret), "{error}");
        // Nobody relies on it.
        Emulator::builder()
            .jwt_secret(secret)
            .auth(false)
            .start()
            .await
            .unwrap();
        let old = Emulator::builder().dialect(Dialect::V0_4_3).auth(true);
        old.jwt_secret(secret).start().await.unwrap();
    }
    for builder in [
        guarded().jwt_expiry(Duration::ZERO),
        guarded().jwt_refresh_expiry(Duration::ZERO),
    ] {
        assert_eq!(builder.start().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
