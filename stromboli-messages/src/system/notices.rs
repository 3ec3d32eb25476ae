//! Single reports: commands, files, memories, permissions, plugins and what the user should know.

use crate::wire::{message, open_enum, record};

message! {
    /// What a local command printed.
    pub struct LocalCommandOutput ["type" = "system", "subtype" = "local_command_output"] {
        /// What it printed.
        content: String, hidden;
    }
}

message! {
    /// A plugin is being installed.
    pub struct PluginInstall ["type" = "system", "subtype" = "plugin_install"] {
        /// How far it is.
        status: PluginInstallStatus;
        /// The plugin.
        name: String;
        /// Why it failed.
        error: String, hidden;
    }
}

open_enum! {
    /// How far the installation of plugins is.
    pub enum PluginInstallStatus {
        /// It has begun.
        Started = "started",
        /// A plugin is installed.
        Installed = "installed",
        /// A plugin failed.
        Failed = "failed",
        /// All is done.
        Completed = "completed",
    }
}

message! {
    /// The process is about to end.
    pub struct WorkerShuttingDown ["type" = "system", "subtype" = "worker_shutting_down"] {
        /// Why.
        reason: String;
    }
}

message! {
    /// The slash commands, all of them.
    pub struct CommandsChanged ["type" = "system", "subtype" = "commands_changed"] {
        /// They.
        commands: Vec<SlashCommand>;
    }
}

record! {
    /// A slash command.
    pub struct SlashCommand {
        /// Its name.
        name: String;
        /// What it does.
        description: String;
        /// What it can be given.
        argument_hint: String = "argumentHint";
        /// Its other names.
        aliases: Vec<String>;
        /// Whether it is part of Claude Code.
        builtin: bool;
    }
}

message! {
    /// Something for the user to notice.
    pub struct Notification ["type" = "system", "subtype" = "notification"] {
        /// What it is about; a later one with the same key replaces it.
        key: String;
        /// What it says.
        text: String, hidden;
        /// How important it is.
        priority: NotificationPriority;
        /// How it should look.
        color: String;
        /// Milliseconds until it goes away.
        timeout_ms: u64;
    }
}

open_enum! {
    /// How important a notification is.
    pub enum NotificationPriority {
        /// Not very.
        Low = "low",
        /// Somewhat.
        Medium = "medium",
        /// Very.
        High = "high",
        /// It cannot wait.
        Immediate = "immediate",
    }
}

message! {
    /// Files were stored.
    pub struct FilesPersisted ["type" = "system", "subtype" = "files_persisted"] {
        /// Those that were.
        files: Vec<PersistedFile>;
        /// Those that were not.
        failed: Vec<FailedFile>;
        /// When.
        processed_at: String;
    }
}

record! {
    /// A file that was stored.
    pub struct PersistedFile {
        /// Its name.
        filename: String;
        /// Its id.
        file_id: String;
    }
}

record! {
    /// A file that was not stored.
    pub struct FailedFile {
        /// Its name.
        filename: String;
        /// Why.
        error: String, hidden;
    }
}

message! {
    /// Memories were read.
    pub struct MemoryRecall ["type" = "system", "subtype" = "memory_recall"] {
        /// How.
        mode: MemoryMode;
        /// They.
        memories: Vec<Memory>;
    }
}

open_enum! {
    /// How memories were read.
    pub enum MemoryMode {
        /// Some were chosen.
        Select = "select",
        /// A text was made of them.
        Synthesize = "synthesize",
    }
}

record! {
    /// A memory.
    pub struct Memory {
        /// Where it is.
        path: String;
        /// Whose it is.
        scope: MemoryScope;
        /// What it says.
        content: String, hidden;
    }
}

open_enum! {
    /// Whose memory it is.
    pub enum MemoryScope {
        /// The user's.
        Personal = "personal",
        /// The team's.
        Team = "team",
        /// The organisation's.
        Organization = "organization",
    }
}

message! {
    /// A question of an MCP server's was answered.
    pub struct ElicitationComplete ["type" = "system", "subtype" = "elicitation_complete"] {
        /// The server.
        mcp_server_name: String;
        /// The question.
        elicitation_id: String;
    }
}

message! {
    /// A tool use was not allowed.
    pub struct PermissionDenied ["type" = "system", "subtype" = "permission_denied"] {
        /// The tool.
        tool_name: String;
        /// The tool use.
        tool_use_id: String;
        /// The agent that called the tool.
        agent_id: String;
        /// What decided.
        decision_reason_type: String;
        /// Why.
        decision_reason: String, hidden;
        /// What the model is told.
        message: String, hidden;
    }
}

message! {
    /// The transcript could not be copied.
    pub struct MirrorError ["type" = "system", "subtype" = "mirror_error"] {
        /// Why.
        error: String, hidden;
        /// Which transcript.
        key: MirrorKey;
    }
}

record! {
    /// A transcript.
    pub struct MirrorKey {
        /// The project.
        project_key: String = "projectKey";
        /// The session.
        session_id: String = "sessionId";
        /// The part of it.
        subpath: String;
    }
}

message! {
    /// Something for the user to know.
    pub struct Informational ["type" = "system", "subtype" = "informational"] {
        /// What it says.
        content: String, hidden;
        /// How important it is.
        level: InformationalLevel;
        /// The tool use it is about.
        tool_use_id: String;
        /// Whether the turn ends with it.
        prevent_continuation: bool;
        /// What it is about.
        tag: String;
    }
}

open_enum! {
    /// How important something for the user to know is.
    pub enum InformationalLevel {
        /// Good to know.
        Info = "info",
        /// Worth a look.
        Notice = "notice",
        /// Something to try.
        Suggestion = "suggestion",
        /// Something is wrong.
        Warning = "warning",
    }
}

message! {
    /// Parts of the session could not be stored.
    pub struct SessionWritesLost ["type" = "system", "subtype" = "session_writes_lost"] {
        /// Why.
        error_code: WriteError;
        /// What is lost.
        lost: Vec<LostWrite>;
        /// The sessions whose transcripts are not complete.
        transcript_session_ids: Vec<String>;
    }
}

open_enum! {
    /// Why something could not be stored, as the system names it.
    pub enum WriteError {
        /// The disk is full.
        NoSpace = "ENOSPC",
        /// The user has used up what is theirs of the disk.
        QuotaExceeded = "EDQUOT",
    }
}

open_enum! {
    /// What could not be stored.
    pub enum LostWrite {
        /// A part of the transcript.
        Transcript = "transcript",
        /// The user's settings for all projects.
        GlobalConfig = "global_config",
    }
}

message! {
    /// What the turn did, in a few words.
    pub struct PostTurnSummary ["type" = "system", "subtype" = "post_turn_summary"] {
        /// The message that it sums up.
        summarizes_uuid: String;
        /// How the work stands.
        status_category: String;
        /// How, in words.
        status_detail: String, hidden;
        /// Whether it is worth a look.
        is_noteworthy: bool;
        /// A title.
        title: String, hidden;
        /// What the work is.
        description: String, hidden;
        /// What was done last.
        recent_action: String, hidden;
        /// What the user should do.
        needs_action: String, hidden;
        /// What was made.
        artifact_urls: Vec<String>, hidden;
    }
}
