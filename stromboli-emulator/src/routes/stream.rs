//! `GET /run/stream`: a run as server-sent events.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use serde::Serialize;
use serde_json::Value;

use crate::execution::{CrashInfo, Event, Execution, Status, session_id};
use crate::request::RunRequest;
use crate::state::State;
use crate::{json, reply};

use super::run::NOT_CONFIGURED;

/// The longest line that the server's scanner takes, with its line end; it reads no further after a longer one.
const MAX_LINE: usize = 64 * 1024;

/// The data of `event: done`.
#[derive(Serialize)]
struct Done<'a> {
    id: String,
    session_id: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
}

/// Returns only when there is a first event, since the server flushes the headers together with it. When the client
/// goes away, the response (or this future) is dropped, and the run with it.
pub(super) async fn stream(state: &Arc<State>, query: &str) -> Response {
    let Some(request) = RunRequest::from_query(query) else {
        return reply::text(StatusCode::BAD_REQUEST, "Missing required parameter: prompt");
    };
    if !state.settings.claude_configured {
        return reply::text(StatusCode::SERVICE_UNAVAILABLE, NOT_CONFIGURED);
    }
    let session_id = session_id(state, &request);
    let body = match Execution::begin(state, request, Arc::clone(&session_id)) {
        Ok(execution) => {
            let mut events = Events {
                execution: Some(execution),
                session_id,
                overflowed: false,
            };
            let first = events.next().await;
            let rest = stream::unfold(events, |mut events| async {
                events.next().await.map(|event| (event, events))
            });
            let all = stream::once(future::ready(first)).filter_map(future::ready).chain(rest);
            Body::from_stream(all.map(Ok::<_, std::convert::Infallible>))
        }
        Err(error) => Body::from_stream(stream::once(future::ready(Ok::<_, std::convert::Infallible>(
            error_event(&error),
        )))),
    };
    reply::event_stream(body)
}

/// The frames of one run.
struct Events {
    /// None after the end.
    execution: Option<Execution>,
    session_id: Arc<str>,
    overflowed: bool,
}

impl Events {
    /// The bytes of the next output, or of the end; none after that.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let event = self.execution.as_mut()?.next().await;
            match event {
                Event::Line(text) => {
                    let frames = self.frames(&text);
                    if !frames.is_empty() {
                        return Some(Bytes::from(frames));
                    }
                }
                Event::End(ending) => {
                    let mut execution = self.execution.take()?;
                    let settled = execution.settle().await;
                    let id = execution.finish();
                    if let Err(error) = settled {
                        return Some(error_event(&error));
                    }
                    return Some(match ending {
                        Ok(report) => done_event(&Done {
                            id,
                            session_id: &self.session_id,
                            status: report.status,
                            structured_output: report.structured_output,
                            crash_info: report.crash_info,
                        }),
                        Err(failure) => error_event(&failure.brief()),
                    });
                }
            }
        }
    }

    fn frames(&mut self, text: &str) -> String {
        let mut frames = String::new();
        for line in text.split('\n') {
            self.overflowed |= line.len() >= MAX_LINE;
            if self.overflowed {
                break;
            }
            frames.push_str("data: ");
            frames.push_str(line.strip_suffix('\r').unwrap_or(line));
            frames.push_str("\n\n");
        }
        frames
    }
}

fn done_event(done: &Done<'_>) -> Bytes {
    let data = json::to_string(done).unwrap_or_default();
    Bytes::from(format!("event: done\ndata: {data}\n\n"))
}

/// The text goes out as it is: one with a line end breaks the framing, here as there.
fn error_event(error: &str) -> Bytes {
    Bytes::from(format!("event: error\ndata: {error}\n\n"))
}
