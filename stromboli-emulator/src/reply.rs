//! The responses: JSON, text, and the error bodies, by the names WIRE.md gives to their kinds.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::json;

// Checked by the compiler, so that no answer checks its letters again.
static JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
static TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A body of that type.
pub(crate) fn with_type(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// `value` as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match json::to_string(value) {
        Ok(body) => with_type(status, JSON.clone(), Body::from(body)),
        Err(_) => server_panic(),
    }
}

/// Kind A, `{"error":"…"}`.
pub(crate) fn plain_error(status: StatusCode, error: &str) -> Response {
    #[derive(Serialize)]
    struct Plain<'a> {
        error: &'a str,
    }
    json(status, &Plain { error })
}

/// Kind B, `{"id":"","status":"error","error":"…"}`.
pub(crate) fn run_error(status: StatusCode, error: &str) -> Response {
    #[derive(Serialize)]
    struct RunError<'a> {
        id: &'static str,
        status: &'static str,
        error: &'a str,
    }
    let body = RunError {
        id: "",
        status: "error",
        error,
    };
    json(status, &body)
}

/// Kind E, the bare text.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response {
    with_type(status, TEXT.clone(), Body::from(text))
}

/// Server-sent events.
pub(crate) fn event_stream(events: Body) -> Response {
    let mut response = with_type(StatusCode::OK, HeaderValue::from_static("text/event-stream"), events);
    response.headers_mut().extend([
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONNECTION, HeaderValue::from_static("keep-alive")),
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ]);
    response
}

/// No such route, or not with this method.
pub(crate) fn not_found() -> Response {
    // Without a charset, unlike every other text.
    let bare = HeaderValue::from_static("text/plain");
    with_type(StatusCode::NOT_FOUND, bare, Body::from("404 page not found"))
}

/// The way from a path with a trailing slash to the route without it.
pub(crate) fn redirect(method: &Method, location: &str) -> Response {
    let Ok(target) = HeaderValue::from_str(location) else {
        return not_found();
    };
    let mut response = if method == Method::GET {
        let link = location.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let link = link.replace('"', "&#34;").replace('\'', "&#39;");
        let body = format!("<a href=\"{link}\">Moved Permanently</a>.\n\n");
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        with_type(StatusCode::MOVED_PERMANENTLY, html, Body::from(body))
    } else {
        let mut bare = Response::new(Body::empty());
        *bare.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        bare
    };
    response.headers_mut().insert(LOCATION, target);
    response
}

/// What a handler that panicked leaves: 500 and no body.
pub(crate) fn server_panic() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
