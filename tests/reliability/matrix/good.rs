//! The good answers of a server that is not the emulator, as bytes.

use serde_json::{Value, json};

use super::class::ANSWER;

const TIME: &str = "2026-05-06T10:00:00.5Z";

/// A good answer.
pub(super) struct Good {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    is_stream: bool,
}

impl Good {
    /// The status line and the headers but those about the length, without the empty line.
    pub(super) fn start(&self) -> String {
        self.start_as("1.1")
    }

    pub(super) fn start_as(&self, version: &str) -> String {
        format!(
            "HTTP/{version} {} Some Words\r\nX-Request-ID: req-1\r\nConnection: close\r\n{}",
            self.status,
            self.content_type()
        )
    }

    pub(super) fn content_type(&self) -> &'static str {
        if self.is_stream {
            "Content-Type: text/event-stream\r\n"
        } else {
            "Content-Type: application/json; charset=utf-8\r\n"
        }
    }

    /// The head of an answer with such a body in one piece.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        format!("{}Content-Length: {length}\r\n\r\n", self.start()).into_bytes()
    }

    pub(super) fn chunked_head(&self) -> Vec<u8> {
        format!("{}Transfer-Encoding: chunked\r\n\r\n", self.start()).into_bytes()
    }

    pub(super) fn first_half(&self) -> &[u8] {
        &self.body[..self.body.len() / 2]
    }

    pub(super) fn second_half(&self) -> &[u8] {
        &self.body[self.body.len() / 2..]
    }

    /// The whole answer.
    pub(super) fn whole(&self) -> Vec<u8> {
        [self.head(self.body.len()), self.body.clone()].concat()
    }

    /// The whole answer with another body.
    pub(super) fn with(&self, body: &[u8]) -> Vec<u8> {
        [&self.head(body.len())[..], body].concat()
    }

    /// The head and the first half of the body, as a chunk.
    pub(super) fn begun(&self) -> Vec<u8> {
        [self.chunked_head(), chunk(self.first_half())].concat()
    }

    /// The head and the body, as chunks, without the last one, which is empty.
    pub(super) fn unended(&self) -> Vec<u8> {
        [self.begun(), chunk(self.second_half())].concat()
    }
}

pub(super) fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// The good answer to such a request.
pub(super) fn good(method: &str, target: &str) -> Good {
    let path = target.split('?').next().unwrap_or_default();
    let mut status = 200;
    let body = match (method, path) {
        ("GET", "/run/stream") => return stream(&run_events()),
        ("GET", "/agents/agent-1/stream") => return stream(&agent_events()),
        ("GET", "/health") => json!({"status": "ok", "name": "stromboli", "version": "v0.5.7-alpha"}),
        ("GET", "/jobs/job-1") => json!({
            "id": "job-1", "status": "completed", "output": ANSWER, "session_id": "s-1", "created_at": TIME,
            "updated_at": TIME,
        }),
        ("DELETE", "/jobs/job-1") => json!({"cancelled": true, "job_id": "job-1"}),
        ("GET", "/sessions/s-1/messages") => page(target),
        ("POST", "/images/pull") => json!({"success": true, "image_id": "sha256:abc", "image": "busybox"}),
        ("POST", "/auth/token") => {
            json!({"access_token": "a.b.c", "refresh_token": "d.e.f", "token_type": "bearer", "expires_in": 86400})
        }
        ("POST", "/secrets") => {
            status = 201;
            json!({"success": true, "name": "name"})
        }
        ("POST", "/run") => json!({"id": "run-1", "status": "completed", "output": ANSWER, "session_id": "s-1"}),
        ("POST", "/run/async") => {
            status = 202;
            json!({"job_id": "job-1", "session_id": "s-1"})
        }
        ("POST", "/agents/agent-1/send") => {
            status = 202;
            json!({"turn_id": "t-1"})
        }
        ("POST", "/agents") => {
            status = 201;
            agent()
        }
        ("GET", "/agents/agent-1") => agent(),
        _ => {
            status = 404;
            json!({"error": "not found"})
        }
    };
    Good {
        status,
        body: body.to_string().into_bytes(),
        is_stream: false,
    }
}

/// One message of two.
fn page(target: &str) -> Value {
    let whole = !target.contains("limit=1");
    let is_last = target.contains("offset=1");
    let message = json!({
        "uuid": "m-1", "type": "assistant", "session_id": "s-1", "timestamp": TIME, "cwd": "/w", "git_branch": "main",
        "version": "2.0", "permission_mode": "plan", "content": {"role": "assistant", "content": []},
    });
    let messages = if whole {
        vec![message.clone(), message]
    } else {
        vec![message]
    };
    json!({
        "messages": messages, "total": 2, "offset": u8::from(is_last), "limit": 1, "has_more": !whole && !is_last,
    })
}

fn agent() -> Value {
    json!({
        "id": "agent-1", "session_id": "s-1", "status": "idle", "created_at": TIME, "last_activity_at": TIME,
        "idle_timeout_seconds": 1800, "turns_completed": 0,
    })
}

fn stream(events: &str) -> Good {
    Good {
        status: 200,
        body: events.as_bytes().to_vec(),
        is_stream: true,
    }
}

fn run_events() -> String {
    let end = json!({"id": "run-1", "session_id": "s-1", "status": "completed"});
    format!("data: {ANSWER}\n\nevent: done\ndata: {end}\n\n")
}

/// A turn, and the agent's end.
fn agent_events() -> String {
    let result = json!({"type": "result", "subtype": "success", "is_error": false, "result": ANSWER});
    let event = |name: &str, mut data: Value| {
        data["type"] = json!(name);
        data["at"] = json!(TIME);
        format!("event: {name}\ndata: {data}\n\n")
    };
    [
        event("turn_start", json!({"turn_id": "t-1"})),
        event("output", json!({"turn_id": "t-1", "content": result.to_string()})),
        event("turn_end", json!({"turn_id": "t-1"})),
        event("exited", json!({})),
        "event: closed\ndata: {}\n\n".to_owned(),
    ]
    .concat()
}
