//! An answer of the model while it is being written: the events of the Messages API.

use crate::{
    ApiMessage, Block, Json, Number, StopReason, Unknown, Usage,
    api_message::StopDetails,
    wire::{message, record, tagged},
};

message! {
    /// An event of an answer that is being written.
    pub struct StreamEvent ["type" = "stream_event"] {
        /// The event.
        event: Event;
        /// The tool use it was said in, when a subagent said it.
        parent_tool_use_id: String;
        /// Milliseconds to the first token.
        ttft_ms: Number;
        /// The user's message that it answers.
        user_message_uuid: String;
        /// The user's messages that it answers.
        user_message_uuids: Vec<String>;
        /// Why the conversation was resumed.
        resume_reason: String;
        /// The id of the answer.
        api_message_id: String;
        /// What does not count of an answer that the API broke off.
        abandoned_blocks: AbandonedBlocks;
    }
}

record! {
    /// The end of an answer that the API broke off: what does not count, unless an `assistant` line said it.
    pub struct AbandonedBlocks {
        /// The id of the answer.
        api_message_id: String;
        /// The first block that does not count.
        from_block_index: u64;
    }
}

impl StreamEvent {
    /// The text that it adds to the answer; `None` for every other event.
    pub fn text(&self) -> Option<&str> {
        match self.event.as_ref()? {
            Event::ContentBlockDelta(event) => match event.delta.as_ref()? {
                Delta::Text(delta) => delta.text.as_deref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is of a subagent's answer, and not of the main one's.
    pub fn is_from_subagent(&self) -> bool {
        self.parent().is_some()
    }

    /// The tool use it was said in, where a subagent said it or was told it; as it is written where it is no text.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.extra.or_written(&self.parent_tool_use_id, "parent_tool_use_id")
    }
}

tagged! {
    /// An event of the Messages API.
    pub enum Event by type_name = "type" {
        /// An answer begins.
        MessageStart(Box<MessageStart>) = "message_start",
        /// A block begins.
        ContentBlockStart(Box<ContentBlockStart>) = "content_block_start",
        /// A block goes on.
        ContentBlockDelta(ContentBlockDelta) = "content_block_delta",
        /// A block is complete.
        ContentBlockStop(ContentBlockStop) = "content_block_stop",
        /// What is known of the answer now.
        MessageDelta(Box<MessageDelta>) = "message_delta",
        /// The answer is complete.
        MessageStop(MessageStop) = "message_stop",
        /// Nothing; the connection is alive.
        Ping(Ping) = "ping",
        /// The API failed.
        Error(ErrorEvent) = "error",
    } else
    /// An event of a type that this version does not know.
    Unknown(Unknown)
}

record! {
    /// An answer begins.
    pub struct MessageStart ["type" = "message_start"] {
        /// The message without its content.
        message: ApiMessage;
    }
}

record! {
    /// A block begins.
    pub struct ContentBlockStart ["type" = "content_block_start"] {
        /// Which block of the answer.
        index: u64;
        /// The block, empty.
        content_block: Block;
    }
}

record! {
    /// A block goes on.
    pub struct ContentBlockDelta ["type" = "content_block_delta"] {
        /// Which block of the answer.
        index: u64;
        /// How it goes on.
        delta: Delta;
    }
}

record! {
    /// A block is complete.
    pub struct ContentBlockStop ["type" = "content_block_stop"] {
        /// Which block of the answer.
        index: u64;
    }
}

record! {
    /// What is known of the answer now.
    pub struct MessageDelta ["type" = "message_delta"] {
        /// What changed.
        delta: MessageChange;
        /// The tokens used so far.
        usage: Usage;
        /// What was removed from the context.
        context_management: Json;
    }
}

record! {
    /// What changed in an answer.
    pub struct MessageChange {
        /// Why the model stopped.
        stop_reason: StopReason;
        /// The text that made it stop.
        stop_sequence: String, hidden;
        /// More about why it stopped.
        stop_details: StopDetails;
        /// Where code ran.
        container: Json;
    }
}

record! {
    /// The answer is complete.
    pub struct MessageStop ["type" = "message_stop"] {}
}

record! {
    /// Nothing; the connection is alive.
    pub struct Ping ["type" = "ping"] {}
}

record! {
    /// The API failed.
    pub struct ErrorEvent ["type" = "error"] {
        /// How.
        error: StreamError;
    }
}

record! {
    /// How the API failed.
    pub struct StreamError {
        /// The kind of failure, as `overloaded_error`.
        kind: String = "type";
        /// What the API says.
        message: String, hidden;
    }
}

tagged! {
    /// How a block goes on.
    pub enum Delta by type_name = "type" {
        /// With text.
        Text(TextDelta) = "text_delta",
        /// With a piece of a tool's input.
        InputJson(InputJsonDelta) = "input_json_delta",
        /// With thinking.
        Thinking(ThinkingDelta) = "thinking_delta",
        /// With the signature of the thinking.
        Signature(SignatureDelta) = "signature_delta",
        /// With a citation.
        Citations(CitationsDelta) = "citations_delta",
    } else
    /// A delta of a type that this version does not know.
    Unknown(Unknown)
}

record! {
    /// More text.
    pub struct TextDelta ["type" = "text_delta"] {
        /// The text.
        text: String, hidden;
    }
}

record! {
    /// More of a tool's input.
    pub struct InputJsonDelta ["type" = "input_json_delta"] {
        /// A piece of JSON text; all pieces together are the input.
        partial_json: String, hidden;
    }
}

record! {
    /// More thinking.
    pub struct ThinkingDelta ["type" = "thinking_delta"] {
        /// The thinking.
        thinking: String, hidden;
        /// About how many tokens it took.
        estimated_tokens: u64;
    }
}

record! {
    /// The signature of the thinking.
    pub struct SignatureDelta ["type" = "signature_delta"] {
        /// The signature.
        signature: String, hidden;
    }
}

record! {
    /// A citation.
    pub struct CitationsDelta ["type" = "citations_delta"] {
        /// The citation.
        citation: Json;
    }
}
