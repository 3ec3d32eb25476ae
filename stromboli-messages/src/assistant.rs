//! What the model says.

use std::borrow::Cow;

use crate::{
    ApiMessage, Block, ToolUse, Usage,
    block::join,
    context_usage::{ContextUsage, UsageReport},
    wire::{message, open_enum},
};

message! {
    /// What the model says: one line for each block of its answer.
    pub struct AssistantMessage ["type" = "assistant"] {
        /// The message of the API.
        message: ApiMessage;
        /// The tool use it was said in, when a subagent said it.
        parent_tool_use_id: String;
        /// Why the API failed; the text says it in words then.
        error: ApiError;
        /// The API's id of the request.
        request_id: String;
        /// The user's message that it answers.
        user_message_uuid: String;
        /// The user's messages that it answers.
        user_message_uuids: Vec<String>;
        /// Why the conversation was resumed.
        resume_reason: String;
        /// Whether it goes on from thinking that had been cut off.
        resumed_from_incomplete_thinking: bool;
        /// The messages that this one replaces.
        supersedes: Vec<String>;
        /// Whether it was cut off.
        aborted: bool;
        /// The agent that said it.
        agent_id: String;
        /// The kind of subagent that said it.
        subagent_type: String;
        /// What the subagent was asked to do.
        task_description: String, hidden;
        /// When it was said.
        timestamp: String;
        /// What fills the context.
        context_usage: ContextUsage;
        /// What the session has used.
        usage_report: UsageReport;
    }
}

impl AssistantMessage {
    /// The text of all text blocks; empty where there is none.
    pub fn text(&self) -> Cow<'_, str> {
        self.message.as_ref().map(ApiMessage::text).unwrap_or_default()
    }

    /// What the model thought; empty where it did not, or kept it to itself.
    pub fn thinking(&self) -> Cow<'_, str> {
        join(self.blocks().iter().filter_map(|block| match block {
            Block::Thinking(block) => block.thinking.as_deref().map(Cow::Borrowed),
            _ => None,
        }))
    }

    /// The tools it calls.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.message.iter().flat_map(ApiMessage::tool_uses)
    }

    /// The blocks of the message.
    pub fn blocks(&self) -> &[Block] {
        self.message.as_ref().map(ApiMessage::as_blocks).unwrap_or_default()
    }

    /// The model; `<synthetic>` where Claude Code said it instead of a model.
    pub fn model(&self) -> Option<&str> {
        self.message.as_ref()?.model.as_deref()
    }

    /// The tokens used, as far as they were known when the line was printed.
    pub fn usage(&self) -> Option<&Usage> {
        self.message.as_ref()?.usage.as_ref()
    }

    /// Whether a subagent said it, and not the main one.
    pub fn is_from_subagent(&self) -> bool {
        self.parent().is_some()
    }

    /// The tool use it was said in, where a subagent said it or was told it; as it is written where it is no text.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.extra.or_written(&self.parent_tool_use_id, "parent_tool_use_id")
    }
}

open_enum! {
    /// Why the API failed.
    pub enum ApiError {
        /// The credentials are not valid.
        AuthenticationFailed = "authentication_failed",
        /// The organisation is not allowed to log in this way.
        OauthOrgNotAllowed = "oauth_org_not_allowed",
        /// The account is on hold.
        AccountOnHold = "account_on_hold",
        /// The account has to be verified.
        VerificationRequired = "verification_required",
        /// The bill is not paid.
        BillingError = "billing_error",
        /// Too many requests or tokens.
        RateLimit = "rate_limit",
        /// The API has too much to do.
        Overloaded = "overloaded",
        /// The request was not valid.
        InvalidRequest = "invalid_request",
        /// There is no such model.
        ModelNotFound = "model_not_found",
        /// The API failed inside.
        ServerError = "server_error",
        /// The answer was longer than allowed.
        MaxOutputTokens = "max_output_tokens",
        /// The credentials of the cloud provider failed.
        CloudCredentialError = "cloud_credential_error",
        /// Something else.
        Unknown = "unknown",
    }
}
