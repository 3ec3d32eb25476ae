//! What a fault makes of an answer before it is written: status, headers, body.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::fault::{Fault, Moment};
use crate::outlet::Outlet;
use crate::reply;

use super::Broken;
use super::head::header;

/// The answer of that status. Before executing it has the words of a server that refuses, if it has such; after that
/// nobody may take it for one.
pub(crate) fn status(status: u16, moment: Moment) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_informational() || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) {
        let mut bare = Response::new(Body::empty());
        *bare.status_mut() = status;
        return bare;
    }
    let in_words = status.canonical_reason().unwrap_or("injected fault").to_lowercase();
    let refused = match (moment, status) {
        (Moment::AfterExecuting, _) => None,
        (_, StatusCode::UNAUTHORIZED) => Some("invalid or expired token"),
        (_, StatusCode::TOO_MANY_REQUESTS) => Some("rate limit exceeded"),
        (_, StatusCode::SERVICE_UNAVAILABLE) => Some("auth backend unavailable"),
        _ => None,
    };
    reply::plain_error(status, refused.unwrap_or(&in_words))
}

/// Gives `response` the headers and the body of `fault`, and leaves it to be written by hand if hyper would not.
pub(crate) fn dress(response: &mut Response, fault: Arc<Fault>, request: &Parts) {
    if let Some(body) = &fault.body {
        *response.body_mut() = Body::from(body.clone());
    }
    // Only streams of agents have one.
    let is_endless = fault.body.is_none() && response.extensions().get::<Outlet>().is_some();
    let headers = response.headers_mut();
    for (name, value) in &fault.headers {
        // What can be no header is put in when the head is written.
        match header(name, value.as_deref()) {
            Ok((name, Some(value))) => drop(headers.insert(name, value)),
            Ok((name, None)) => drop(headers.remove(name)),
            Err(()) => {}
        }
    }
    if Broken::is_needed(&fault) {
        response.extensions_mut().insert(Broken {
            fault,
            version: request.version,
            is_head: request.method == Method::HEAD,
            is_endless,
        });
    }
}
