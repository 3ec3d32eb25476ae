//! The end of a turn.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use crate::{
    Json, Number, StopReason, Usage,
    block::text_or_extra,
    outcome::{Outcome, ResultSubtype, StartupFailureReason, TerminalReason},
    usage::ModelUsage,
    user::Origin,
    wire::{message, open_enum, record},
};

message! {
    /// The end of a turn: exactly one in each.
    pub struct ResultMessage ["type" = "result"] {
        /// How it ended; see [`outcome`](Self::outcome), because `success` may be a failure.
        subtype: ResultSubtype;
        /// Whether it is a failure.
        is_error: bool;
        /// The HTTP status of the API that made it fail.
        api_error_status: u64;
        /// Milliseconds of the turn.
        duration_ms: Number;
        /// Milliseconds in API calls.
        duration_api_ms: Number;
        /// Milliseconds to the first token.
        ttft_ms: Number;
        /// Milliseconds to the first event of the API's stream.
        ttft_stream_ms: Number;
        /// Milliseconds to the request.
        time_to_request_ms: Number;
        /// How often the model was called.
        num_turns: u64;
        /// The final answer, or why there is none.
        result: String, hidden;
        /// What went wrong.
        errors: Vec<String>, hidden;
        /// Why the model stopped.
        stop_reason: StopReason;
        /// The cost of the session so far in US dollars: read the latest, never sum.
        total_cost_usd: Number;
        /// The tokens of the turn.
        usage: Usage;
        /// What each model has used in the session so far.
        model_usage: BTreeMap<String, ModelUsage> = "modelUsage";
        /// The tool uses that were not allowed.
        permission_denials: Vec<PermissionDenial>;
        /// The turns that wait.
        queued_turn_count: u64;
        /// The structured output, when a schema was asked for.
        structured_output: Json;
        /// The tool use that was left to the caller.
        deferred_tool_use: DeferredToolUse;
        /// Why the turn ended.
        terminal_reason: TerminalReason;
        /// Why Claude Code did not start.
        startup_failure_reason: StartupFailureReason;
        /// The configuration file that made it not start.
        invalid_config_file: InvalidConfigFile;
        /// Which result of the session it is.
        result_index: u64;
        /// When the credentials expire.
        credential_expires_at: String;
        /// Whether answers come fast.
        fast_mode_state: FastModeState;
        /// Why they do not.
        fast_mode_disabled_reason: FastModeDisabledReason;
        /// The user's message that started the turn.
        user_message_uuid: String;
        /// The user's messages that started the turn.
        user_message_uuids: Vec<String>;
        /// Why the conversation was resumed.
        resume_reason: String;
        /// The local command that it is the end of.
        local_command: String, hidden;
        /// Who started the turn.
        origin: Origin;
    }
}

impl ResultMessage {
    /// The final answer, or why there is none; empty where neither is said.
    pub fn text(&self) -> Cow<'_, str> {
        if self.has_text() {
            return text_or_extra(self.result.as_deref(), &self.extra, "result");
        }
        if let Some(errors) = &self.errors {
            return Cow::Owned(errors.join("\n"));
        }
        let errors: Vec<Json> = self
            .extra
            .get("errors")
            .and_then(|errors| errors.parse().ok())
            .unwrap_or_default();
        let text = |error: &Json| error.text().unwrap_or(Cow::Borrowed(error.get())).into_owned();
        Cow::Owned(errors.iter().map(text).collect::<Vec<_>>().join("\n"))
    }

    /// Whether it says the final answer, or why there is none, in one text.
    pub(crate) fn has_text(&self) -> bool {
        self.result.is_some() || self.extra.get("result").and_then(Json::text).is_some()
    }

    /// Whether the turn went well, and why not.
    ///
    /// A `success` with `is_error` is a failure: the API's, whose words are in `result`.
    pub fn outcome(&self) -> Outcome {
        // What does not fit is no success.
        let failed = self.is_error.unwrap_or_else(|| {
            self.api_error_status.is_some()
                || self.extra.contains("is_error")
                || self.extra.contains("api_error_status")
        });
        match &self.subtype {
            Some(ResultSubtype::Success) | None if failed => Outcome::ApiError {
                status: self.api_error_status,
            },
            Some(ResultSubtype::Success) => Outcome::Ok,
            None if self.is_error == Some(false) && !self.extra.contains("subtype") => Outcome::Ok,
            Some(ResultSubtype::ErrorDuringExecution) => Outcome::Execution,
            Some(ResultSubtype::ErrorMaxTurns) => Outcome::MaxTurns,
            Some(ResultSubtype::ErrorMaxBudgetUsd) => Outcome::Budget,
            Some(ResultSubtype::ErrorMaxStructuredOutputRetries) => Outcome::StructuredOutput,
            Some(ResultSubtype::Other(subtype)) => Outcome::Other(subtype.clone()),
            None => Outcome::Other(String::new()),
        }
    }

    /// The structured output as a type of the caller's.
    ///
    /// ```
    /// use stromboli_messages::Message;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Verdict { score: u8 }
    ///
    /// let line = r#"{"type":"result","subtype":"success","is_error":false,"structured_output":{"score":7}}"#;
    /// let message = Message::parse(line)?;
    /// let result = message.as_result().ok_or("no result")?;
    /// assert_eq!(result.structured::<Verdict>()?.score, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there is none, or it does not fit the type.
    pub fn structured<'a, T: serde::Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        self.structured_output
            .as_ref()
            .ok_or_else(|| serde::de::Error::custom("the result has no structured output"))?
            .parse()
    }

    /// How long the turn took.
    pub fn duration(&self) -> Option<Duration> {
        let milliseconds = self.duration_ms.as_ref()?.as_f64();
        Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
    }

    /// The tokens of the turn.
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// The cost of the session so far in US dollars: read the latest, never sum.
    pub fn total_cost_usd(&self) -> Option<f64> {
        self.total_cost_usd.as_ref().map(Number::as_f64)
    }
}

record! {
    /// A tool use that was not allowed.
    pub struct PermissionDenial {
        /// The tool.
        tool_name: String;
        /// The id of the tool use.
        tool_use_id: String;
        /// What the tool was to be given.
        tool_input: Json;
    }
}

record! {
    /// A tool use that was left to the caller.
    pub struct DeferredToolUse {
        /// Its id.
        id: String;
        /// The tool.
        name: String;
        /// What the tool is given.
        input: Json;
    }
}

record! {
    /// A configuration file that could not be read.
    pub struct InvalidConfigFile {
        /// Where it is.
        path: String;
        /// Whether it is that of all projects.
        is_global: bool;
        /// Whether a backup was looked for.
        backup_searched: bool;
        /// Where the backup is.
        backup_path: String;
    }
}

open_enum! {
    /// Whether answers come fast.
    pub enum FastModeState {
        /// They do not.
        Off = "off",
        /// They will again after a while.
        Cooldown = "cooldown",
        /// They do.
        On = "on",
    }
}

open_enum! {
    /// Why answers do not come fast.
    pub enum FastModeDisabledReason {
        /// The account is free.
        Free = "free",
        /// It is switched off.
        Preference = "preference",
        /// Use beyond the limits is switched off.
        ExtraUsageDisabled = "extra_usage_disabled",
        /// The network failed.
        NetworkError = "network_error",
        /// Nobody knows.
        Unknown = "unknown",
        /// The model is served by somebody else.
        NotFirstParty = "not_first_party",
        /// The environment says so.
        DisabledByEnv = "disabled_by_env",
        /// Not with this model.
        ModelNotAllowed = "model_not_allowed",
        /// A program has to ask for it.
        SdkOptInRequired = "sdk_opt_in_required",
        /// It is not known yet.
        Pending = "pending",
    }
}
