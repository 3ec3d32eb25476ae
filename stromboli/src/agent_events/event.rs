//! One event of a live agent, and how it is read.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use stromboli_messages::Message;

use crate::error::without_values;

/// The beginning of the note that the server puts in the place of a line above 10 MiB (WIRE §11).
const CUT: &str = "[stromboli: line truncated";

/// Something that happened to a live agent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AgentEvent {
    /// The turn it belongs to; `None` between turns.
    pub turn_id: Option<String>,
    /// When it happened, by the server's clock; `None` for what this crate noticed itself.
    pub at: Option<Timestamp>,
    /// What happened.
    pub kind: AgentEventKind,
}

/// What happened to a live agent (WIRE §11).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AgentEventKind {
    /// A prompt was taken.
    TurnStart,
    /// The agent printed a message; [`Message::raw`] has its text as it came.
    Message(Message),
    /// The agent printed a line that is no message, maybe an empty one.
    Line(String),
    /// The agent printed a line above 10 MiB, and this note of the server is all that there is of it.
    LineCut(String),
    /// The turn's result is there, and the next prompt can be sent.
    TurnEnd,
    /// A line that the agent printed on its error output, or a prompt that could not be handed to it. Nothing ends with it.
    Stderr(String),
    /// The agent's process has ended, with the reason if there is one. After an idle timeout it comes twice: first the
    /// timeout, then the end of the process.
    Exited(Option<String>),
    /// Events are missing before the next one, because they were not read fast enough.
    Lagged,
    /// The connection was lost and opened again; what happened in the meantime is missing.
    Resubscribed,
    /// An event that this version does not know.
    Other {
        /// Its name.
        event: String,
        /// Its data.
        data: String,
    },
}

/// The data of an event, without the trust in what the contract says is always there.
#[derive(Deserialize)]
struct Data {
    turn_id: Option<String>,
    content: Option<String>,
    error: Option<String>,
    at: Option<String>,
}

impl AgentEvent {
    pub(crate) fn of(kind: AgentEventKind) -> Self {
        Self {
            turn_id: None,
            at: None,
            kind,
        }
    }

    /// The event of this name and data, `None` for the one that closes the stream.
    ///
    /// # Errors
    /// What is wrong with the data, and the data.
    // Inlined, as what it calls, it shares the code that drops messages with its only caller.
    #[inline]
    pub(super) fn read(name: &str, data: Cow<'_, str>) -> Result<Option<Self>, (String, String)> {
        let known = matches!(name, "turn_start" | "output" | "turn_end" | "error" | "exited");
        if name == "closed" {
            return Ok(None);
        }
        if !known {
            return Ok(Some(Self::of(AgentEventKind::Other {
                event: name.to_owned(),
                data: data.into_owned(),
            })));
        }
        let data: Data = match serde_json::from_str(&data) {
            Ok(data) => data,
            Err(error) => return Err((without_values(&error), data.into_owned())),
        };
        let kind = match name {
            "turn_start" => AgentEventKind::TurnStart,
            "turn_end" => AgentEventKind::TurnEnd,
            "error" => AgentEventKind::Stderr(data.error.unwrap_or_default()),
            "exited" => AgentEventKind::Exited(data.error),
            _ => output(data.content.unwrap_or_default()),
        };
        Ok(Some(Self {
            turn_id: data.turn_id,
            at: data.at.and_then(|at| at.parse().ok()),
            kind,
        }))
    }
}

#[inline]
fn output(line: String) -> AgentEventKind {
    match Message::parse(line) {
        Ok(message) => AgentEventKind::Message(message),
        Err(error) if error.line().starts_with(CUT) => AgentEventKind::LineCut(error.into_line()),
        Err(error) => AgentEventKind::Line(error.into_line()),
    }
}

impl fmt::Debug for AgentEventKind {
    /// What the agent and its user said stays out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |name, text: &str| format!("{name}([{} bytes])", text.len());
        f.write_str(&match self {
            Self::TurnStart => "TurnStart".to_owned(),
            Self::Message(message) => return f.debug_tuple("Message").field(&message).finish(),
            Self::Line(line) => length("Line", line),
            Self::LineCut(note) => length("LineCut", note),
            Self::TurnEnd => "TurnEnd".to_owned(),
            Self::Stderr(line) => length("Stderr", line),
            Self::Exited(reason) => return f.debug_tuple("Exited").field(reason).finish(),
            Self::Lagged => "Lagged".to_owned(),
            Self::Resubscribed => "Resubscribed".to_owned(),
            Self::Other { event, data } => return write!(f, "Other({event:?}, [{} bytes])", data.len()),
        })
    }
}
