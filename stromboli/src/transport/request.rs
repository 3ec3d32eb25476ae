//! What a call makes of its request: a copy for each attempt, and the span.

use reqwest::Request;
use tokio::time::Instant;
use tracing::{Span, field, info_span};

use crate::operation::Operation;

/// One of a call's attempts.
pub(super) struct Attempt<'a> {
    /// Of which a copy is sent.
    pub(super) request: &'a Request,
    pub(super) operation: &'static Operation,
    /// From 1.
    pub(super) number: u32,
    pub(super) started: Instant,
    /// The end of the call.
    pub(super) deadline: Instant,
}

/// The request once more, as an attempt uses it up. None when its body can be read only once.
pub(super) fn copy(request: &Request) -> Option<Request> {
    if request.body().is_some() {
        return request.try_clone();
    }
    // Reqwest's own copy makes room for a timeout, and then does so again: six allocations of a call.
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    *copy.headers_mut() = request.headers().clone();
    *copy.version_mut() = request.version();
    Some(copy)
}

/// The span of a call, in the names of OpenTelemetry's conventions for HTTP clients. Of the URL it has the contract's
/// template and the server, so no prompt, id or name is in it.
pub(super) fn span(request: &Request, operation: &Operation) -> Span {
    info_span!(
        "stromboli.call",
        "otel.kind" = "client",
        "otel.name" = operation.id,
        "http.request.method" = request.method().as_str(),
        "url.template" = operation.path,
        "server.address" = request.url().host_str(),
        "server.port" = request.url().port_or_known_default(),
        "http.response.status_code" = field::Empty,
        "http.request.resend_count" = field::Empty,
        "error.type" = field::Empty,
    )
}
