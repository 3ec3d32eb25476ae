//! Whether a turn went well, and why not.

use std::fmt;

use crate::wire::open_enum;

/// How a turn ended; by [`ResultMessage::outcome`](crate::ResultMessage::outcome).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Well.
    Ok,
    /// The API failed, as the text of the result says.
    ApiError {
        /// The HTTP status, if it answered.
        status: Option<u64>,
    },
    /// The model was called as often as allowed.
    MaxTurns,
    /// The budget was used up.
    Budget,
    /// The model did not give output that fits the schema.
    StructuredOutput,
    /// Something failed on the way.
    Execution,
    /// A subtype that this version does not know; empty where there is none.
    Other(String),
}

impl Outcome {
    /// Whether the turn went well.
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::ApiError { status: None } => f.write_str("the API failed"),
            Self::ApiError { status: Some(status) } => write!(f, "the API failed with status {status}"),
            Self::MaxTurns => f.write_str("the model was called as often as allowed"),
            Self::Budget => f.write_str("the budget was used up"),
            Self::StructuredOutput => f.write_str("no output fits the schema"),
            Self::Execution => f.write_str("the execution failed"),
            Self::Other(subtype) => write!(f, "ended with subtype `{subtype}`"),
        }
    }
}

open_enum! {
    /// The subtype of a result.
    pub enum ResultSubtype {
        /// There is a result, which may still be an API error in words.
        Success = "success",
        /// Something failed on the way.
        ErrorDuringExecution = "error_during_execution",
        /// The model was called as often as allowed.
        ErrorMaxTurns = "error_max_turns",
        /// The budget was used up.
        ErrorMaxBudgetUsd = "error_max_budget_usd",
        /// The model did not give output that fits the schema.
        ErrorMaxStructuredOutputRetries = "error_max_structured_output_retries",
    }
}

open_enum! {
    /// Why a turn ended.
    pub enum TerminalReason {
        /// All was said.
        Completed = "completed",
        /// The model was called as often as allowed.
        MaxTurns = "max_turns",
        /// The budget was used up.
        BudgetExhausted = "budget_exhausted",
        /// The model did not give output that fits the schema.
        StructuredOutputRetryExhausted = "structured_output_retry_exhausted",
        /// The prompt is too long.
        PromptTooLong = "prompt_too_long",
        /// An image cannot be used.
        ImageError = "image_error",
        /// The model failed.
        ModelError = "model_error",
        /// The API failed.
        ApiError = "api_error",
        /// It was interrupted while the model spoke.
        AbortedStreaming = "aborted_streaming",
        /// It was interrupted while tools ran.
        AbortedTools = "aborted_tools",
        /// A stop hook did not let it go on.
        StopHookPrevented = "stop_hook_prevented",
        /// A hook stopped it.
        HookStopped = "hook_stopped",
        /// A tool use was left to the caller.
        ToolDeferred = "tool_deferred",
        /// A tool use was to be left to the caller, which was not possible.
        ToolDeferredUnavailable = "tool_deferred_unavailable",
        /// A limit blocks the account.
        BlockingLimit = "blocking_limit",
        /// The context filled up again too fast.
        RapidRefillBreaker = "rapid_refill_breaker",
        /// The model called tools in a broken way too often.
        MalformedToolUseExhausted = "malformed_tool_use_exhausted",
        /// It went to the background.
        BackgroundRequested = "background_requested",
        /// The turn could not be set up.
        TurnSetupFailed = "turn_setup_failed",
    }
}

open_enum! {
    /// Why Claude Code did not start.
    pub enum StartupFailureReason {
        /// An API key is set where the organisation is pinned.
        OrgPinApiKeyConflict = "org_pin_api_key_conflict",
        /// The provider is not allowed.
        ProviderNotAllowed = "provider_not_allowed",
        /// The organisation could not be verified.
        OrgVerifyFailed = "org_verify_failed",
        /// It is another organisation.
        OrgPinMismatch = "org_pin_mismatch",
        /// The managed settings are not valid.
        ManagedSettingsInvalid = "managed_settings_invalid",
        /// The remote settings are required and not there.
        RemoteSettingsRequiredUnavailable = "remote_settings_required_unavailable",
        /// The gateway wants a login.
        GatewaySigninRequired = "gateway_signin_required",
        /// The gateway refused.
        GatewayAccessDenied = "gateway_access_denied",
        /// The proxy's settings are not valid.
        ProxyInvalid = "proxy_invalid",
        /// The folder for temporary files cannot be used.
        TempDirUnusable = "temp_dir_unusable",
        /// The working directory is not there.
        CwdUnavailable = "cwd_unavailable",
        /// There is no shell.
        ShellToolMissing = "shell_tool_missing",
        /// A process in the background has the session.
        SessionHeldByBackground = "session_held_by_background",
        /// The work tree is not the one of the session.
        WorktreeResumeRefused = "worktree_resume_refused",
        /// The work tree could not be verified.
        WorktreeUnverified = "worktree_unverified",
        /// The version is too old.
        CliVersionTooOld = "cli_version_too_old",
        /// Permissions cannot be bypassed as root.
        BypassRoot = "bypass_root",
        /// The organisation's configuration is required and not there.
        OrgConfigRequiredUnavailable = "org_config_required_unavailable",
        /// The organisation's configuration was refused.
        OrgConfigRefused = "org_config_refused",
        /// A sandbox is required and not there.
        SandboxRequiredUnavailable = "sandbox_required_unavailable",
        /// The first message was not `initialize`.
        InitializeNotFirst = "initialize_not_first",
        /// The configuration file is not valid.
        ConfigFileInvalid = "config_file_invalid",
        /// The managed settings did not arrive.
        ManagedSettingsNotDelivered = "managed_settings_not_delivered",
        /// Fields of `initialize` did not arrive.
        InitializeFieldsNotDelivered = "initialize_fields_not_delivered",
    }
}
