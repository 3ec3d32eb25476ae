//! What Claude Code reports about itself: the `system` lines, told apart by `subtype`.

mod hooks;
mod init;

mod notices;
mod state;
mod tasks;

pub use hooks::{HookOutcome, HookProgress, HookResponse, HookStarted};
pub use init::{
    ApiKeySource, Effort, Init, ManagedLock, McpServer, MemoryPaths, PermissionMode, Plugin, PluginError, ViewMode,
};
pub use notices::{
    CommandsChanged, ElicitationComplete, FailedFile, FilesPersisted, Informational, InformationalLevel,
    LocalCommandOutput, LostWrite, Memory, MemoryMode, MemoryRecall, MemoryScope, MirrorError, MirrorKey, Notification,
    NotificationPriority, PermissionDenied, PersistedFile, PluginInstall, PluginInstallStatus, PostTurnSummary,
    SessionWritesLost, SlashCommand, WorkerShuttingDown, WriteError,
};
pub use state::{
    Activity, ApiRetry, CompactBoundary, CompactMetadata, CompactResult, CompactTrigger, ControlRequestProgress,
    ControlRequestStatus, FallbackDirection, FallbackScope, FallbackTrigger, ModelRefusalFallback,
    ModelRefusalNoFallback, NoResponse, PreservedMessages, PreservedSegment, SessionState, SessionStateChanged, Status,
    ThinkingTokens,
};
pub use tasks::{
    BackgroundTask, BackgroundTasksChanged, ResourceLink, TaskEnd, TaskEndReason, TaskNotification, TaskPatch,
    TaskProgress, TaskStarted, TaskStatus, TaskType, TaskUpdated, TaskUsage,
};

use crate::{UnknownMessage, wire::tagged};

tagged! {
    /// What Claude Code reports about itself.
    pub enum System by subtype = "subtype" {
        /// It has started; comes again with every turn of a conversation that is fed from outside.
        Init(Box<Init>) = "init",
        /// The context was compacted.
        CompactBoundary(Box<CompactBoundary>) = "compact_boundary",
        /// What it is doing.
        Status(Box<Status>) = "status",
        /// The API failed and is asked again.
        ApiRetry(Box<ApiRetry>) = "api_retry",
        /// A control request is being carried out.
        ControlRequestProgress(Box<ControlRequestProgress>) = "control_request_progress",
        /// The model refused, and another one is asked.
        ModelRefusalFallback(Box<ModelRefusalFallback>) = "model_refusal_fallback",
        /// The model refused, and there is no other one.
        ModelRefusalNoFallback(Box<ModelRefusalNoFallback>) = "model_refusal_no_fallback",
        /// What a local command printed.
        LocalCommandOutput(Box<LocalCommandOutput>) = "local_command_output",
        /// A hook has started.
        HookStarted(Box<HookStarted>) = "hook_started",
        /// A hook is still running.
        HookProgress(Box<HookProgress>) = "hook_progress",
        /// A hook has ended.
        HookResponse(Box<HookResponse>) = "hook_response",
        /// A plugin is being installed.
        PluginInstall(Box<PluginInstall>) = "plugin_install",
        /// A task in the background has ended.
        TaskNotification(Box<TaskNotification>) = "task_notification",
        /// A task has started.
        TaskStarted(Box<TaskStarted>) = "task_started",
        /// A task has changed.
        TaskUpdated(Box<TaskUpdated>) = "task_updated",
        /// A task goes on.
        TaskProgress(Box<TaskProgress>) = "task_progress",
        /// The tasks in the background, all of them.
        BackgroundTasksChanged(Box<BackgroundTasksChanged>) = "background_tasks_changed",
        /// The model is thinking.
        ThinkingTokens(Box<ThinkingTokens>) = "thinking_tokens",
        /// The session began or ended work.
        SessionStateChanged(Box<SessionStateChanged>) = "session_state_changed",
        /// The process is about to end.
        WorkerShuttingDown(Box<WorkerShuttingDown>) = "worker_shutting_down",
        /// The slash commands, all of them.
        CommandsChanged(Box<CommandsChanged>) = "commands_changed",
        /// Something for the user to notice.
        Notification(Box<Notification>) = "notification",
        /// Files were stored.
        FilesPersisted(Box<FilesPersisted>) = "files_persisted",
        /// Memories were read.
        MemoryRecall(Box<MemoryRecall>) = "memory_recall",
        /// A question of an MCP server's was answered.
        ElicitationComplete(Box<ElicitationComplete>) = "elicitation_complete",
        /// A tool use was not allowed.
        PermissionDenied(Box<PermissionDenied>) = "permission_denied",
        /// The transcript could not be copied.
        MirrorError(Box<MirrorError>) = "mirror_error",
        /// Something for the user to know.
        Informational(Box<Informational>) = "informational",
        /// Parts of the session could not be stored.
        SessionWritesLost(Box<SessionWritesLost>) = "session_writes_lost",
        /// What the turn did, in a few words.
        PostTurnSummary(Box<PostTurnSummary>) = "post_turn_summary",
    } else
    /// A subtype that this version does not know.
    Unknown(Box<UnknownMessage>)
}
