//! The lines that report something beside the conversation, other than `system` ones.

use crate::{
    Number,
    wire::{message, open_enum, record},
};

message! {
    /// The goal that is being worked on.
    pub struct ActiveGoal ["type" = "active_goal"] {
        /// The goal; `null` when there is none any more.
        value: Goal;
    }
}

record! {
    /// A goal that is being worked on.
    pub struct Goal {
        /// When it is reached.
        condition: String, hidden;
        /// How often it was tried.
        iterations: u64;
        /// When it was set, in milliseconds since 1970.
        set_at: Number;
        /// The tokens used when it began.
        tokens_at_start: u64;
        /// Why it was not reached the last time.
        last_reason: String, hidden;
    }
}

message! {
    /// A login goes on.
    pub struct AuthStatus ["type" = "auth_status"] {
        /// Whether it is under way.
        is_authenticating: bool = "isAuthenticating";
        /// What it says.
        output: Vec<String>, hidden;
        /// Why it failed.
        error: String, hidden;
    }
}

message! {
    /// The conversation begins anew.
    pub struct ConversationReset ["type" = "conversation_reset"] {
        /// The new conversation.
        new_conversation_id: String;
        /// Why.
        trigger: ResetTrigger;
        /// The user's message that asked for it.
        user_message_uuid: String;
        /// When.
        timestamp: String;
    }
}

open_enum! {
    /// Why a conversation begins anew.
    pub enum ResetTrigger {
        /// The user asked for it.
        Clear = "clear",
        /// A plan is carried out.
        PlanModeExit = "plan_mode_exit",
        /// A new session was asked for.
        FreshSession = "fresh_session",
        /// Claude Code is new here.
        Onboarding = "onboarding",
    }
}

message! {
    /// What the user might say next.
    pub struct PromptSuggestion ["type" = "prompt_suggestion"] {
        /// The prompt.
        suggestion: String, hidden;
    }
}

message! {
    /// A tool is still running.
    pub struct ToolProgress ["type" = "tool_progress"] {
        /// The tool use.
        tool_use_id: String;
        /// The tool.
        tool_name: String;
        /// The tool use it was called in, when a subagent called it.
        parent_tool_use_id: String;
        /// For how many seconds.
        elapsed_time_seconds: Number;
        /// The task that it is.
        task_id: String;
        /// Whether there is nothing new to say.
        heartbeat: bool;
        /// The kind of subagent that runs.
        subagent_type: String;
        /// What the subagent waits for.
        subagent_retry: SubagentRetry;
    }
}

record! {
    /// A subagent waits before it asks the API again.
    pub struct SubagentRetry {
        /// The agent.
        agent_id: String;
        /// Which attempt comes.
        attempt: u64;
        /// How many attempts there may be.
        max_retries: u64;
        /// Milliseconds until then.
        retry_delay_ms: Number;
        /// The HTTP status of the failure.
        error_status: u64;
        /// The kind of failure.
        error_category: String;
    }
}

message! {
    /// What some tool uses did, in a few words.
    pub struct ToolUseSummary ["type" = "tool_use_summary"] {
        /// The words.
        summary: String, hidden;
        /// The tool uses.
        preceding_tool_use_ids: Vec<String>;
    }
}

message! {
    /// What the model says, without the rest of the message.
    pub struct StreamlinedText ["type" = "streamlined_text"] {
        /// What it says.
        text: String, hidden;
    }
}

message! {
    /// What the tools did, in a few words.
    pub struct StreamlinedToolUseSummary ["type" = "streamlined_tool_use_summary"] {
        /// The words.
        tool_summary: String, hidden;
    }
}
