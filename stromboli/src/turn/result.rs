//! What a turn comes to.

use std::fmt;

use stromboli_messages::{Json, Message, Outcome, Usage};

use super::answers_a_prompt;
use crate::error::{Error, ErrorKind, MAX_BODY, Result};

/// How much of what the agent said an error keeps beside what it printed.
const MAX_TEXT: usize = MAX_BODY / 2;

/// What a turn of a live agent came to, from [`Turn::finish`](crate::Turn::finish) or
/// [`AgentHandle::ask`](crate::AgentHandle::ask).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TurnResult {
    /// The agent's answer; empty when there is none.
    pub text: String,
    /// Whether the agent did what it was asked, and if not, why.
    pub outcome: Outcome,
    /// Tokens of this turn.
    pub usage: Option<Usage>,
    /// What the conversation has cost so far in US dollars, this turn and all before it.
    pub total_cost_usd: Option<f64>,
    /// The answer in the form of the `json_schema` that the agent was spawned with.
    pub structured: Option<Json>,
    /// All messages of the turn, the result last.
    pub messages: Vec<Message>,
    /// Lines that the agent printed beside its messages, on either of its outputs; of many the last 64 KiB.
    pub diagnostics: Vec<String>,
    /// Messages are missing in between.
    lagged: bool,
}

impl TurnResult {
    /// Whether no message is known to be missing. The answer is whole in any case.
    pub fn is_complete(&self) -> bool {
        !self.lagged
    }

    /// This result, or what kept the agent from doing what it was asked.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let result = agent.ask("Fix it").await?.ok()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_agent_failed`](Error::is_agent_failed) with the reason; this result is then in [`Error::turn`].
    // As the two below: dropping a message is much code, which each unit of compilation that does so has a copy of. Inlined,
    // they are in their callers'.
    #[inline]
    pub fn ok(self) -> Result<Self> {
        if self.outcome.is_ok() {
            return Ok(self);
        }
        let error = Error::new(ErrorKind::AgentFailed, format!("agent failed: {}", self.outcome));
        let error = error.sent("agent_send", 1, true).with_body(self.text.as_bytes());
        Err(error.with_source(FailedTurn(self)))
    }
}

impl fmt::Debug for TurnResult {
    /// What the agent said stays out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnResult")
            .field("outcome", &self.outcome)
            .field("usage", &self.usage)
            .field("total_cost_usd", &self.total_cost_usd)
            .field("text_bytes", &self.text.len())
            .field("messages", &self.messages.len())
            .field("diagnostics", &self.diagnostics.len())
            .field("is_complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}

/// What an error holds of a turn that failed.
pub(crate) struct FailedTurn(pub(crate) TurnResult);

impl std::error::Error for FailedTurn {}

impl fmt::Debug for FailedTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for FailedTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn ended with {} messages", self.0.messages.len())
    }
}

/// The messages of a turn on the way to its result.
pub(super) struct Collected {
    messages: Vec<Message>,
    bytes: usize,
    max_bytes: usize,
    lagged: bool,
}

impl Collected {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            messages: Vec::new(),
            bytes: 0,
            max_bytes,
            lagged: false,
        }
    }

    /// Takes a message, unless it would be too much.
    #[inline]
    pub(super) fn push(&mut self, message: Message) -> bool {
        self.bytes += message.raw().map_or(0, str::len);
        let fits = self.bytes <= self.max_bytes;
        if fits {
            self.messages.push(message);
        }
        fits
    }

    pub(super) fn lag(&mut self) {
        self.lagged = true;
    }

    /// What the main agent has said, as far as an error keeps it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for said in self.messages.iter().filter_map(Message::as_assistant) {
            if !said.is_from_subagent() && text.len() < MAX_TEXT {
                text.push_str(&said.text());
            }
        }
        let end = (0..=MAX_TEXT.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text
    }

    #[inline]
    pub(super) fn into_result(self, diagnostics: Vec<String>) -> TurnResult {
        let results = self.messages.iter().rev().filter_map(Message::as_result);
        let result = results
            .clone()
            .find(|result| answers_a_prompt(result))
            .or_else(|| results.clone().next());
        TurnResult {
            text: result.map(|result| result.text().into_owned()).unwrap_or_default(),
            outcome: result.map_or(Outcome::Other(String::new()), |result| result.outcome()),
            usage: result.and_then(|result| result.usage().cloned()),
            total_cost_usd: result.and_then(|result| result.total_cost_usd()),
            structured: result
                .and_then(|result| result.structured_output.clone())
                .or_else(|| self.structured_by_tool()),
            messages: self.messages,
            diagnostics,
            lagged: self.lagged,
        }
    }

    /// Where the result lacks it, the structured output is what the tool for it was last called with.
    fn structured_by_tool(&self) -> Option<Json> {
        let mains = self.messages.iter().rev().filter_map(Message::as_assistant);
        mains
            .filter(|said| !said.is_from_subagent())
            .flat_map(|said| {
                said.tool_uses()
                    .filter(|tool| tool.name.as_deref() == Some(STRUCTURED_OUTPUT))
            })
            .find_map(|tool| tool.input.clone())
    }
}

/// The tool with which the model gives output by a schema.
const STRUCTURED_OUTPUT: &str = "StructuredOutput";
