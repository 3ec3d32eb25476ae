//! Transcripts: the lines in which a session lies on disk, close relatives of those that are printed.

use std::borrow::Cow;

use crate::{
    ApiMessage, Block, Content, Json, Number, ParseError, ToolResult, ToolUse,
    system::PermissionMode,
    wire::{line, open_enum, record},
};

record! {
    /// A line of a transcript. Its type says which of the fields it has.
    ///
    /// ```
    /// use stromboli_messages::transcript::{Entry, EntryType};
    ///
    /// let line = r#"{"parentUuid":null,"type":"user","message":{"role":"user","content":"Hi"},"cwd":"/workspace"}"#;
    /// let entry = Entry::parse(line)?;
    /// assert_eq!(entry.entry_type, Some(EntryType::User));
    /// assert_eq!(entry.text(), "Hi");
    /// # Ok::<(), stromboli_messages::ParseError>(())
    /// ```
    pub struct Entry keeps line {
        /// What kind of line it is.
        entry_type: EntryType = "type";
        /// The kind of a `system` line.
        subtype: String;
        /// The line it follows; `null` for the first.
        parent_uuid: String = "parentUuid";
        /// The line it follows in the conversation, where the context was compacted in between.
        logical_parent_uuid: String = "logicalParentUuid";
        /// Whether it is of a subagent's conversation.
        is_sidechain: bool = "isSidechain";
        /// The agent that it is of.
        agent_id: String = "agentId";
        /// The id of this line.
        uuid: String;
        /// The session it belongs to.
        session_id: String = "sessionId";
        /// When it was written.
        timestamp: String;
        /// The working directory.
        cwd: String;
        /// The branch of the working directory.
        git_branch: String = "gitBranch";
        /// The version of Claude Code.
        version: String;
        /// What kind of user there is.
        user_type: String = "userType";
        /// How Claude Code was started.
        entrypoint: String;
        /// What happens when a tool needs a permission.
        permission_mode: PermissionMode = "permissionMode";
        /// The prompt that it belongs to.
        prompt_id: String = "promptId";
        /// Where the prompt is from.
        prompt_source: String = "promptSource";
        /// The message of the API.
        message: ApiMessage;
        /// The API's id of the request.
        request_id: String = "requestId";
        /// Whether the message says that the API failed.
        is_api_error_message: bool = "isApiErrorMessage";
        /// What failed.
        error: Json;
        /// Whether nobody typed it.
        is_meta: bool = "isMeta";
        /// Whether it sums up what was compacted.
        is_compact_summary: bool = "isCompactSummary";
        /// Whether the model does not see it.
        is_visible_in_transcript_only: bool = "isVisibleInTranscriptOnly";
        /// What the tool returned, in a shape of its own, before it became text for the model.
        tool_use_result: Json = "toolUseResult";
        /// The tool use that it is about.
        tool_use_id: String = "toolUseID";
        /// The tool use that this is inside of.
        parent_tool_use_id: String = "parentToolUseID";
        /// The line that called the tool.
        source_tool_assistant_uuid: String = "sourceToolAssistantUUID";
        /// Whether the turn ends with the tool's answer.
        tool_ends_turn: bool = "toolEndsTurn";
        /// What was put beside the conversation for the model.
        attachment: Attachment;
        /// What a `system` line says, or a prompt that waits.
        content: Content;
        /// How important it is.
        level: String;
        /// How the context was compacted.
        compact_metadata: Json = "compactMetadata";
        /// How long it took in milliseconds.
        duration_ms: Number = "durationMs";
        /// What happened to the prompts that wait.
        operation: String;
        /// What the conversation is about.
        summary: String, hidden;
        /// The line that a summary or a last prompt ends at.
        leaf_uuid: String = "leafUuid";
        /// The prompt that came last.
        last_prompt: String = "lastPrompt", hidden;
        /// The title that the user gave it.
        custom_title: String = "customTitle", hidden;
        /// The line that a snapshot belongs to.
        message_id: String = "messageId";
        /// What files were like.
        snapshot: Json;
        /// What is under way.
        data: Json;
    }
}

impl Entry {
    /// Reads a line. What does not fit its type stays in the `extra` of the innermost record around it.
    ///
    /// # Errors
    /// Only if the line is not a JSON object.
    pub fn parse(line: impl Into<String>) -> Result<Self, ParseError> {
        Self::of_line(line.into())
    }

    // For all callers, so that reading is compiled in this crate.
    fn of_line(line: String) -> Result<Self, ParseError> {
        line::parse(line, |entry: &mut Self, line| entry.line = Some(line))
    }

    /// The blocks of the message either way: a plain string is one block of text.
    pub fn blocks(&self) -> Cow<'_, [Block]> {
        self.message.as_ref().map(ApiMessage::blocks).unwrap_or_default()
    }

    /// The text of the message's text blocks, or the plain string; empty where there is none.
    pub fn text(&self) -> Cow<'_, str> {
        self.message.as_ref().map(ApiMessage::text).unwrap_or_default()
    }

    /// The tools that the message calls.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.message.iter().flat_map(ApiMessage::tool_uses)
    }

    /// The answers of tools in the message.
    pub fn tool_results(&self) -> impl Iterator<Item = &ToolResult> {
        self.message.iter().flat_map(ApiMessage::tool_results)
    }

    /// Whether it is of a subagent's conversation, and not of the main one.
    pub fn is_from_subagent(&self) -> bool {
        self.is_sidechain.unwrap_or(false)
    }
}

open_enum! {
    /// What kind of line of a transcript it is.
    pub enum EntryType {
        /// A prompt, or the answers of tools.
        User = "user",
        /// What the model says.
        Assistant = "assistant",
        /// What Claude Code reports.
        System = "system",
        /// What was put beside the conversation for the model.
        Attachment = "attachment",
        /// What the conversation is about.
        Summary = "summary",
        /// What happened to the prompts that wait.
        QueueOperation = "queue-operation",
        /// The prompt that came last.
        LastPrompt = "last-prompt",
        /// What is under way.
        Progress = "progress",
        /// What files were like.
        FileHistorySnapshot = "file-history-snapshot",
        /// The title that the user gave the conversation.
        CustomTitle = "custom-title",
    }
}

record! {
    /// What was put beside the conversation for the model. What else it has depends on its type.
    pub struct Attachment {
        /// What kind it is.
        kind: String = "type";
        /// What it says.
        content: Json;
        /// What it holds, as the structured output of a turn.
        data: Json;
        /// The tool use that it is about.
        tool_use_id: String = "toolUseID";
        /// Whether it is the first of its kind.
        is_initial: bool = "isInitial";
        /// What is listed in it.
        names: Vec<String>;
    }
}
