//! Hooks: programs of the user's that run at certain points.

use crate::wire::{message, open_enum};

message! {
    /// A hook has started.
    pub struct HookStarted ["type" = "system", "subtype" = "hook_started"] {
        /// This run of the hook.
        hook_id: String;
        /// The hook.
        hook_name: String;
        /// What it runs at.
        hook_event: String;
    }
}

message! {
    /// A hook is still running.
    pub struct HookProgress ["type" = "system", "subtype" = "hook_progress"] {
        /// This run of the hook.
        hook_id: String;
        /// The hook.
        hook_name: String;
        /// What it runs at.
        hook_event: String;
        /// What it has printed.
        stdout: String, hidden;
        /// What it has printed as errors.
        stderr: String, hidden;
        /// Both together.
        output: String, hidden;
    }
}

message! {
    /// A hook has ended.
    pub struct HookResponse ["type" = "system", "subtype" = "hook_response"] {
        /// This run of the hook.
        hook_id: String;
        /// The hook.
        hook_name: String;
        /// What it runs at.
        hook_event: String;
        /// What it printed, both together.
        output: String, hidden;
        /// What it printed.
        stdout: String, hidden;
        /// What it printed as errors.
        stderr: String, hidden;
        /// The code it ended with.
        exit_code: i64;
        /// How it ended.
        outcome: HookOutcome;
    }
}

open_enum! {
    /// How a hook ended.
    pub enum HookOutcome {
        /// Well.
        Success = "success",
        /// With an error.
        Error = "error",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}
