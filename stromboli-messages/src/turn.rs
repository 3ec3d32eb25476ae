//! A turn: all that was said from a prompt to its result.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    ApiMessage, Block, Json, Outcome, PermissionDenial, ResultMessage, ToolResult, ToolUse, Usage,
    block::{join, texts},
};

/// The tool that the model gives structured output with.
const STRUCTURED_OUTPUT: &str = "StructuredOutput";

/// All that was said from a prompt to its result; by [`Accumulator`](crate::Accumulator).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Turn {
    /// The main conversation.
    pub main: Conversation,
    /// The conversations of subagents, in the order in which they began.
    pub subagents: Vec<Conversation>,
    /// The end of the turn; `None` while it has not come.
    pub result: Option<Box<ResultMessage>>,
}

impl Turn {
    /// The final answer: the text of the result, or else of the last message of the main conversation.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.result {
            Some(result) if result.has_text() => result.text(),
            _ => self.main.text(),
        }
    }

    /// The blocks of the main conversation, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.main.blocks()
    }

    /// The tools that the main conversation called.
    pub fn tool_calls(&self) -> impl Iterator<Item = ToolCall<'_>> {
        self.main.tool_calls()
    }

    /// Whether it went well, and why not; `None` while it has not ended.
    pub fn outcome(&self) -> Option<Outcome> {
        self.result.as_ref().map(|result| result.outcome())
    }

    /// The tokens of the turn, by its result. Before that, each message has its own.
    pub fn usage(&self) -> Option<&Usage> {
        self.result.as_ref()?.usage.as_ref()
    }

    /// The cost of the session so far in US dollars: read the latest, never sum.
    pub fn total_cost_usd(&self) -> Option<f64> {
        self.result.as_ref()?.total_cost_usd()
    }

    /// The tool uses that were not allowed.
    pub fn permission_denials(&self) -> &[PermissionDenial] {
        let denials = self
            .result
            .as_ref()
            .and_then(|result| result.permission_denials.as_deref());
        denials.unwrap_or_default()
    }

    /// The structured output: of the result, or else what the main conversation gave to the tool `StructuredOutput`
    /// last without being told that it does not fit.
    pub fn structured_output(&self) -> Option<&Json> {
        let result = self
            .result
            .as_ref()
            .and_then(|result| result.structured_output.as_ref());
        result.or_else(|| {
            let accepted = self.tool_calls().filter(|call| {
                call.tool_use.name.as_deref() == Some(STRUCTURED_OUTPUT)
                    && !call.result.is_some_and(ToolResult::is_error)
            });
            accepted.last()?.tool_use.input.as_ref()
        })
    }

    /// The structured output as a type of the caller's.
    ///
    /// # Errors
    /// If there is none, or it does not fit the type.
    pub fn structured<'a, T: serde::Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        self.structured_output()
            .ok_or_else(|| serde::de::Error::custom("the turn has no structured output"))?
            .parse()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.result.is_none() && self.main.is_empty() && self.subagents.iter().all(Conversation::is_empty)
    }
}

/// What was said in the main conversation of a turn, or in that of one subagent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Conversation {
    /// The tool use that the subagent works for; `None` for the main conversation.
    pub parent_tool_use_id: Option<String>,
    /// The model's messages: the lines of one answer are one message.
    pub messages: Vec<ApiMessage>,
    /// What the tools answered, in order.
    pub answers: Vec<ToolAnswer>,
}

impl Conversation {
    /// The text of the last message.
    pub fn text(&self) -> Cow<'_, str> {
        let blocks = self.messages.last().map(ApiMessage::as_blocks).unwrap_or_default();
        join(texts(blocks))
    }

    /// The blocks of all messages, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.messages.iter().flat_map(ApiMessage::as_blocks)
    }

    /// The tools that were called, each with its answer.
    pub fn tool_calls(&self) -> impl Iterator<Item = ToolCall<'_>> {
        let mut places = HashMap::new();
        for (at, answer) in self.answers.iter().enumerate() {
            if let Some(id) = &answer.result.tool_use_id {
                places.insert(id.clone(), at);
            }
        }
        self.blocks().filter_map(move |block| match block {
            Block::ToolUse(tool_use) => {
                let at = tool_use.id.as_ref().and_then(|id| places.get(id));
                let answer = at.and_then(|at| self.answers.get(*at));
                Some(ToolCall {
                    tool_use,
                    result: answer.map(|answer| &answer.result),
                    tool_use_result: answer.and_then(|answer| answer.tool_use_result.as_ref()),
                })
            }
            _ => None,
        })
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.answers.is_empty()
    }
}

/// A tool that was called.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolCall<'a> {
    /// The call.
    pub tool_use: &'a ToolUse,
    /// The answer; `None` while there is none.
    pub result: Option<&'a ToolResult>,
    /// The answer in the tool's own shape, before it became text for the model.
    pub tool_use_result: Option<&'a Json>,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolAnswer {
    /// As the model sees it.
    pub result: ToolResult,
    /// In the tool's own shape, before it became text for the model.
    pub tool_use_result: Option<Json>,
    /// The message that it came in.
    pub uuid: Option<String>,
}
