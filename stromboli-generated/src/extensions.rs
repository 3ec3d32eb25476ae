//! Small methods of the generated nouns: what their fields mean, and the setters that the contract cannot describe.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::types::{JobStatus, PodmanOptions, RunRequest, RunResponse, RunStatus};

impl RunRequest {
    /// Continues the conversation `session_id`, which an earlier reply or job named.
    ///
    /// ```
    /// # use stromboli_generated::types::RunRequest;
    /// let next = RunRequest::new("And the tests?").resume("550e8400-e29b-41d4-a716-446655440000");
    /// assert_eq!(next.claude.unwrap().resume, Some(true));
    /// ```
    #[must_use]
    pub fn resume(mut self, session_id: impl Into<String>) -> Self {
        self.claude = Some(self.claude.unwrap_or_default().session_id(session_id).resume(true));
        self
    }
}

impl From<&str> for RunRequest {
    fn from(prompt: &str) -> Self {
        Self::new(prompt)
    }
}

impl From<String> for RunRequest {
    fn from(prompt: String) -> Self {
        Self::new(prompt)
    }
}

impl PodmanOptions {
    /// Adds one volume, as `host:container[:options]`; the server must allow its host path.
    #[must_use]
    pub fn volume(mut self, volume: impl Into<String>) -> Self {
        self.volumes.push(volume.into());
        self
    }

    /// Adds one environment variable whose value is the stored secret `secret`.
    #[must_use]
    pub fn secret_env(mut self, variable: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets_env.insert(variable.into(), secret.into());
        self
    }
}

impl RunResponse {
    /// What the agent printed; empty when it printed nothing.
    pub fn text(&self) -> &str {
        self.output.as_deref().unwrap_or_default()
    }

    /// The conversation that this run belongs to, for [`RunRequest::resume`]; empty when the server named none.
    pub fn session_id(&self) -> &str {
        self.session_id.as_deref().unwrap_or_default()
    }

    /// The reply, if the agent did its work.
    ///
    /// A crash and a timeout arrive with status 200 (WIRE §6), and so does an agent error inside the result
    /// envelope that `output_format` `json` or `stream-json` prints; this is where they become errors.
    ///
    /// # Errors
    /// [`AgentFailure`], which holds the reply: the run crashed, did not complete, or reported an error itself.
    pub fn ok(self) -> Result<Self, AgentFailure> {
        match self.failure() {
            None => Ok(self),
            Some(reason) => Err(AgentFailure {
                reason,
                reply: Box::new(self),
            }),
        }
    }

    fn failure(&self) -> Option<String> {
        match &self.status {
            RunStatus::Completed => envelope_error(self.text()),
            RunStatus::Crashed => {
                let crash = self.crash_info.as_ref();
                let code = crash.and_then(|c| c.exit_code).map(|c| format!(" with exit code {c}"));
                let signal = crash
                    .and_then(|c| c.signal.as_deref())
                    .map(|s| format!(" on signal {s}"));
                Some(format!(
                    "agent crashed{}{}",
                    code.unwrap_or_default(),
                    signal.unwrap_or_default()
                ))
            }
            other => Some(format!("agent ended with status {other}")),
        }
    }
}

/// What the CLI prints at its end: the whole output with `output_format` `json`, its last line with `stream-json`.
#[derive(Deserialize)]
struct Envelope {
    r#type: String,
    is_error: bool,
    subtype: Option<String>,
    api_error_status: Option<i64>,
}

/// What the envelope says went wrong, if the output has one.
fn envelope_error(output: &str) -> Option<String> {
    let whole = serde_json::from_str::<Envelope>(output).ok();
    let last = || serde_json::from_str::<Envelope>(output.lines().next_back()?).ok();
    let envelope = whole.or_else(last).filter(|e| e.r#type == "result" && e.is_error)?;
    let subtype = envelope.subtype.filter(|s| s != "success");
    Some(match (subtype, envelope.api_error_status) {
        (Some(subtype), _) => format!("agent reported {subtype}"),
        (None, Some(status)) => format!("agent reported an API error with status {status}"),
        (None, None) => "agent reported an error".to_owned(),
    })
}

/// A run that the server carried out but whose agent failed, and the reply that says so.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentFailure {
    reason: String,
    reply: Box<RunResponse>,
}

impl AgentFailure {
    /// The reply, with whatever output there is.
    pub fn reply(&self) -> &RunResponse {
        &self.reply
    }

    /// Gives the reply up.
    pub fn into_reply(self) -> RunResponse {
        *self.reply
    }
}

impl fmt::Display for AgentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AgentFailure {}

impl JobStatus {
    /// Whether the job can no longer change. `Cancelled` can: the container runs on, and its real end replaces the
    /// status (WIRE §6). A status that this version does not know is not taken for an end.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Crashed)
    }
}

/// A duration as Go's `time.ParseDuration` reads it: `90s`, `0.25s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        return format!("{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{seconds}.{}s", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn reply(value: Value) -> RunResponse {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_completed_run_is_ok_whatever_its_text_says() {
        for output in [
            "done",
            "",
            "{\"is_error\":true}",
            "{\"type\":\"result\",\"is_error\":false}",
        ] {
            assert!(
                reply(json!({"id": "run-1", "status": "completed", "output": output}))
                    .ok()
                    .is_ok(),
                "{output}"
            );
        }
    }

    #[test]
    fn a_crashed_run_is_an_error_that_keeps_the_reply() {
        let crash = json!({"exit_code": 137, "signal": "killed"});
        let failure = reply(json!({"id": "run-1", "status": "crashed", "output": "half", "crash_info": crash}))
            .ok()
            .unwrap_err();
        assert_eq!(failure.to_string(), "agent crashed with exit code 137 on signal killed");
        assert_eq!(failure.into_reply().text(), "half");
    }

    #[test]
    fn an_unknown_status_is_not_taken_for_success() {
        let failure = reply(json!({"id": "run-1", "status": "paused"})).ok().unwrap_err();
        assert_eq!(failure.to_string(), "agent ended with status paused");
    }

    #[test]
    fn an_error_inside_the_result_envelope_is_an_error() {
        let envelope = r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":400}"#;
        let stream = format!("{{\"type\":\"system\"}}\n{envelope}");
        for output in [envelope, &stream] {
            let failure = reply(json!({"id": "run-1", "status": "completed", "output": output}))
                .ok()
                .unwrap_err();
            assert_eq!(failure.to_string(), "agent reported an API error with status 400");
        }
    }

    #[test]
    fn a_budget_that_ran_out_is_named() {
        let output = r#"{"type":"result","subtype":"error_max_turns","is_error":true}"#;
        let failure = reply(json!({"id": "run-1", "status": "completed", "output": output}))
            .ok()
            .unwrap_err();
        assert_eq!(failure.to_string(), "agent reported error_max_turns");
    }

    #[test]
    fn durations_are_written_as_go_reads_them() {
        for (duration, text) in [
            (Duration::from_secs(600), "600s"),
            (Duration::from_millis(250), "0.25s"),
            (Duration::new(1, 1), "1.000000001s"),
            (Duration::ZERO, "0s"),
        ] {
            assert_eq!(go_duration(duration), text);
        }
    }

    #[test]
    fn a_cancelled_job_is_not_at_its_end() {
        assert!(!JobStatus::Cancelled.is_final());
        assert!(JobStatus::Crashed.is_final());
        assert!(!JobStatus::Other("paused".into()).is_final());
    }
}
