//! Typed Claude Code messages: every line that `claude --output-format stream-json` prints, and its transcripts.
//!
//! Nothing is lost: what this version does not know is kept, and parsing and serialising give the same JSON back.

mod accumulator;
mod api_message;
mod assistant;
mod block;
pub mod context_usage;
mod error;
mod extra;
mod json;
mod message;
pub mod notice;
mod number;
mod outcome;
pub mod rate_limit;
mod result;
pub mod stream_event;
pub mod system;
pub mod transcript;
mod turn;
mod unknown;
pub mod usage;
mod user;
mod wire;

pub use accumulator::Accumulator;
pub use api_message::{ApiMessage, Role, StopDetails, StopReason};
pub use assistant::{ApiError, AssistantMessage};
pub use block::{
    Base64Source, Block, ConnectorText, Content, ContentSource, DocumentBlock, FileSource, ImageBlock,
    RedactedThinkingBlock, ServerToolUse, Source, TextBlock, TextSource, ThinkingBlock, ToolReference, ToolResult,
    ToolUse, UrlSource, WebSearchToolResult,
};
pub use error::ParseError;
pub use extra::Extra;
pub use json::Json;
pub use message::Message;
pub use number::Number;
pub use outcome::{Outcome, ResultSubtype, StartupFailureReason, TerminalReason};
pub use rate_limit::RateLimitStatus;
pub use result::{
    DeferredToolUse, FastModeDisabledReason, FastModeState, InvalidConfigFile, PermissionDenial, ResultMessage,
};
pub use stream_event::{Delta, Event, StreamEvent};
pub use system::System;
pub use turn::{Conversation, ToolAnswer, ToolCall, Turn};
pub use unknown::{Unknown, UnknownMessage};
pub use usage::{ModelUsage, Usage};
pub use user::{Origin, OriginKind, Priority, UserMessage};
