//! `POST /auth/token`, `POST /auth/refresh`, `GET /auth/validate` and `POST /auth/logout`.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::auth::{access_claims, bearer, refresh_claims};
use crate::decode::{self, Kind, Record};
use crate::dialect::Dialect;
use crate::jwt::{self, Claims};
use crate::reply::{self, plain_error};
use crate::state::State;

static TOKEN_REQUEST: Record = Record {
    package: "api",
    name: "TokenRequest",
    fields: &[("client_id", Kind::Text)],
};

static REFRESH_REQUEST: Record = Record {
    package: "api",
    name: "RefreshRequest",
    fields: &[("refresh_token", Kind::Text)],
};

/// What a handler answers in the place of its result.
type Refused = Box<Response>;

/// Tokens for a client, which the middleware has let in.
pub(super) fn token(state: &State, body: &[u8]) -> Result<Response, Refused> {
    let secret = secret(state)?;
    let client = required_text(body, &TOKEN_REQUEST, "client_id", "ClientID")?;
    tokens(state, secret, &client)
}

/// New tokens for the subject of a refresh token, which stays valid.
pub(super) fn refresh(state: &State, body: &[u8]) -> Result<Response, Refused> {
    let secret = secret(state)?;
    let token = required_text(body, &REFRESH_REQUEST, "refresh_token", "RefreshToken")?;
    let claims = refresh_claims(state, &token)
        .ok_or_else(|| refused((StatusCode::UNAUTHORIZED, "invalid or expired refresh token")))?;
    tokens(state, secret, &claims.sub)
}

/// What a token says, logged out or not.
pub(super) fn validate(state: &State, headers: &HeaderMap) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Valid<'a> {
        valid: bool,
        #[serde(skip_serializing_if = "str::is_empty")]
        subject: &'a str,
        expires_at: i64,
    }
    secret(state)?;
    let token = bearer(headers).map_err(refused)?;
    let claims = access_claims(state, &token).map_err(refused)?;
    // The server does not expect a token without, and panics.
    let expires_at = claims.exp.ok_or_else(|| Box::new(reply::server_panic()))?;
    let valid = Valid {
        valid: true,
        subject: &claims.sub,
        expires_at: expires_at as i64,
    };
    Ok(reply::json(StatusCode::OK, &valid))
}

/// Logs an access token out, and not the refresh token that came with it.
pub(super) fn logout(state: &State, headers: &HeaderMap) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct LoggedOut {
        success: bool,
        message: &'static str,
    }
    let unavailable = |error: &str| Box::new(plain_error(StatusCode::SERVICE_UNAVAILABLE, error));
    secret(state)?;
    // Before 0.5.0 the server said that all was well.
    let tells = state.settings.dialect >= Dialect::V0_5_7;
    if tells && !state.logged_out.exists() {
        return Err(unavailable("token blacklist not configured"));
    }
    let token = bearer(headers).map_err(refused)?;
    let claims = access_claims(state, &token).map_err(refused)?;
    if claims.jti.is_empty() {
        return Err(refused((StatusCode::BAD_REQUEST, "token does not have a JTI claim")));
    }
    let expires = claims.exp.ok_or_else(|| Box::new(reply::server_panic()))?;
    let kept = state
        .logged_out
        .insert(&claims.jti, expires as i64, state.clock.timestamp());
    if let Err(error) = kept
        && tells
    {
        return Err(unavailable(&format!("failed to invalidate token: {error}")));
    }
    let done = LoggedOut {
        success: true,
        message: "token invalidated",
    };
    Ok(reply::json(StatusCode::OK, &done))
}

fn refused((status, text): (StatusCode, &str)) -> Refused {
    Box::new(plain_error(status, text))
}

fn secret(state: &State) -> Result<&str, Refused> {
    let secret = state.settings.jwt_secret.as_deref();
    secret.ok_or_else(|| refused((StatusCode::SERVICE_UNAVAILABLE, "JWT authentication not configured")))
}

/// The only field of a body, which may not be empty; `go_name` is what Go calls it.
fn required_text(body: &[u8], record: &Record, field: &str, go_name: &str) -> Result<String, Refused> {
    let invalid = |error: String| refused((StatusCode::BAD_REQUEST, &format!("invalid request: {error}")));
    let mut fields = decode::decode(body, record).map_err(invalid)?;
    decode::require(&fields, record, &[(field, go_name)]).map_err(invalid)?;
    Ok(fields.take_text(field))
}

/// A pair of tokens for `subject`.
fn tokens(state: &State, secret: &str, subject: &str) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Tokens {
        access_token: String,
        refresh_token: String,
        token_type: &'static str,
        expires_in: u64,
    }
    let issued = state.clock.timestamp();
    let signed = |lifetime: Duration, is_refresh| {
        let expires = issued.checked_add(lifetime).unwrap_or(jiff::Timestamp::MAX);
        let claims = Claims {
            sub: subject.to_owned(),
            exp: Some(expires.as_second() as f64),
            nbf: None,
            iat: Some(issued.as_second() as f64),
            jti: state.random_uuid(),
            is_refresh,
        };
        jwt::sign(&claims, secret)
    };
    let failed = |kind| {
        let text = format!("failed to generate {kind} token");
        Box::new(plain_error(StatusCode::INTERNAL_SERVER_ERROR, &text))
    };
    let tokens = Tokens {
        access_token: signed(state.settings.jwt_expiry, false).ok_or_else(|| failed("access"))?,
        refresh_token: signed(state.settings.jwt_refresh_expiry, true).ok_or_else(|| failed("refresh"))?,
        token_type: "bearer",
        expires_in: state.settings.jwt_expiry.as_secs(),
    };
    Ok(reply::json(StatusCode::OK, &tokens))
}
