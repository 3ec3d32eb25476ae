//! The message of the Messages API that an `assistant` or `user` line carries.

use std::borrow::Cow;

use crate::{
    Block, Content, Json, ToolResult, ToolUse, Usage,
    block::content_text,
    wire::{open_enum, record},
};

record! {
    /// A message of the Messages API: of the model with all of its fields, of the user with `role` and `content`.
    pub struct ApiMessage {
        /// Its id; the lines of one answer of the model share it.
        id: String;
        /// Always `message`.
        kind: String = "type";
        /// Whose message it is.
        role: Role;
        /// The model; `<synthetic>` where Claude Code said it instead of a model.
        model: String;
        /// What is said.
        content: Content;
        /// Why the model stopped; `null` while it has not.
        stop_reason: StopReason;
        /// The text that made it stop.
        stop_sequence: String, hidden;
        /// More about why it stopped.
        stop_details: StopDetails;
        /// The tokens used. In an `assistant` line from before the end of the answer, so that it is not final.
        usage: Usage;
        /// Where code ran.
        container: Json;
        /// What was removed from the context.
        context_management: Json;
        /// What the API found out about the request.
        diagnostics: Json;
    }
}

impl ApiMessage {
    /// The blocks either way: a plain string is one block of text.
    pub fn blocks(&self) -> Cow<'_, [Block]> {
        self.content.as_ref().map(Content::blocks).unwrap_or_default()
    }

    /// The blocks as they stand; none where the content is a plain string.
    pub fn as_blocks(&self) -> &[Block] {
        self.content.as_ref().map(Content::as_blocks).unwrap_or_default()
    }

    /// The tools it calls.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.as_blocks().iter().filter_map(|block| match block {
            Block::ToolUse(block) => Some(block),
            _ => None,
        })
    }

    /// The answers of tools.
    pub fn tool_results(&self) -> impl Iterator<Item = &ToolResult> {
        self.as_blocks().iter().filter_map(|block| match block {
            Block::ToolResult(block) => Some(block),
            _ => None,
        })
    }

    /// The text of all text blocks, or the plain string.
    pub fn text(&self) -> Cow<'_, str> {
        content_text(self.content.as_ref(), &self.extra)
    }
}

record! {
    /// More about why the model stopped.
    pub struct StopDetails {
        /// `refusal`.
        kind: String = "type";
        /// What was refused.
        category: String;
        /// Why.
        explanation: String, hidden;
        /// A model that may answer.
        recommended_model: String;
        /// What gives credit for the refusal.
        fallback_credit_token: String, hidden;
        /// Whether the credit covers what was cached.
        fallback_has_prefill_claim: bool;
    }
}

open_enum! {
    /// Whose message it is.
    pub enum Role {
        /// The model's.
        Assistant = "assistant",
        /// The user's, or a tool's.
        User = "user",
        /// The system prompt's.
        System = "system",
    }
}

open_enum! {
    /// Why the model stopped.
    pub enum StopReason {
        /// It had said all.
        EndTurn = "end_turn",
        /// The limit of tokens.
        MaxTokens = "max_tokens",
        /// A stop sequence.
        StopSequence = "stop_sequence",
        /// It called a tool.
        ToolUse = "tool_use",
        /// A long turn may be continued.
        PauseTurn = "pause_turn",
        /// The context was compacted.
        Compaction = "compaction",
        /// It refused.
        Refusal = "refusal",
        /// The context is full.
        ModelContextWindowExceeded = "model_context_window_exceeded",
    }
}
