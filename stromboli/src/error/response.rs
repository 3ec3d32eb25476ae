//! How a failed call becomes an [`Error`]: the one function that takes a response, and the one that has none.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use stromboli_generated::DecodeFailure;

use super::{BODY_TIME, Error, ErrorKind, MAX_BODY};
use crate::operation::{Effect, Operation, find};

/// Beginnings of the texts with which a server refuses a run before it starts one, although it answers 500 or 503
/// (WIRE §3, §6).
const REFUSED_BEFORE_EXECUTION: [&str; 11] = [
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
];
/// The longest URL that the HTTP client can send, in bytes; of all that this crate sends, only a prompt can be as long.
const MAX_URL: usize = 65_534;
/// Go's answer for a path or a method that it does not know (WIRE §2).
const UNKNOWN_ROUTE: &str = "404 page not found";

impl Error {
    /// Makes this crate's error of one that a call of [`Client::raw`](crate::Client::raw) returned.
    ///
    /// It reads the response's body, hence `async`.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let jobs = client.raw().jobs_list().await;
    /// let jobs = match jobs {
    ///     Ok(jobs) => jobs.into_inner(),
    ///     Err(e) => return Err(stromboli::Error::from_raw("jobs_list", e).await),
    /// };
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_raw<E>(operation: &'static str, error: stromboli_generated::Error<E>) -> Self {
        use stromboli_generated::Error as Raw;
        match error {
            Raw::UnexpectedResponse(response) => from_response(find(operation), operation, response).await,
            Raw::CommunicationError(e) | Raw::ResponseBodyError(e) | Raw::InvalidUpgrade(e) => {
                without_response(operation, e)
            }
            Raw::InvalidRequest(message) | Raw::Custom(message) => Self::new(ErrorKind::InvalidInput, message),
            // The generated code keeps the response in the cases above, and has no typed errors.
            Raw::ErrorResponse(response) => Self::new(ErrorKind::Decode, "response was not expected")
                .sent(operation, 1, true)
                .with_response(response.status(), response.headers().clone(), b""),
            Raw::InvalidResponsePayload(body, e) => Self::new(ErrorKind::Decode, without_values(&e))
                .sent(operation, 1, true)
                .with_response(StatusCode::OK, HeaderMap::new(), &body),
        }
    }
}

/// Every error that a response caused is made here.
pub(crate) async fn from_response(operation: &Operation, id: &'static str, mut response: Response) -> Error {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let failure = response.extensions_mut().remove::<DecodeFailure>();
    let body = read_bounded(response).await;
    let words = server_words(&headers, &body);
    let (kind, message) = match &failure {
        Some(failure) => undecoded(failure),
        None => by_status(operation, id, status, words.as_deref(), &headers),
    };
    let executed = operation.effect != Effect::Read && !refused(status, words.as_deref());
    let mut error = Error::new(kind, message)
        .sent(id, 1, executed)
        .with_response(status, headers, &body);
    error.0.retry_after = retry_after(error.headers(), Timestamp::now());
    match failure {
        Some(DecodeFailure::Body(source)) => error.with_source(source),
        _ => error,
    }
}

/// As much of the body as an error keeps. What breaks the body off is of no interest: the status is what failed.
async fn read_bounded(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let _ = tokio::time::timeout(BODY_TIME, async {
        while body.len() < MAX_BODY {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(chunk.get(..MAX_BODY - body.len()).unwrap_or(&chunk)),
                Ok(None) | Err(_) => break,
            }
        }
    })
    .await;
    body
}

fn undecoded(failure: &DecodeFailure) -> (ErrorKind, String) {
    match failure {
        DecodeFailure::Body(e) if e.is_timeout() => (
            ErrorKind::Timeout,
            "response was not complete within its time".to_owned(),
        ),
        DecodeFailure::Body(_) => (
            ErrorKind::Truncated,
            "connection ended in the middle of the response".to_owned(),
        ),
        DecodeFailure::TooLarge { limit } => (
            ErrorKind::TooLarge,
            format!("response is larger than {limit} bytes, see ClientBuilder::max_response_bytes"),
        ),
        DecodeFailure::Json(e) => (ErrorKind::Decode, without_values(e)),
    }
}

/// What serde found wrong, without the value that it found: that may be a token.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let at = format!("line {} column {}", error.line(), error.column());
    match (text.split_once(": "), text.rsplit_once(", expected ")) {
        (Some((what, _)), Some((_, expected))) => format!("response is not as promised: {what}, expected {expected}"),
        _ if error.is_data() && text.contains("missing field") => format!("response is not as promised: {text}"),
        _ if error.is_data() => format!("response is not as promised at {at}"),
        _ => format!("response is not valid JSON at {at}"),
    }
}

fn by_status(
    operation: &Operation,
    id: &str,
    status: StatusCode,
    words: Option<&str>,
    headers: &HeaderMap,
) -> (ErrorKind, String) {
    let reason = || status.canonical_reason().unwrap_or("unknown status").to_lowercase();
    let message = words.map_or_else(reason, str::to_owned);
    if status.is_redirection() {
        let to = headers
            .get(LOCATION)
            .and_then(|l| l.to_str().ok())
            .and_then(|l| reqwest::Url::parse(l).ok());
        let to = to.map_or_else(String::new, |url| format!(" to {}", url.origin().ascii_serialization()));
        return (
            ErrorKind::Redirect,
            format!("server redirects{to}, use the URL it really listens at"),
        );
    }
    if status.is_success() {
        return (
            ErrorKind::Decode,
            format!("success status {} is not the one promised", status.as_u16()),
        );
    }
    let unknown_route = words == Some(UNKNOWN_ROUTE);
    let kind = match (status.as_u16(), id) {
        (404, _) if unknown_route && operation.since.is_some() => {
            let since = operation.since.unwrap_or_default();
            return (
                ErrorKind::Unsupported,
                format!("server does not know the operation, which needs {since} or newer"),
            );
        }
        (404, "image_get") => ErrorKind::ImageNotFound,
        (400, "secret_create" | "secret_get" | "secret_delete") if message.contains("validation error") => {
            ErrorKind::InvalidSecretName
        }
        (409, "secret_create") => ErrorKind::SecretExists,
        (409, "agent_send") => ErrorKind::AgentBusy,
        (410, "agent_send") => ErrorKind::AgentExited,
        (500, "image_pull") => ErrorKind::ImagePullFailed,
        (500, "run_sync") if message.starts_with("execution failed") => ErrorKind::AgentFailed,
        (401, _) => ErrorKind::Unauthorized,
        (403, _) => ErrorKind::Forbidden,
        (404 | 410, _) => ErrorKind::NotFound,
        (408 | 504, _) => ErrorKind::Timeout,
        (409, _) => ErrorKind::Conflict,
        (413 | 414 | 431, _) => ErrorKind::TooLarge,
        (429, _) => ErrorKind::RateLimited,
        (502 | 503, _) => ErrorKind::Unavailable,
        (400..500, _) => ErrorKind::BadRequest,
        _ => ErrorKind::Internal,
    };
    (kind, message)
}

/// Whether the status, or the server's words with it, say that nothing was carried out.
fn refused(status: StatusCode, words: Option<&str>) -> bool {
    match status.as_u16() {
        // A 408 may come from a proxy whose upstream went on.
        408 => false,
        300..500 => true,
        500 | 503 => words.is_some_and(refused_before_execution),
        _ => false,
    }
}

/// Whether these words of the server's mean that it started no run.
pub(crate) fn refused_before_execution(words: &str) -> bool {
    REFUSED_BEFORE_EXECUTION.iter().any(|text| words.starts_with(text))
}

/// The server's own words, in whichever of the five kinds of error body they stand (WIRE §2): `error` of a JSON object,
/// or the text itself.
fn server_words(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
        let words = object.get("error").or_else(|| object.get("message"))?.as_str()?;
        return Some(words.to_owned()).filter(|w| !w.is_empty());
    }
    if let Some(words) = cut_words(body) {
        return Some(words);
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let is_text = content_type.starts_with("text/plain") && !text.is_empty();
    is_text.then(|| text.to_owned())
}

/// The words of a JSON object that was too long to be kept whole: a failed run's go on with all that it printed.
fn cut_words(body: &[u8]) -> Option<String> {
    const KEY: &[u8] = br#""error":"#;
    let at = memchr::memmem::find(body, KEY).filter(|_| body.len() >= MAX_BODY && body.starts_with(b"{"))?;
    let value = body.get(at + KEY.len()..)?;
    // The end may be in the middle of a character or of an escape, which has six bytes at most.
    (0..7).find_map(|cut| {
        let closed = [value.get(..value.len().checked_sub(cut)?)?, b"\""].concat();
        serde_json::from_slice::<String>(&closed).ok()
    })
}

/// The wait that a response asks for: `retry-after-ms`, or `Retry-After` in seconds, with a fraction, or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    if let Some(wait) = text("retry-after-ms").and_then(|ms| Some(seconds(ms)? / 1000)) {
        return Some(wait);
    }
    let value = text(RETRY_AFTER.as_str())?;
    seconds(value).or_else(|| {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
    })
}

/// An error that came instead of a response.
pub(crate) fn without_response(id: &'static str, error: reqwest::Error) -> Error {
    let origin = error
        .url()
        .map_or_else(|| "the server".to_owned(), |url| url.origin().ascii_serialization());
    let may_have_executed = find(id).effect != Effect::Read;
    let url_length = error.url().map_or(0, |url| url.as_str().len());
    let (kind, message, may_have_executed) = if error.is_builder() && url_length > MAX_URL {
        let message =
            format!("URL with the prompt has {url_length} bytes, the most is {MAX_URL}, so use `run` or `start`");
        (ErrorKind::TooLarge, message, false)
    } else if error.is_builder() {
        (ErrorKind::InvalidInput, "request could not be built".to_owned(), false)
    } else if error.is_connect() && is_tls(&error) {
        (ErrorKind::Tls, format!("TLS with {origin} could not be set up"), false)
    } else if error.is_connect() {
        (
            ErrorKind::Connect,
            format!("no connection to {origin}, is a server listening there?"),
            false,
        )
    } else if error.is_timeout() {
        (
            ErrorKind::Timeout,
            format!("{origin} did not answer within the call's time"),
            may_have_executed,
        )
    } else {
        (
            ErrorKind::Connection,
            format!("connection to {origin} broke before the response"),
            may_have_executed,
        )
    };
    let attempts = u32::from(!error.is_builder());
    // The URL holds the prompt of `/run/stream`.
    Error::new(kind, message)
        .with_source(error.without_url())
        .sent(id, attempts, may_have_executed)
}

/// TLS libraries report a failed handshake as an I/O error of invalid data, within others.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        let mut io = current.downcast_ref::<io::Error>();
        while let Some(error) = io {
            if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
                return true;
            }
            io = error.get_ref().and_then(|inner| inner.downcast_ref());
        }
        cause = current.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_servers_words_are_found_in_every_kind_of_body() {
        let json = headers(&[("content-type", "application/json; charset=utf-8")]);
        let text = headers(&[("content-type", "text/plain")]);
        for (headers, body, words) in [
            (&json, r#"{"error":"job not found"}"#, Some("job not found")),
            (&json, r#"{"id":"","status":"error","error":"no"}"#, Some("no")),
            (&json, r#"{"success":false,"error":"no","name":"x"}"#, Some("no")),
            (&json, r#"{"sessions":null,"error":"no"}"#, Some("no")),
            (&text, "404 page not found\n", Some("404 page not found")),
            (&json, "<html>", None),
            (&headers(&[("content-type", "text/html")]), "<html>", None),
            (&json, "", None),
            (&json, r#"{"error":7}"#, None),
        ] {
            assert_eq!(server_words(headers, body.as_bytes()).as_deref(), words, "{body}");
        }
        assert_eq!(server_words(&text, b"\xff\xfe"), None);
    }

    #[test]
    fn words_that_were_cut_off_are_found_wherever_the_cut_is() {
        let json = headers(&[("content-type", "application/json")]);
        let whole = format!(
            r#"{{"id":"","status":"error","error":"execution failed: \\ {}"}}"#,
            r"\u00e9\n é".repeat(20_000)
        );
        for cut in MAX_BODY..MAX_BODY + 20 {
            let words = server_words(&json, &whole.as_bytes()[..cut]).unwrap();
            assert!(words.starts_with("execution failed: \\ é\n é"), "{cut}");
        }
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let now: Timestamp = "2026-05-06T12:00:00Z".parse().unwrap();
        for (pairs, wait) in [
            (vec![("retry-after", "3")], Some(Duration::from_secs(3))),
            (vec![("retry-after", "0.5")], Some(Duration::from_millis(500))),
            (
                vec![("retry-after-ms", "250"), ("retry-after", "3")],
                Some(Duration::from_millis(250)),
            ),
            (
                vec![("retry-after", "Wed, 06 May 2026 12:00:30 GMT")],
                Some(Duration::from_secs(30)),
            ),
            (
                vec![("retry-after", "Wed, 06 May 2026 11:00:00 GMT")],
                Some(Duration::ZERO),
            ),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "NaN")], None),
            (vec![("retry-after", "1e300")], None),
            (vec![("retry-after", "soon")], None),
            (vec![], None),
        ] {
            assert_eq!(retry_after(&headers(&pairs), now), wait, "{pairs:?}");
        }
    }

    #[test]
    fn nothing_is_said_to_be_unexecuted_unless_the_server_said_so() {
        let refused = |status, words| super::refused(StatusCode::from_u16(status).unwrap(), words);
        for status in [400, 401, 404, 409, 410, 422, 429, 431, 301] {
            assert!(refused(status, None), "{status}");
        }
        for status in [200, 408, 500, 502, 503, 504] {
            assert!(!refused(status, None), "{status}");
        }
        assert!(refused(
            503,
            Some("Claude not configured. Run 'make claude-setup' first")
        ));
        assert!(refused(500, Some("workdir validation failed: must be absolute")));
        assert!(!refused(
            500,
            Some("execution failed: exit status 1, output: workdir validation failed")
        ));
        assert!(!refused(502, Some("Claude not configured")));
    }

    #[test]
    fn a_decode_error_does_not_repeat_the_value() {
        let error = serde_json::from_str::<u32>(r#""topsecret""#).unwrap_err();
        assert_eq!(
            without_values(&error),
            "response is not as promised: invalid type, expected u32 at line 1 column 11"
        );
        let error = serde_json::from_str::<Value>("{").unwrap_err();
        assert_eq!(without_values(&error), "response is not valid JSON at line 1 column 1");
    }
}
