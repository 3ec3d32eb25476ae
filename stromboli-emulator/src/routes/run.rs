//! `POST /run` and `POST /run/async`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::Value;

use crate::execution::{CrashInfo, Execution, Status, session_id};
use crate::reply;
use crate::request::RunRequest;
use crate::state::State;
use crate::usage::Usage;
use crate::webhook::Webhook;

/// What a run answers when Claude's credentials are missing.
pub(super) const NOT_CONFIGURED: &str = "Claude not configured. Run 'make claude-setup' first";

#[derive(Serialize)]
struct RunResponse<'a> {
    id: String,
    status: Status,
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
}

/// Answers when the run is over. When the client goes away, this future is dropped, and the run with it.
pub(super) async fn run(state: &Arc<State>, body: &[u8]) -> Response {
    let request = match read(state, body) {
        Ok(request) => request,
        Err((status, error)) => return reply::run_error(status, &error),
    };
    let session_id = session_id(state, &request);
    let mut execution = match Execution::begin(state, request, Arc::clone(&session_id)) {
        Ok(execution) => execution,
        Err(error) => return reply::run_error(StatusCode::INTERNAL_SERVER_ERROR, &error),
    };
    let ending = execution.ending().await;
    let id = execution.finish();
    match ending {
        Ok(report) => {
            let response = RunResponse {
                id,
                status: report.status,
                output: report.output,
                structured_output: report.structured_output,
                session_id: &session_id,
                usage: report.usage,
                crash_info: report.crash_info,
            };
            reply::json(StatusCode::OK, &response)
        }
        Err(failure) => reply::run_error(StatusCode::INTERNAL_SERVER_ERROR, &failure.with_output()),
    }
}

/// Answers at once; whatever goes wrong after the request was read goes into the job.
pub(super) fn run_async(state: &Arc<State>, body: &[u8]) -> Response {
    #[derive(Serialize)]
    struct Accepted<'a> {
        job_id: &'a str,
        session_id: &'a str,
    }
    let request = match read(state, body) {
        Ok(request) => request,
        Err((status, error)) => return reply::run_error(status, &error),
    };
    let session_id = session_id(state, &request);
    let webhook_url = request.webhook_url.clone();
    let job_id = state.random_id("job-");
    state.jobs.insert(&job_id, &session_id);
    let accepted = Accepted {
        job_id: &job_id,
        session_id: &session_id,
    };
    let response = reply::json(StatusCode::ACCEPTED, &accepted);
    let running = Arc::clone(state);
    state.spawn(async move {
        let mut begun = None;
        let run = async {
            let execution = begun.insert(Execution::begin(&running, request, Arc::clone(&session_id))?);
            execution.ending().await.map_err(|failure| failure.with_output())
        };
        let ending = AssertUnwindSafe(run).catch_unwind().await;
        let ending = ending.unwrap_or_else(|_| Err("execution failed: the answerer panicked".to_owned()));
        let webhook = Webhook::new(&running, webhook_url, &job_id, &session_id, &ending);
        running.jobs.end(&job_id, ending);
        let settled = running.settle().await;
        if let Some(webhook) = webhook.filter(|_| settled.is_ok()) {
            running.spawn(webhook.deliver(Arc::clone(&running)));
        }
        if let Some(execution) = begun {
            execution.finish();
        }
    });
    response
}

/// Reads the request, or says which error of kind B it gets instead.
fn read(state: &State, body: &[u8]) -> Result<RunRequest, (StatusCode, String)> {
    let request = RunRequest::from_json(body, state.settings.dialect)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("Invalid request: {error}")))?;
    if state.settings.claude_configured {
        Ok(request)
    } else {
        Err((StatusCode::SERVICE_UNAVAILABLE, NOT_CONFIGURED.to_owned()))
    }
}
