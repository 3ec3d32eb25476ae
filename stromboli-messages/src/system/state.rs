//! Where the work stands: states, retries, compacted contexts, refusals.

use crate::{
    Number,
    assistant::ApiError,
    system::PermissionMode,
    wire::{message, open_enum, record},
};

message! {
    /// The context was compacted.
    pub struct CompactBoundary ["type" = "system", "subtype" = "compact_boundary"] {
        /// How.
        compact_metadata: CompactMetadata;
    }
}

record! {
    /// How a context was compacted.
    pub struct CompactMetadata {
        /// Who asked for it.
        trigger: CompactTrigger;
        /// The tokens before.
        pre_tokens: u64;
        /// The tokens after.
        post_tokens: u64;
        /// Milliseconds it took.
        duration_ms: Number;
        /// The messages that were kept, as a range.
        preserved_segment: PreservedSegment;
        /// The messages that were kept, one by one.
        preserved_messages: PreservedMessages;
    }
}

open_enum! {
    /// Who asked for a context to be compacted.
    pub enum CompactTrigger {
        /// The user.
        Manual = "manual",
        /// Nobody; it was full.
        Auto = "auto",
    }
}

record! {
    /// A range of messages that were kept.
    pub struct PreservedSegment {
        /// The first.
        head_uuid: String;
        /// The message they follow.
        anchor_uuid: String;
        /// The last.
        tail_uuid: String;
    }
}

record! {
    /// Messages that were kept.
    pub struct PreservedMessages {
        /// The message they follow.
        anchor_uuid: String;
        /// They.
        uuids: Vec<String>;
    }
}

message! {
    /// What Claude Code is doing.
    pub struct Status ["type" = "system", "subtype" = "status"] {
        /// What it is doing; `null` for nothing in particular.
        status: Activity;
        /// What happens when a tool needs a permission.
        permission_mode: PermissionMode = "permissionMode";
        /// Whether the context could be compacted.
        compact_result: CompactResult;
        /// Why it could not.
        compact_error: String, hidden;
    }
}

open_enum! {
    /// What Claude Code is doing.
    pub enum Activity {
        /// It compacts the context.
        Compacting = "compacting",
        /// It asks the API.
        Requesting = "requesting",
    }
}

open_enum! {
    /// Whether a context could be compacted.
    pub enum CompactResult {
        /// It could.
        Success = "success",
        /// It could not.
        Failed = "failed",
    }
}

message! {
    /// The API failed and is asked again.
    pub struct ApiRetry ["type" = "system", "subtype" = "api_retry"] {
        /// Which attempt comes.
        attempt: u64;
        /// How many attempts there may be.
        max_retries: u64;
        /// Milliseconds until then.
        retry_delay_ms: Number;
        /// The HTTP status of the failure; `null` where there was none.
        error_status: u64;
        /// The kind of failure.
        error: ApiError;
        /// How long there was no answer.
        no_response: NoResponse;
    }
}

record! {
    /// How long the API did not answer.
    pub struct NoResponse {
        /// Milliseconds waited.
        waited_ms: Number;
        /// Milliseconds that the next attempt waits.
        retry_wait_ms: Number;
    }
}

message! {
    /// A control request is being carried out.
    pub struct ControlRequestProgress ["type" = "system", "subtype" = "control_request_progress"] {
        /// The request.
        request_id: String;
        /// How far it is.
        status: ControlRequestStatus;
        /// Which attempt comes.
        attempt: u64;
        /// How many attempts there may be.
        max_retries: u64;
        /// Milliseconds until then.
        retry_delay_ms: Number;
        /// The HTTP status of the failure; `null` where there was none.
        error_status: u64;
    }
}

open_enum! {
    /// How far a control request is.
    pub enum ControlRequestStatus {
        /// It has begun.
        Started = "started",
        /// The API failed and is asked again.
        ApiRetry = "api_retry",
    }
}

message! {
    /// The model refused, and another one is asked.
    pub struct ModelRefusalFallback ["type" = "system", "subtype" = "model_refusal_fallback"] {
        /// Why.
        trigger: FallbackTrigger;
        /// What is done.
        direction: FallbackDirection;
        /// For how long.
        scope: FallbackScope;
        /// The model that refused.
        original_model: String;
        /// The model that is asked.
        fallback_model: String;
        /// The API's id of the request.
        request_id: String;
        /// What was refused.
        api_refusal_category: String;
        /// Why.
        api_refusal_explanation: String, hidden;
        /// The messages that do not count any more.
        retracted_message_uuids: Vec<String>;
        /// The user's message that was refused.
        refused_user_message_uuid: String;
        /// What the user is told.
        content: String, hidden;
    }
}

open_enum! {
    /// Why another model is asked.
    pub enum FallbackTrigger {
        /// The model refused.
        Refusal = "refusal",
    }
}

open_enum! {
    /// What is done after a refusal.
    pub enum FallbackDirection {
        /// Another model is asked.
        Retry = "retry",
        /// The first model is asked again from now on.
        Revert = "revert",
        /// The other model stays.
        Sticky = "sticky",
    }
}

open_enum! {
    /// For how long another model is asked.
    pub enum FallbackScope {
        /// For the session.
        Session = "session",
        /// For this request.
        Local = "local",
    }
}

message! {
    /// The model refused, and there is no other one.
    pub struct ModelRefusalNoFallback ["type" = "system", "subtype" = "model_refusal_no_fallback"] {
        /// The model that refused.
        original_model: String;
        /// The API's id of the request.
        request_id: String;
        /// What was refused.
        api_refusal_category: String;
        /// Why.
        api_refusal_explanation: String, hidden;
        /// The user's message that was refused.
        refused_user_message_uuid: String;
        /// What the user is told.
        content: String, hidden;
    }
}

message! {
    /// The model is thinking.
    pub struct ThinkingTokens ["type" = "system", "subtype" = "thinking_tokens"] {
        /// About how many tokens it has thought.
        estimated_tokens: u64;
        /// How many more than the last time.
        estimated_tokens_delta: u64;
        /// The user's message that it thinks about.
        user_message_uuid: String;
    }
}

message! {
    /// The session began or ended work.
    pub struct SessionStateChanged ["type" = "system", "subtype" = "session_state_changed"] {
        /// The state now.
        state: SessionState;
    }
}

open_enum! {
    /// The state of a session.
    pub enum SessionState {
        /// It waits for a prompt.
        Idle = "idle",
        /// It works.
        Running = "running",
        /// It waits for the user to decide something.
        RequiresAction = "requires_action",
    }
}
