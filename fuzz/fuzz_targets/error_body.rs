//! What a response that is no success becomes: the server's own words, whatever body they stand in, and no doubt less
//! than there is.
//!
//! Input: a byte each for the status, the operation and the content type, and the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value};
use stromboli::{Error, ErrorKind};

#[path = "../common/answer.rs"]
mod answer;

const OPERATIONS: [&str; 8] = [
    "run_sync",
    "run_stream",
    "agent_send",
    "secret_create",
    "image_pull",
    "image_get",
    "job_get",
    "unknown",
];
const CONTENT_TYPES: [&str; 4] = ["application/json", "text/plain; charset=utf-8", "text/html", ""];
/// As much of a body as an error keeps.
const KEPT: usize = 64 * 1024;

fuzz_target!(|input: &[u8]| {
    let [status, operation, content_type, body @ ..] = input else {
        return;
    };
    let status = 300 + u16::from(*status);
    let operation = OPERATIONS[usize::from(*operation) % OPERATIONS.len()];
    let content_type = CONTENT_TYPES[usize::from(*content_type) % CONTENT_TYPES.len()];
    let mut response = http::Response::new(body.to_vec());
    *response.status_mut() = status.try_into().expect("it is between 300 and 555");
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));

    let error = answer::error(operation, response);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
    assert_eq!(error.body(), &body[..body.len().min(KEPT)]);
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.retry_after(), None);

    let words = words(content_type, body);
    let says_more = matches!(error.kind(), ErrorKind::Redirect | ErrorKind::Unsupported);
    if let Some(words) = &words
        && !says_more
    {
        assert_eq!(error.message(), words);
    }
    assert!(!error.message().is_empty());
    let may_have_executed = match (operation, status) {
        ("image_get" | "job_get", _) => false,
        (_, 303 | 408) => true,
        (_, 300..500) => false,
        (_, 500 | 503) => !words.as_deref().is_some_and(is_refusal),
        _ => true,
    };
    assert_eq!(error.may_have_executed(), may_have_executed);
    shown_as_one_line(&error);
});

/// The words by the rules of the wire, read slowly.
fn words(content_type: &str, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok();
    if let Some(object) = serde_json::from_slice::<Map<String, Value>>(body).ok() {
        let words = ["error", "message"].into_iter().find_map(|name| object.get(name))?;
        return words.as_str().filter(|words| !words.is_empty()).map(str::to_owned);
    }
    let text = text?.trim();
    (content_type.starts_with("text/plain") && !text.is_empty()).then(|| text.to_owned())
}

/// Beginnings of the texts with which a server refuses a run before it starts one.
fn is_refusal(words: &str) -> bool {
    [
        "Claude not configured",
        "auth backend unavailable",
        "invalid timeout duration",
        "image validation failed",
        "session ID is required",
        "invalid session ID",
        "workdir validation failed",
        "volume validation failed",
        "secrets validation failed",
        "lifecycle hooks validation failed",
        "session initialization in progress",
        "agent: not ready to accept input",
    ]
    .into_iter()
    .any(|text| words.starts_with(text))
}

fn shown_as_one_line(error: &Error) {
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(shown.chars().count() < 400, "{shown:?}");
    }
}
