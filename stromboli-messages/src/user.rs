//! What the model is told: prompts and the answers of tools.

use std::borrow::Cow;

use crate::{
    ApiMessage, Block, Content, Json, ToolResult,
    wire::{message, open_enum, record},
};

message! {
    /// What the model is told: a prompt, or the answers of tools.
    pub struct UserMessage ["type" = "user"] {
        /// The message of the API.
        message: ApiMessage;
        /// The tool use it was said in, when it was said to a subagent.
        parent_tool_use_id: String;
        /// Whether nobody typed it.
        is_synthetic: bool = "isSynthetic";
        /// What the tool returned, in a shape of its own, before it became text for the model.
        tool_use_result: Json;
        /// When it should be read.
        priority: Priority;
        /// Who sent it.
        origin: Origin;
        /// Whether the model should answer it.
        should_query: bool = "shouldQuery";
        /// When it was said.
        timestamp: String;
        /// Whether the client put it together.
        client_composed: bool;
        /// What was pasted into it.
        pasted_content: Vec<Content>;
        /// What was pasted into its text.
        inline_pastes: Vec<String>, hidden;
        /// The agent it was said to.
        agent_id: String;
        /// The kind of subagent it was said to.
        subagent_type: String;
        /// What the subagent was asked to do.
        task_description: String, hidden;
        /// Whether it is an echo of a message that was sent.
        is_replay: bool = "isReplay";
        /// The files attached to it.
        file_attachments: Vec<Json>;
    }
}

impl UserMessage {
    /// The text of all text blocks, or the plain string; empty where there is none.
    pub fn text(&self) -> Cow<'_, str> {
        self.message.as_ref().map(ApiMessage::text).unwrap_or_default()
    }

    /// The answers of tools.
    pub fn tool_results(&self) -> impl Iterator<Item = &ToolResult> {
        self.message.iter().flat_map(ApiMessage::tool_results)
    }

    /// The blocks either way: a plain string is one block of text.
    pub fn blocks(&self) -> Cow<'_, [Block]> {
        self.message.as_ref().map(ApiMessage::blocks).unwrap_or_default()
    }

    /// Whether it was said to a subagent, and not to the main one.
    pub fn is_from_subagent(&self) -> bool {
        self.parent().is_some()
    }

    /// The tool use it was said in, where a subagent said it or was told it; as it is written where it is no text.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.extra.or_written(&self.parent_tool_use_id, "parent_tool_use_id")
    }
}

open_enum! {
    /// When a message should be read.
    pub enum Priority {
        /// At once.
        Now = "now",
        /// Before what waits.
        Next = "next",
        /// After what waits.
        Later = "later",
    }
}

record! {
    /// Who sent a message or started a turn.
    pub struct Origin {
        /// The kind of sender.
        kind: OriginKind;
        /// The kind of task notification.
        subkind: String;
        /// The server of a channel.
        server: String;
        /// The peer or observer.
        from: String;
        /// How the peer asks for permissions.
        from_mode: String = "fromMode";
        /// The peer's name.
        name: String;
        /// The peer's session.
        from_session: String = "fromSession";
        /// The task that sent it.
        sender_task_id: String = "senderTaskId";
        /// What the peer said.
        body: String, hidden;
        /// The peer's process, where it was verified.
        verified_peer_pid: u64 = "verifiedPeerPid";
        /// Why a trigger fired.
        fire_reason: String = "fireReason", hidden;
        /// The run of a task.
        run_id: String = "runId";
    }
}

open_enum! {
    /// The kind of sender.
    pub enum OriginKind {
        /// A person.
        Human = "human",
        /// A channel.
        Channel = "channel",
        /// Another session.
        Peer = "peer",
        /// A task in the background.
        TaskNotification = "task-notification",
        /// The coordinator of several agents.
        Coordinator = "coordinator",
        /// Not known.
        Unclassified = "unclassified",
        /// An observer.
        Observer = "observer",
        /// Claude Code, to go on.
        AutoContinuation = "auto-continuation",
        /// What an observer did.
        ObserverActivity = "observer-activity",
    }
}
