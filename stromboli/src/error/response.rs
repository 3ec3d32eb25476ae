//! How a failed call becomes an [`Error`]: the one function that takes a response, and the one that has none.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use stromboli_generated::DecodeFailure;

use super::{BODY_TIME, Error, ErrorKind, MAX_BODY};
use crate::operation::{Effect, Operation, named};
use crate::timeouts::seconds;
use crate::transport::{Failure, Sent};

/// Beginnings of the texts with which a server refuses a run before it starts one, although it answers 500 or 503
/// (WIRE §3, §6).
const REFUSED_BEFORE_EXECUTION: [&str; 12] = [
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
];
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
            Raw::UnexpectedResponse(response) => from_response(&named(operation), response).await,
            Raw::CommunicationError(e) | Raw::ResponseBodyError(e) | Raw::InvalidUpgrade(e) => {
                without_response(&named(operation), e, Sent::ONCE)
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
pub(crate) async fn from_response(operation: &Operation, mut response: Response) -> Error {
    if let Some(error) = response.extensions_mut().remove::<Failure>().and_then(Failure::take) {
        return error;
    }
    let sent = response.extensions().get().copied().unwrap_or(Sent::ONCE);
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let failure = response.extensions_mut().remove::<DecodeFailure>();
    let body = read_bounded(response).await;
    let words = server_words(&headers, &body);
    let (kind, message) = match &failure {
        Some(failure) => undecoded(failure),
        None => by_status(operation, status, words.as_deref(), &headers),
    };
    let executed = sent.may_have_executed || !refused(status, words.as_deref());
    let mut error = Error::new(kind, message)
        .sent(
            operation.id,
            sent.attempts,
            executed && operation.effect != Effect::Read,
        )
        .with_response(status, headers, &body);
    error.0.retry_after = retry_after(error.headers(), SystemTime::now());
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
    let message = match failure {
        DecodeFailure::TimedOut => "response was not complete within its time".to_owned(),
        DecodeFailure::Body(e) if e.is_timeout() => "response was not complete within its time".to_owned(),
        DecodeFailure::Body(_) => "connection ended in the middle of the response".to_owned(),
        DecodeFailure::TooLarge { limit } => {
            format!("response is larger than {limit} bytes, see ClientBuilder::max_response_bytes")
        }
        DecodeFailure::Json(e) => without_values(e),
    };
    (kind_of_body(failure), message)
}

/// What is wrong with the body of a successful response.
pub(crate) fn kind_of_body(failure: &DecodeFailure) -> ErrorKind {
    match failure {
        DecodeFailure::TimedOut => ErrorKind::Timeout,
        DecodeFailure::Body(e) if e.is_timeout() => ErrorKind::Timeout,
        DecodeFailure::Body(_) => ErrorKind::Truncated,
        DecodeFailure::TooLarge { .. } => ErrorKind::TooLarge,
        DecodeFailure::Json(_) => ErrorKind::Decode,
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
    status: StatusCode,
    words: Option<&str>,
    headers: &HeaderMap,
) -> (ErrorKind, String) {
    let reason = || {
        status
            .canonical_reason()
            .unwrap_or("unknown status")
            .to_ascii_lowercase()
    };
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
    let kind = match (status.as_u16(), operation.id) {
        (404, _) if unknown_route && operation.since.is_some() => {
            let since = operation.since.unwrap_or_default();
            return (
                ErrorKind::Unsupported,
                format!("server does not know the operation, which needs {since} or newer"),
            );
        }
        (404, "image_get") => ErrorKind::ImageNotFound,
        (400, "secret_create" | "secret_get" | "secret_delete") if refuses_name(&message) => {
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
        (500..600, _) => ErrorKind::Internal,
        // Neither an interim status nor one that HTTP does not know is a failure of the server's.
        _ => ErrorKind::Decode,
    };
    (kind, message)
}

/// Whether these words of the server's are about the name of a secret, and not about its value (WIRE §9).
fn refuses_name(words: &str) -> bool {
    words
        .split_once("validation error")
        .is_some_and(|(_, what)| !what.contains("value"))
}

/// Whether the status, or the server's words with it, say that nothing was carried out.
pub(crate) fn refused(status: StatusCode, words: Option<&str>) -> bool {
    match status.as_u16() {
        // A 303 answers what was done, and a 408 may come from a proxy whose upstream went on.
        303 | 408 => false,
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
pub(crate) fn server_words(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body);
    if let Ok(Ok(Value::Object(object))) = text.map(stromboli_generated::json) {
        let words = object.get("error").or_else(|| object.get("message"))?.as_str()?;
        return Some(words.to_owned()).filter(|w| !w.is_empty());
    }
    if let Some(words) = cut_words(body) {
        return Some(words);
    }
    let text = text.ok()?.trim();
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
    if body.len() < MAX_BODY || !body.starts_with(b"{") {
        return None;
    }
    let at = body.windows(KEY.len()).position(|bytes| bytes == KEY)?;
    let value = body.get(at + KEY.len()..)?;
    // The end may be in the middle of a character or of an escape, which has six bytes at most.
    (0..7).find_map(|cut| {
        let closed = [value.get(..value.len().checked_sub(cut)?)?, b"\""].concat();
        match stromboli_generated::json(std::str::from_utf8(&closed).ok()?) {
            Ok(Value::String(words)) => Some(words),
            _ => None,
        }
    })
}

/// The wait that a response asks for: `retry-after-ms`, or `Retry-After` in seconds, with a fraction, or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    if let Some(wait) = text("retry-after-ms").and_then(|ms| Some(seconds(ms)? / 1000)) {
        return Some(wait);
    }
    let value = text(RETRY_AFTER.as_str())?;
    seconds(value).or_else(|| {
        let at = httpdate::parse_http_date(value).ok()?;
        Some(at.duration_since(now).unwrap_or_default())
    })
}

/// An error that came instead of a response.
pub(crate) fn without_response(operation: &Operation, error: reqwest::Error, sent: Sent) -> Error {
    let url = error.url().map(|url| url.origin().ascii_serialization());
    let origin = url.as_deref().unwrap_or("the server");
    let kind = kind_without_response(&error);
    let message = match kind {
        ErrorKind::InvalidInput => "request could not be built".to_owned(),
        ErrorKind::Tls => format!("TLS with {origin} could not be set up"),
        ErrorKind::Connect => no_connection(origin),
        ErrorKind::Timeout => format!("{origin} did not answer within the call's time"),
        _ => format!("connection to {origin} broke before the response"),
    };
    let left = matches!(kind, ErrorKind::Timeout | ErrorKind::Connection);
    let attempts = if error.is_builder() { 0 } else { sent.attempts };
    let executed = (left || sent.may_have_executed) && operation.effect != Effect::Read;
    // The URL holds the prompt of `/run/stream`.
    Error::new(kind, message)
        .with_source(error.without_url())
        .sent(operation.id, attempts, executed)
}

/// What prevented a response.
pub(crate) fn kind_without_response(error: &reqwest::Error) -> ErrorKind {
    if error.is_builder() {
        ErrorKind::InvalidInput
    } else if error.is_connect() && is_tls(error) {
        ErrorKind::Tls
    } else if error.is_connect() {
        ErrorKind::Connect
    } else if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Connection
    }
}

/// What to look at when there is no connection.
fn no_connection(origin: &str) -> String {
    const HAS_TLS: bool = cfg!(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ));
    if origin.starts_with("https:") && !HAS_TLS {
        return format!("no connection to {origin}, stromboli was built without a feature for TLS");
    }
    format!("no connection to {origin}, is a server listening there, or a proxy in the way?")
}

/// Rustls reports a failed handshake as an I/O error of invalid data, within others; native-tls by an error of its own.
pub(crate) fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        #[cfg(feature = "native-tls")]
        if current.is::<native_tls::Error>() {
            return true;
        }
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
mod tests;
