//! Tasks: subagents, shells and workflows that run beside the conversation.

use crate::{
    Json, Number,
    wire::{message, open_enum, record},
};

message! {
    /// A task has started.
    pub struct TaskStarted ["type" = "system", "subtype" = "task_started"] {
        /// The task.
        task_id: String;
        /// This run of it.
        run_id: String;
        /// The tool use that started it.
        tool_use_id: String;
        /// What it is.
        description: String, hidden;
        /// The kind of subagent.
        subagent_type: String;
        /// Whether it runs in the background.
        is_backgrounded: bool;
        /// How many tasks it is inside of.
        spawn_depth: u64;
        /// The task that started it.
        parent_task_id: String;
        /// The kind of task.
        task_type: TaskType;
        /// The workflow.
        workflow_name: String;
        /// What the subagent was asked.
        prompt: String, hidden;
        /// Whether the transcript leaves it out.
        skip_transcript: bool;
        /// Whether it is not part of the work.
        ambient: bool;
    }
}

open_enum! {
    /// The kind of task.
    pub enum TaskType {
        /// A shell.
        LocalBash = "local_bash",
        /// A subagent.
        LocalAgent = "local_agent",
        /// An agent elsewhere.
        RemoteAgent = "remote_agent",
        /// Another agent in the same process.
        InProcessTeammate = "in_process_teammate",
        /// A workflow.
        LocalWorkflow = "local_workflow",
        /// A watch on an MCP server.
        MonitorMcp = "monitor_mcp",
        /// Work on memories.
        Dream = "dream",
    }
}

message! {
    /// A task has changed.
    pub struct TaskUpdated ["type" = "system", "subtype" = "task_updated"] {
        /// The task.
        task_id: String;
        /// This run of it.
        run_id: String;
        /// What has changed.
        patch: TaskPatch;
    }
}

record! {
    /// What has changed in a task.
    pub struct TaskPatch {
        /// How it stands.
        status: TaskStatus;
        /// What it is.
        description: String, hidden;
        /// When it ended, in milliseconds since 1970.
        end_time: Number;
        /// Milliseconds it has not run.
        total_paused_ms: Number;
        /// Why it failed.
        error: String, hidden;
        /// Whether it runs in the background.
        is_backgrounded: bool;
    }
}

open_enum! {
    /// How a task stands.
    pub enum TaskStatus {
        /// It waits.
        Pending = "pending",
        /// It runs.
        Running = "running",
        /// It has ended well.
        Completed = "completed",
        /// It has failed.
        Failed = "failed",
        /// It was killed.
        Killed = "killed",
        /// It was paused.
        Paused = "paused",
    }
}

message! {
    /// A task goes on.
    pub struct TaskProgress ["type" = "system", "subtype" = "task_progress"] {
        /// The task.
        task_id: String;
        /// This run of it.
        run_id: String;
        /// The tool use that started it.
        tool_use_id: String;
        /// What it does.
        description: String, hidden;
        /// The kind of subagent.
        subagent_type: String;
        /// What it has used.
        usage: TaskUsage;
        /// The tool it called last.
        last_tool_name: String;
        /// What it has done.
        summary: String, hidden;
    }
}

record! {
    /// What a task has used.
    pub struct TaskUsage {
        /// Tokens, read and written.
        total_tokens: u64;
        /// Calls of tools.
        tool_uses: u64;
        /// Milliseconds.
        duration_ms: Number;
    }
}

message! {
    /// A task in the background has ended.
    pub struct TaskNotification ["type" = "system", "subtype" = "task_notification"] {
        /// The task.
        task_id: String;
        /// This run of it.
        run_id: String;
        /// The tool use that started it.
        tool_use_id: String;
        /// How it ended.
        status: TaskEnd;
        /// Why.
        reason: TaskEndReason;
        /// Where its output is.
        output_file: String;
        /// What it did.
        summary: String, hidden;
        /// What it has used.
        usage: TaskUsage;
        /// What it made.
        resource_links: Vec<ResourceLink>;
        /// Whether the transcript leaves it out.
        skip_transcript: bool;
        /// Whether it is not part of the work.
        ambient: bool;
    }
}

open_enum! {
    /// Why a task ended.
    pub enum TaskEndReason {
        /// The process that it ran in was started again.
        WorkerRestart = "worker_restart",
    }
}

open_enum! {
    /// How a task ended.
    pub enum TaskEnd {
        /// Well.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was stopped.
        Stopped = "stopped",
    }
}

record! {
    /// Something that a task made.
    pub struct ResourceLink {
        /// Where it is.
        uri: String, hidden;
        /// Its name.
        name: String;
        /// Its title.
        title: String, hidden;
        /// What it is.
        description: String, hidden;
        /// Its media type.
        mime_type: String = "mimeType";
        /// Its size in bytes.
        size: u64;
        /// More about it.
        annotations: Json;
    }
}

message! {
    /// The tasks in the background, all of them.
    pub struct BackgroundTasksChanged ["type" = "system", "subtype" = "background_tasks_changed"] {
        /// They.
        tasks: Vec<BackgroundTask>;
    }
}

record! {
    /// A task in the background.
    pub struct BackgroundTask {
        /// The task.
        task_id: String;
        /// This run of it.
        run_id: String;
        /// The kind of task.
        task_type: TaskType;
        /// The kind of subagent.
        subagent_type: String;
        /// What it is.
        description: String, hidden;
        /// The task that started it.
        parent_task_id: String;
        /// Whether it is not part of the work.
        ambient: bool;
    }
}
