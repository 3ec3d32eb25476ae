//! Tokens: how a test gets them from the emulator, reads them, and makes its own.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384};
use stromboli_emulator::{Builder, Emulator};

use crate::client::{Response, request};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const API_TOKEN: &str = "api-token";

/// An emulator that knows [`API_TOKEN`] and signs with [`SECRET`].
pub(crate) fn guarded() -> Builder {
    Emulator::builder().api_token(API_TOKEN).jwt_secret(SECRET)
}

/// A request with this bearer token.
pub(crate) async fn with(emulator: &Emulator, token: &str, method: &str, target: &str, body: &str) -> Response {
    let header = format!("Authorization: Bearer {token}\r\n");
    request(emulator, method, target, &header, body.as_bytes()).await
}

/// The status and the text of an answer of kind A.
pub(crate) fn refusal(response: &Response) -> (u16, String) {
    let json = response.json();
    let error = json["error"].as_str().unwrap().to_owned();
    assert_eq!(json, json!({ "error": error }));
    (response.status, error)
}

/// An access token and a refresh token for the client `ci`.
pub(crate) async fn pair(emulator: &Emulator) -> (String, String) {
    let response = with(emulator, API_TOKEN, "POST", "/auth/token", r#"{"client_id":"ci"}"#).await;
    assert_eq!(response.status, 200, "{}", response.body);
    of(&response)
}

/// The tokens of a response that has some.
pub(crate) fn of(response: &Response) -> (String, String) {
    let json = response.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// The header and the claims of a token.
pub(crate) fn parts(token: &str) -> (String, Value) {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let message = format!("{}.{}", parts[0], parts[1]);
    assert_eq!(token, format!("{message}.{}", hs256(&message, SECRET)));
    let text = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (text(parts[0]), serde_json::from_str(&text(parts[1])).unwrap())
}

/// A token of our own, signed with HMAC-SHA256 whatever its header says.
pub(crate) fn signed(header: &Value, claims: &Value, secret: &str) -> String {
    let message = message(header, claims);
    format!("{message}.{}", hs256(&message, secret))
}

/// A token of our own, as HS384 has it.
pub(crate) fn signed_hs384(claims: &Value) -> String {
    let message = message(&json!({"alg": "HS384", "typ": "JWT"}), claims);
    let mut mac = Hmac::<Sha384>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn hs256(message: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}
