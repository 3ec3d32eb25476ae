//! Typed Claude Code messages: every line that `claude --output-format stream-json` prints, the turns that they make, and
//! transcripts on disk.
//!
//! ```
//! use stromboli_messages::{Accumulator, Block, Message};
//!
//! # let lines = [
//! #     r#"{"type":"assistant","message":{"id":"msg_1","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]}}"#,
//! #     r#"{"type":"assistant","message":{"id":"msg_2","content":[{"type":"text","text":"Done."}]}}"#,
//! #     r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","total_cost_usd":0.01}"#,
//! # ];
//! let mut turns = Accumulator::new();
//! for line in lines {
//!     let message = Message::parse(line)?;
//!     if let Message::Assistant(message) = &message {
//!         for block in message.blocks() {
//!             match block {
//!                 Block::Text(text) => print!("{}", text.text()),
//!                 Block::ToolUse(tool) => println!("[{}]", tool.name.as_deref().unwrap_or("a tool")),
//!                 _ => {}
//!             }
//!         }
//!     }
//!     if let Some(turn) = turns.push(message) {
//!         assert!(turn.outcome().is_some_and(|outcome| outcome.is_ok()));
//!         println!("{} ${:.4}", turn.text(), turn.total_cost_usd().unwrap_or(0.0));
//!     }
//! }
//! # Ok::<(), stromboli_messages::ParseError>(())
//! ```
//!
//! - **Nothing is lost.** Parsing and serialising give the same JSON back, with the digits of its numbers, and `raw` gives
//!   the line as it was. What a record has no field for, and a value that does not fit its field, is in its `extra`, in
//!   the innermost record around it; the other fields are typed as ever. `null` reads as `None` and is written as `null`.
//! - **What is new is data.** A type, subtype, block or value that this version does not know is `Unknown` or `Other`.
//!   Only a line that is no JSON object is an error, and the error holds the line.
//! - **Every field is optional**, whatever a version of Claude Code promises. Records are made with `default()`.
//! - **`Debug` shows nothing of what is said**: texts, prompts, inputs and outputs of tools are `[redacted]`.
//!
//! The types read and write JSON by `serde_json` alone. Because they keep raw text, they cannot be parts of types that
//! serde buffers first: `#[serde(flatten)]`, `untagged` and internally tagged enums.

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
    Base64Source, Block, ConnectorText, Content, DocumentBlock, FileSource, ImageBlock, RedactedThinkingBlock,
    ServerToolUse, Source, TextBlock, TextSource, ThinkingBlock, ToolReference, ToolResult, ToolUse, UrlSource,
    WebSearchToolResult,
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
pub use wire::from_slice;
