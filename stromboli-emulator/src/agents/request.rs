//! The requests to start an agent and to send it a prompt.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::decode::{self, Kind, Record};
use crate::request::CLAUDE_OPTIONS;

use Kind::{Flag, Int, Text};

/// The idle timeout of an agent whose request sets none.
const IDLE_TIMEOUT_SECONDS: u64 = 1800;

/// A request to start an agent.
pub(crate) struct CreateRequest {
    pub(crate) prompt: String,
    pub(crate) workdir: String,
    pub(crate) idle_timeout_seconds: u64,
    pub(crate) idle_timeout_disabled: bool,
    pub(crate) claude: Map<String, Value>,
}

impl CreateRequest {
    /// Reads the body of `POST /agents`.
    ///
    /// # Errors
    /// The server's text.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, String> {
        let mut fields = decode::decode(body, &CREATE_REQUEST)?;
        let given = fields.get("idle_timeout_seconds").and_then(Value::as_i64);
        let given = u64::try_from(given.unwrap_or_default())
            .map_err(|_| "agent: invalid request: idle_timeout_seconds must be non-negative")?;
        let mut claude = fields.take_object("claude");
        for ignored in ["session_id", "resume"] {
            claude.remove(ignored);
        }
        for format in ["input_format", "output_format"] {
            claude.insert(format.to_owned(), Value::from("stream-json"));
        }
        for forced in ["include_partial_messages", "verbose"] {
            claude.insert(forced.to_owned(), Value::from(true));
        }
        Ok(Self {
            prompt: fields.take_text("prompt"),
            workdir: fields.take_text("workdir"),
            idle_timeout_seconds: if given == 0 { IDLE_TIMEOUT_SECONDS } else { given },
            idle_timeout_disabled: fields.get("disable_idle_timeout") == Some(&Value::Bool(true)),
            claude,
        })
    }

    /// None when it is disabled.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        (!self.idle_timeout_disabled).then(|| Duration::from_secs(self.idle_timeout_seconds))
    }
}

/// Reads the prompt from the body of `POST /agents/{id}/send`.
///
/// # Errors
/// The server's text.
pub(crate) fn prompt(body: &[u8]) -> Result<String, String> {
    let mut fields = decode::decode(body, &SEND_REQUEST)?;
    decode::require(&fields, &SEND_REQUEST, &[("prompt", "Prompt")])?;
    Ok(fields.take_text("prompt"))
}

static CREATE_REQUEST: Record = Record {
    package: "agent",
    name: "CreateRequest",
    fields: &[
        ("prompt", Text),
        ("workdir", Text),
        ("idle_timeout_seconds", Int),
        ("disable_idle_timeout", Flag),
        ("claude", Kind::Record(&CLAUDE_OPTIONS)),
    ],
};

static SEND_REQUEST: Record = Record {
    package: "api",
    name: "SendAgentRequest",
    fields: &[("prompt", Text)],
};
