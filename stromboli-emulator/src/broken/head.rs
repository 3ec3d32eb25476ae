//! Heads of answers as bytes.

use axum::http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::fault::{Effect, Fault, Flaw};
use crate::server::REQUEST_ID;

/// What hyper writes for a status that has no name.
const NO_REASON: &str = "<none>";

/// How the client knows where the body ends.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    Length(u64),
    Chunks,
    /// It ends with the connection, or there is none.
    None,
}

/// Whether hyper would not write a header so, or wants it to be true.
pub(super) fn is_beyond_hyper((name, value): &(String, Option<String>)) -> bool {
    match header(name, value.as_deref()) {
        // By its id, an answer of ours is told from one of hyper's.
        Ok((name, None)) if name == REQUEST_ID => true,
        Ok((name, _)) => [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING].contains(&name),
        Err(()) => true,
    }
}

/// The head of an informational answer.
pub(super) fn informational(status: u16) -> Vec<u8> {
    let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    format!("HTTP/1.1 {status} {}\r\n\r\n", reason.unwrap_or(NO_REASON)).into_bytes()
}

/// A head in the order and the letter case in which hyper writes it. What `fault` says of a header goes before what the
/// body needs.
pub(super) fn head(version: Version, parts: &Parts, framing: Framing, fault: &Fault) -> Vec<u8> {
    let reason = parts.status.canonical_reason().unwrap_or(NO_REASON);
    let mut head = format!("{version:?} {} {reason}\r\n", parts.status.as_str()).into_bytes();
    let mut put = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    let is_told = |name: &HeaderName| {
        fault
            .headers
            .iter()
            .any(|(told, _)| told.eq_ignore_ascii_case(name.as_str()))
    };
    let is_sound = is_sound(&fault.effect) && !is_told(&CONNECTION);
    for (name, value) in &parts.headers {
        if !(is_sound && *name == CONNECTION) {
            put(&title_case(name), value.as_bytes());
        }
    }
    for (name, value) in &fault.headers {
        if let (Err(_), Some(value)) = (header(name, value.as_deref()), value) {
            put(name, value.as_bytes());
        }
    }
    if is_sound {
        put("Connection", b"close");
    }
    match framing {
        Framing::Length(length) if !is_told(&CONTENT_LENGTH) => put("Content-Length", length.to_string().as_bytes()),
        Framing::Chunks if !is_told(&TRANSFER_ENCODING) => put("Transfer-Encoding", b"chunked"),
        _ => {}
    }
    if !is_told(&DATE)
        && let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now())
    {
        put("Date", date.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A header that can be one.
pub(super) fn header(name: &str, value: Option<&str>) -> Result<(HeaderName, Option<HeaderValue>), ()> {
    let name = HeaderName::try_from(name).map_err(drop)?;
    let value = value.map(HeaderValue::try_from).transpose().map_err(drop)?;
    Ok((name, value))
}

/// Whether the answer comes to a proper end, so that it should say that the connection ends with it.
fn is_sound(effect: &Effect) -> bool {
    let Effect::Answer(flaw) = effect else { return true };
    match flaw {
        Flaw::None | Flaw::PauseBeforeBody(_) | Flaw::PauseBetweenChunks(_) | Flaw::Drip(_) => true,
        Flaw::Http10 | Flaw::Informational(_) | Flaw::EndAfter(_) | Flaw::WithoutEndMarker => true,
        Flaw::Replaced(_) | Flaw::Cut(_) | Flaw::CutBody(_) | Flaw::Length(_) => false,
        Flaw::GarbageChunk(_) | Flaw::CutAfterEndMarker => false,
    }
}

fn title_case(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}
