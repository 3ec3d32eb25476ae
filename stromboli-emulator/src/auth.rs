//! Who may use the protected routes: bearer tokens, as WIRE §3 has them.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};

use crate::jwt::{self, Claims};
use crate::state::State;

/// The status and the text with which a request is refused.
type Refusal = (StatusCode, &'static str);

const INVALID: Refusal = (StatusCode::UNAUTHORIZED, "invalid or expired token");

/// Lets a request through that carries an API token or a JWT for access that is not logged out; all of them, when
/// authentication is off.
pub(crate) fn authenticate(state: &State, headers: &HeaderMap) -> Result<(), Refusal> {
    if !state.settings.auth_enabled() {
        return Ok(());
    }
    let token = bearer(headers)?;
    if state.settings.api_tokens.contains(&token) {
        return Ok(());
    }
    let claims = access_claims(state, &token)?;
    if claims.jti.is_empty() {
        return Ok(());
    }
    match state.logged_out.contains(&claims.jti) {
        Some(false) => Ok(()),
        Some(true) => Err((StatusCode::UNAUTHORIZED, "token revoked")),
        None => Err((StatusCode::SERVICE_UNAVAILABLE, "auth backend unavailable")),
    }
}

/// What follows the scheme in the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<String, Refusal> {
    let unauthorized = |text| (StatusCode::UNAUTHORIZED, text);
    let header = headers.get(AUTHORIZATION).filter(|header| !header.is_empty());
    let header = header.ok_or(unauthorized("missing authorization header"))?;
    let header = String::from_utf8_lossy(header.as_bytes());
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.to_owned()),
        _ => Err(unauthorized("invalid authorization header format")),
    }
}

/// The claims of a JWT for access, logged out or not.
pub(crate) fn access_claims(state: &State, token: &str) -> Result<Claims, Refusal> {
    claims(state, token).filter(|claims| !claims.is_refresh).ok_or(INVALID)
}

/// The claims of a JWT for refreshing, if it is one.
pub(crate) fn refresh_claims(state: &State, token: &str) -> Option<Claims> {
    claims(state, token).filter(|claims| claims.is_refresh)
}

fn claims(state: &State, token: &str) -> Option<Claims> {
    let secret = state.settings.jwt_secret.as_deref()?;
    jwt::verify(token, secret, state.clock.timestamp())
}
