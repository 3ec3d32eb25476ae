//! `/auth/token`, `/auth/refresh`, `/auth/validate` and `/auth/logout`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use stromboli_emulator::{Blacklist, Emulator};

use crate::client::{get, is_uuid4, post, request};
use crate::token::{API_TOKEN, SECRET, guarded, of, pair, parts, refusal, signed, with};

const INVALID: &str = "invalid or expired token";
const UNCONFIGURED: &str = "JWT authentication not configured";

#[tokio::test]
async fn a_token_response_has_all_its_fields() {
    let emulator = guarded().start().await.unwrap();
    let response = with(&emulator, API_TOKEN, "POST", "/auth/token", r#"{"client_id":" <ci> "}"#).await;
    let (access, refresh) = of(&response);
    let expected = format!(
        r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"bearer","expires_in":86400}}"#
    );
    assert_eq!((response.status, &response.body), (200, &expected));
    for (token, hours) in [(&access, 24), (&refresh, 168)] {
        let (_, claims) = parts(token);
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, hours * 3600);
    }
    let names = ["content-length", "content-type", "date", "x-request-id"];
    assert_eq!(response.header_names(), names);
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn tokens_claim_their_client_their_times_and_an_id_of_their_own() {
    let builder = guarded().jwt_expiry(Duration::from_millis(60_500));
    let emulator = builder
        .jwt_refresh_expiry(Duration::from_secs(600))
        .start()
        .await
        .unwrap();
    let earliest = Timestamp::now().as_second();
    let body = r#"{"client_id":" <ci> "}"#;
    let response = with(&emulator, API_TOKEN, "POST", "/auth/token", body).await;
    assert_eq!(response.json()["expires_in"], 60);
    let (access, refresh) = of(&response);
    let mut ids = Vec::new();
    for (token, lifetimes, is_refresh) in [(access, 60..=61, false), (refresh, 600..=600, true)] {
        let (header, mut claims) = parts(&token);
        assert_eq!(header, r#"{"alg":"HS256","typ":"JWT"}"#);
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert!((earliest..=Timestamp::now().as_second()).contains(&iat));
        assert!(lifetimes.contains(&(exp - iat)), "{exp} - {iat}");
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert!(is_uuid4(&id), "{id}");
        ids.push(id);
        let rest = claims.as_object_mut().unwrap();
        for name in ["iat", "exp", "jti"] {
            rest.remove(name);
        }
        let expected = if is_refresh {
            json!({"sub": " <ci> ", "is_refresh": true})
        } else {
            json!({"sub": " <ci> "})
        };
        assert_eq!(claims, expected);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn tokens_are_given_for_an_api_token_or_an_access_token() {
    let emulator = guarded().start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    let body = r#"{"client_id":"other"}"#;
    let again = with(&emulator, &access, "POST", "/auth/token", body).await;
    assert_eq!(again.status, 200);
    assert_eq!(parts(&of(&again).0).1["sub"], "other");
    let refused = with(&emulator, &refresh, "POST", "/auth/token", body).await;
    assert_eq!(refusal(&refused), (401, INVALID.to_owned()));
    let open = guarded().auth(false).start().await.unwrap();
    assert_eq!(post(&open, "/auth/token", body).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_as_go_says_it() {
    let emulator = guarded().auth(false).start().await.unwrap();
    let required = |record: &str, field: &str| {
        format!("Key: '{record}.{field}' Error:Field validation for '{field}' failed on the 'required' tag")
    };
    let unmarshal = |what: &str, place: &str| format!("json: cannot unmarshal {what} into Go {place}");
    let cases = [
        ("/auth/token", "", "EOF".to_owned()),
        ("/auth/token", "{}", required("TokenRequest", "ClientID")),
        ("/auth/token", "null", required("TokenRequest", "ClientID")),
        (
            "/auth/token",
            r#"{"client_id":""}"#,
            required("TokenRequest", "ClientID"),
        ),
        (
            "/auth/token",
            r#"{"client_id":1}"#,
            unmarshal("number", "struct field TokenRequest.client_id of type string"),
        ),
        (
            "/auth/token",
            "[]",
            unmarshal("array", "value of type api.TokenRequest"),
        ),
        ("/auth/refresh", "", "EOF".to_owned()),
        ("/auth/refresh", "{}", required("RefreshRequest", "RefreshToken")),
        (
            "/auth/refresh",
            r#"{"refresh_token":[]}"#,
            unmarshal("array", "struct field RefreshRequest.refresh_token of type string"),
        ),
    ];
    for (target, body, text) in cases {
        let refused = post(&emulator, target, body).await;
        assert_eq!(refusal(&refused), (400, format!("invalid request: {text}")), "{body}");
    }
    let kept = r#"{"unknown":1,"Client_ID":"ci"} and more"#;
    assert_eq!(post(&emulator, "/auth/token", kept).await.status, 200);
}

#[tokio::test]
async fn without_a_secret_all_four_are_503_before_anything_else() {
    let emulator = Emulator::start().await.unwrap();
    let expected = (503, UNCONFIGURED.to_owned());
    for (method, target) in [
        ("POST", "/auth/token"),
        ("POST", "/auth/refresh"),
        ("GET", "/auth/validate"),
        ("POST", "/auth/logout"),
    ] {
        let refused = request(&emulator, method, target, "", b"").await;
        assert_eq!(refusal(&refused), expected, "{target}");
    }
    // But not before the middleware.
    let guarded = Emulator::builder().api_token(API_TOKEN).start().await.unwrap();
    assert_eq!(post(&guarded, "/auth/token", "{}").await.status, 401);
    let refused = with(&guarded, API_TOKEN, "POST", "/auth/token", "{}").await;
    assert_eq!(refusal(&refused), expected);
}

#[tokio::test]
async fn a_refresh_token_gives_new_tokens_and_stays_valid() {
    let emulator = guarded().start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    let body = json!({"refresh_token": refresh}).to_string();
    let mut seen = vec![access, refresh.clone()];
    for _ in 0..2 {
        let response = post(&emulator, "/auth/refresh", &body).await;
        let (access, refresh) = of(&response);
        assert_eq!((parts(&access).1["sub"].clone(), response.status), (json!("ci"), 200));
        assert_eq!(response.json()["token_type"], "bearer");
        assert!(!seen.contains(&access) && !seen.contains(&refresh));
        seen.extend([access, refresh]);
    }
    // A new one counts from its own begin.
    emulator.advance_clock(Duration::from_secs(7 * 24 * 60 * 60 - 60));
    let renewed = of(&post(&emulator, "/auth/refresh", &body).await).1;
    emulator.advance_clock(Duration::from_secs(60));
    let expired = post(&emulator, "/auth/refresh", &body).await;
    assert_eq!(refusal(&expired), (401, "invalid or expired refresh token".to_owned()));
    let body = json!({"refresh_token": renewed}).to_string();
    assert_eq!(post(&emulator, "/auth/refresh", body).await.status, 200);
}

#[tokio::test]
async fn only_a_refresh_token_refreshes() {
    let emulator = guarded().start().await.unwrap();
    let (access, _) = pair(&emulator).await;
    for token in [access.as_str(), API_TOKEN, "x"] {
        let body = json!({"refresh_token": token}).to_string();
        let refused = with(&emulator, API_TOKEN, "POST", "/auth/refresh", &body).await;
        assert_eq!(refusal(&refused), (401, "invalid or expired refresh token".to_owned()));
    }
}

#[tokio::test]
async fn validate_says_whose_a_token_is_and_until_when() {
    let emulator = guarded().start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    let response = with(&emulator, &access, "GET", "/auth/validate", "").await;
    let exp = &parts(&access).1["exp"];
    let expected = format!(r#"{{"valid":true,"subject":"ci","expires_at":{exp}}}"#);
    assert_eq!((response.status, response.body), (200, expected));
    let cases = [
        ("", "missing authorization header".to_owned()),
        (
            "Authorization: Basic x\r\n",
            "invalid authorization header format".to_owned(),
        ),
        (
            "Authorization: Bearer\r\n",
            "invalid authorization header format".to_owned(),
        ),
        ("Authorization: Bearer x\r\n", INVALID.to_owned()),
    ];
    for (header, text) in cases {
        let refused = request(&emulator, "GET", "/auth/validate", header, b"").await;
        assert_eq!(refusal(&refused), (401, text), "{header}");
    }
    for token in [API_TOKEN, &refresh] {
        let refused = with(&emulator, token, "GET", "/auth/validate", "").await;
        assert_eq!(refusal(&refused), (401, INVALID.to_owned()));
    }
    emulator.advance_clock(Duration::from_secs(24 * 60 * 60));
    let refused = with(&emulator, &access, "GET", "/auth/validate", "").await;
    assert_eq!(refusal(&refused), (401, INVALID.to_owned()));
}

#[tokio::test]
async fn a_logged_out_token_still_validates_and_its_refresh_token_still_refreshes() {
    let emulator = guarded().start().await.unwrap();
    let (access, refresh) = pair(&emulator).await;
    for _ in 0..2 {
        let out = with(&emulator, &access, "POST", "/auth/logout", "ignored").await;
        let expected = r#"{"success":true,"message":"token invalidated"}"#;
        assert_eq!((out.status, out.body.as_str()), (200, expected));
    }
    assert_eq!(with(&emulator, &access, "GET", "/jobs", "").await.status, 401);
    let valid = with(&emulator, &access, "GET", "/auth/validate", "").await;
    assert_eq!((valid.status, &valid.json()["valid"]), (200, &json!(true)));
    let body = json!({"refresh_token": refresh}).to_string();
    let refreshed = post(&emulator, "/auth/refresh", body).await;
    assert_eq!(refreshed.status, 200);
    let (access, _) = of(&refreshed);
    assert_eq!(with(&emulator, &access, "GET", "/jobs", "").await.status, 200);
}

#[tokio::test]
async fn only_an_access_token_can_be_logged_out() {
    let emulator = guarded().start().await.unwrap();
    let (_, refresh) = pair(&emulator).await;
    for token in [API_TOKEN, &refresh, "x"] {
        let refused = with(&emulator, token, "POST", "/auth/logout", "").await;
        assert_eq!(refusal(&refused), (401, INVALID.to_owned()));
    }
    let refused = request(&emulator, "POST", "/auth/logout", "Authorization: x\r\n", b"").await;
    assert_eq!(
        refusal(&refused),
        (401, "invalid authorization header format".to_owned())
    );
    assert_eq!(with(&emulator, API_TOKEN, "GET", "/jobs", "").await.status, 200);
    let nameless = signed(&json!({"alg": "HS256"}), &json!({"exp": 4_000_000_000_u64}), SECRET);
    let refused = with(&emulator, &nameless, "POST", "/auth/logout", "").await;
    assert_eq!(refusal(&refused), (400, "token does not have a JTI claim".to_owned()));
}

#[tokio::test]
async fn a_logout_that_cannot_be_kept_is_a_503() {
    let emulator = guarded().blacklist(Blacklist::Absent).start().await.unwrap();
    // Before the token is looked at.
    let refused = post(&emulator, "/auth/logout", "").await;
    assert_eq!(refusal(&refused), (503, "token blacklist not configured".to_owned()));

    let failing = Blacklist::Failing("database not open".to_owned());
    let emulator = guarded().blacklist(failing).start().await.unwrap();
    assert_eq!(post(&emulator, "/auth/logout", "").await.status, 401);
    let (access, _) = pair(&emulator).await;
    let refused = with(&emulator, &access, "POST", "/auth/logout", "").await;
    let expected = "failed to invalidate token: database not open".to_owned();
    assert_eq!(refusal(&refused), (503, expected));
}

#[tokio::test]
async fn a_token_that_never_expires_makes_the_server_panic() {
    let emulator = guarded().start().await.unwrap();
    let endless = signed(&json!({"alg": "HS256"}), &json!({"sub": "me", "jti": "mine"}), SECRET);
    assert_eq!(with(&emulator, &endless, "GET", "/jobs", "").await.status, 200);
    for (method, target) in [("GET", "/auth/validate"), ("POST", "/auth/logout")] {
        let response = with(&emulator, &endless, method, target, "").await;
        assert_eq!((response.status, response.body.as_str()), (500, ""), "{target}");
        assert!(response.header("x-request-id").is_some());
    }
    assert_eq!(get(&emulator, "/health").await.status, 200);
}
