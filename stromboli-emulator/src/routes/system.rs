//! `GET /health`, `GET /metrics` and `GET /claude/status`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::reply;
use crate::state::State;

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    name: &'static str,
    version: &'a str,
    components: Vec<Component<'a>>,
}

#[derive(Serialize)]
struct Component<'a> {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Always 200, degraded or not.
pub(super) fn health(state: &State) -> Response {
    let components: Vec<_> = state
        .settings
        .components
        .iter()
        .map(|(name, error)| Component {
            name,
            status: if error.is_some() { "error" } else { "ok" },
            error: error.as_deref(),
        })
        .collect();
    let degraded = components.iter().any(|component| component.error.is_some());
    let health = Health {
        status: if degraded { "degraded" } else { "ok" },
        name: "stromboli",
        version: state.settings.version(),
        components,
    };
    reply::json(StatusCode::OK, &health)
}

/// What was counted before this request.
pub(super) fn metrics(state: &State) -> Response {
    let stats = state.stats();
    let text = state.metrics.text(stats.executions - stats.finished - stats.stopped);
    let prometheus = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply::with_type(StatusCode::OK, prometheus, Body::from(text))
}

pub(super) fn claude_status(state: &State) -> Response {
    #[derive(Serialize)]
    struct Status {
        configured: bool,
        message: &'static str,
    }
    let configured = state.settings.claude_configured;
    let message = if configured {
        "Claude is configured"
    } else {
        "Run 'make claude-setup' to configure"
    };
    let status = Status { configured, message };
    reply::json(StatusCode::OK, &status)
}
