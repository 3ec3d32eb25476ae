//! A line that Claude Code prints, and how it is read.

use std::borrow::Cow;

use crate::{
    AssistantMessage, ParseError, ResultMessage, StreamEvent, System, UnknownMessage, UserMessage,
    notice::{
        ActiveGoal, AuthStatus, ConversationReset, PromptSuggestion, StreamlinedText, StreamlinedToolUseSummary,
        ToolProgress, ToolUseSummary,
    },
    rate_limit::RateLimitEvent,
    wire::{Line, Shown, Variants, line, tagged},
};

tagged! {
    /// A line that Claude Code prints with `--output-format stream-json`.
    ///
    /// ```
    /// use stromboli_messages::Message;
    ///
    /// let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"Hi"}]},"new_field":1.50}"#;
    /// let message = Message::parse(line)?;
    /// if let Message::Assistant(message) = &message {
    ///     assert_eq!(message.text(), "Hi");
    /// }
    /// assert!(serde_json::to_string(&message)?.contains(r#""new_field":1.50"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub enum Message by type_name = "type" {
        /// What the model says.
        Assistant(Box<AssistantMessage>) = "assistant",
        /// What the model is told.
        User(Box<UserMessage>) = "user",
        /// The end of a turn.
        Result(Box<ResultMessage>) = "result",
        /// What Claude Code reports about itself.
        System(System) = "system",
        /// An event of an answer that is being written.
        StreamEvent(Box<StreamEvent>) = "stream_event",
        /// The account's limits have changed.
        RateLimitEvent(Box<RateLimitEvent>) = "rate_limit_event",
        /// A tool is still running.
        ToolProgress(Box<ToolProgress>) = "tool_progress",
        /// What some tool uses did, in a few words.
        ToolUseSummary(Box<ToolUseSummary>) = "tool_use_summary",
        /// The goal that is being worked on.
        ActiveGoal(Box<ActiveGoal>) = "active_goal",
        /// A login goes on.
        AuthStatus(Box<AuthStatus>) = "auth_status",
        /// The conversation begins anew.
        ConversationReset(Box<ConversationReset>) = "conversation_reset",
        /// What the user might say next.
        PromptSuggestion(Box<PromptSuggestion>) = "prompt_suggestion",
        /// What the model says, without the rest of the message.
        StreamlinedText(Box<StreamlinedText>) = "streamlined_text",
        /// What the tools did, in a few words.
        StreamlinedToolUseSummary(Box<StreamlinedToolUseSummary>) = "streamlined_tool_use_summary",
    } else
    /// A type that this version does not know, or none.
    Unknown(Box<UnknownMessage>)
}

impl From<Message> for Cow<'_, Message> {
    fn from(message: Message) -> Self {
        Self::Owned(message)
    }
}

impl<'a> From<&'a Message> for Cow<'a, Message> {
    fn from(message: &'a Message) -> Self {
        Self::Borrowed(message)
    }
}

impl Message {
    /// Reads a line. What does not fit its type stays in the `extra` of the innermost record around it.
    ///
    /// # Errors
    /// Only if the line is not a JSON object.
    pub fn parse(line: impl Into<String>) -> Result<Self, ParseError> {
        Self::of_line(line.into())
    }

    // For all callers, so that reading is compiled in this crate.
    fn of_line(line: String) -> Result<Self, ParseError> {
        line::parse(line, |message: &mut Self, line| line::keep(message.inner(), line))
    }

    /// The line it was parsed from, as it was, whatever has been changed since; `None` for what was not parsed by
    /// [`parse`](Self::parse).
    pub fn raw(&self) -> Option<&str> {
        match Line::of(self.view())? {
            Line::Known(message) => message.line(),
            Line::Unknown(message) => message.raw(),
        }
    }

    /// The id of this message.
    pub fn uuid(&self) -> Option<&str> {
        match Line::of(self.view())? {
            Line::Known(message) => message.text("uuid"),
            Line::Unknown(message) => message.uuid(),
        }
    }

    /// The session it belongs to.
    pub fn session_id(&self) -> Option<&str> {
        match Line::of(self.view())? {
            Line::Known(message) => message.text("session_id"),
            Line::Unknown(message) => message.session_id(),
        }
    }

    /// The tool use it was said in, when it was said by a subagent or to one; as it is written where it is no text.
    pub fn parent_tool_use_id(&self) -> Option<&str> {
        match self {
            Self::Assistant(message) => message.parent(),
            Self::User(message) => message.parent(),
            Self::StreamEvent(message) => message.parent(),
            Self::ToolProgress(message) => message
                .extra
                .or_written(&message.parent_tool_use_id, "parent_tool_use_id"),
            Self::Unknown(message) => message.parent_tool_use_id(),
            _ => None,
        }
    }

    /// Whether it is of a subagent's conversation, and not of the main one.
    pub fn is_from_subagent(&self) -> bool {
        self.parent_tool_use_id().is_some()
    }

    /// What the model says, if this is that.
    pub fn as_assistant(&self) -> Option<&AssistantMessage> {
        match self {
            Self::Assistant(message) => Some(message),
            _ => None,
        }
    }

    /// What the model is told, if this is that.
    pub fn as_user(&self) -> Option<&UserMessage> {
        match self {
            Self::User(message) => Some(message),
            _ => None,
        }
    }

    /// The end of a turn, if this is one.
    pub fn as_result(&self) -> Option<&ResultMessage> {
        match self {
            Self::Result(message) => Some(message),
            _ => None,
        }
    }

    /// What Claude Code reports about itself, if this is that.
    pub fn as_system(&self) -> Option<&System> {
        match self {
            Self::System(message) => Some(message),
            _ => None,
        }
    }

    /// An event of an answer that is being written, if this is one.
    pub fn as_stream_event(&self) -> Option<&StreamEvent> {
        match self {
            Self::StreamEvent(message) => Some(message),
            _ => None,
        }
    }
}
