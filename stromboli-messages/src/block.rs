//! Content blocks: what the messages of a conversation are made of.

mod content;
mod source;

use std::borrow::Cow;

pub use content::Content;
pub use source::{Base64Source, FileSource, Source, TextSource, UrlSource};

use crate::{
    Extra, Json, Unknown,
    wire::{record, tagged},
};

tagged! {
    /// One piece of content.
    pub enum Block by type_name = "type" {
        /// Text.
        Text(TextBlock) = "text",
        /// What the model thought before it answered.
        Thinking(ThinkingBlock) = "thinking",
        /// Thinking that the API keeps to itself.
        RedactedThinking(RedactedThinkingBlock) = "redacted_thinking",
        /// A call of a tool.
        ToolUse(ToolUse) = "tool_use",
        /// What a tool answered.
        ToolResult(ToolResult) = "tool_result",
        /// A picture.
        Image(ImageBlock) = "image",
        /// A document.
        Document(DocumentBlock) = "document",
        /// A tool that was found for use.
        ToolReference(ToolReference) = "tool_reference",
        /// Text that a connector put in.
        ConnectorText(ConnectorText) = "connector_text",
        /// A call of a tool that the API carries out itself.
        ServerToolUse(ServerToolUse) = "server_tool_use",
        /// What a search of the web found.
        WebSearchToolResult(WebSearchToolResult) = "web_search_tool_result",
    } else
    /// A block of a type that this version does not know.
    Unknown(Unknown)
}

record! {
    /// Text.
    pub struct TextBlock ["type" = "text"] {
        /// What is said.
        text: String, hidden;
        /// Where it is from.
        citations: Vec<Json>;
        /// Up to where the prompt is cached.
        cache_control: Json;
    }
}

impl TextBlock {
    /// A block that says this.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// What is said; halves of surrogate pairs, for which `text` has no place, become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        text_or_extra(self.text.as_deref(), &self.extra, "text")
    }
}

record! {
    /// What the model thought before it answered.
    pub struct ThinkingBlock ["type" = "thinking"] {
        /// What it thought; empty where only the signature is given.
        thinking: String, hidden;
        /// The proof that it was the model that thought it.
        signature: String, hidden;
    }
}

record! {
    /// Thinking that the API keeps to itself.
    pub struct RedactedThinkingBlock ["type" = "redacted_thinking"] {
        /// The thinking, encrypted.
        data: String, hidden;
    }
}

record! {
    /// A call of a tool.
    pub struct ToolUse ["type" = "tool_use"] {
        /// The id that its result refers to.
        id: String;
        /// The tool.
        name: String;
        /// What the tool is given.
        input: Json;
        /// What asked for it, where that was not the model itself.
        caller: Json;
    }
}

impl ToolUse {
    /// The input as a type of the caller's.
    ///
    /// # Errors
    /// If there is no input, or it does not fit the type.
    pub fn input<'a, T: serde::Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        self.input
            .as_ref()
            .ok_or_else(|| serde::de::Error::custom("the tool use has no input"))?
            .parse()
    }
}

record! {
    /// What a tool answered.
    pub struct ToolResult ["type" = "tool_result"] {
        /// The tool use that it answers.
        tool_use_id: String;
        /// The answer.
        content: Content;
        /// Whether the tool failed, or was not allowed to run; absent means that it did not.
        is_error: bool;
        /// Up to where the prompt is cached.
        cache_control: Json;
    }
}

impl ToolResult {
    /// The text of the answer; empty where there is none.
    pub fn text(&self) -> Cow<'_, str> {
        content_text(self.content.as_ref(), &self.extra)
    }

    /// Whether the tool failed, or was not allowed to run.
    pub fn is_error(&self) -> bool {
        self.is_error.unwrap_or(false)
    }
}

record! {
    /// A picture.
    pub struct ImageBlock ["type" = "image"] {
        /// Where it is.
        source: Source;
        /// Up to where the prompt is cached.
        cache_control: Json;
    }
}

record! {
    /// A document.
    pub struct DocumentBlock ["type" = "document"] {
        /// Where it is.
        source: Source;
        /// Its title.
        title: String, hidden;
        /// What the model should know about it.
        context: String, hidden;
        /// Whether it may be cited.
        citations: Json;
        /// Up to where the prompt is cached.
        cache_control: Json;
    }
}

record! {
    /// A tool that was found for use.
    pub struct ToolReference ["type" = "tool_reference"] {
        /// The tool.
        tool_name: String;
        /// Up to where the prompt is cached.
        cache_control: Json;
    }
}

record! {
    /// Text that a connector put in.
    pub struct ConnectorText ["type" = "connector_text"] {
        /// The text.
        text: String, hidden;
    }
}

record! {
    /// A call of a tool that the API carries out itself.
    pub struct ServerToolUse ["type" = "server_tool_use"] {
        /// The id that its result refers to.
        id: String;
        /// The tool.
        name: String;
        /// What the tool is given.
        input: Json;
        /// What asked for it, where that was not the model itself.
        caller: Json;
    }
}

record! {
    /// What a search of the web found.
    pub struct WebSearchToolResult ["type" = "web_search_tool_result"] {
        /// The tool use that it answers.
        tool_use_id: String;
        /// A list of results, or an error.
        content: Json;
        /// What asked for it, where that was not the model itself.
        caller: Json;
    }
}

/// A text field; where its value does not fit, what can be shown of it.
pub(crate) fn text_or_extra<'a>(text: Option<&'a str>, extra: &'a Extra, name: &str) -> Cow<'a, str> {
    text.map(Cow::Borrowed)
        .or_else(|| extra.get(name)?.text())
        .unwrap_or_default()
}

/// The text of a field `content`; where its value does not fit, what can be shown of it.
pub(crate) fn content_text<'a>(content: Option<&'a Content>, extra: &'a Extra) -> Cow<'a, str> {
    match content {
        Some(content) => content.text(),
        None => text_or_extra(None, extra, "content"),
    }
}

/// The texts in one, borrowed where there is only one.
pub(crate) fn join<'a>(mut texts: impl Iterator<Item = Cow<'a, str>>) -> Cow<'a, str> {
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |all, text| all + text)
}

/// The text of each text block.
pub(crate) fn texts(blocks: &[Block]) -> impl Iterator<Item = Cow<'_, str>> {
    blocks.iter().filter_map(|block| match block {
        Block::Text(block) => Some(block.text()),
        _ => None,
    })
}
