//! What a run or a job came to: whether its agent did its work.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::types::{CrashInfo, Job, JobStatus, RunResponse, RunStatus};

impl RunResponse {
    /// The reply, if the agent did its work.
    ///
    /// A crash and a timeout arrive with status 200 (WIRE §6), and so does an agent error inside the result
    /// envelope that `output_format` `json` or `stream-json` prints; this is where they become errors.
    ///
    /// # Errors
    /// [`AgentFailure`], which holds the reply: the run crashed, did not complete, or reported an error itself.
    pub fn ok(self) -> Result<Self, AgentFailure> {
        let reason = match &self.status {
            RunStatus::Completed => envelope_error(self.text()),
            RunStatus::Crashed => Some(crashed(self.crash_info.as_ref())),
            other => Some(format!("agent ended with status {other}")),
        };
        match reason {
            None => Ok(self),
            Some(reason) => Err(AgentFailure {
                reason,
                reply: Reply::Run(Box::new(self)),
            }),
        }
    }
}

impl Job {
    /// The job, if it has ended and its agent did its work.
    ///
    /// ```
    /// # let job = r#"{"id": "job-1", "status": "failed", "error": "execution failed: exit status 1, output: …",
    /// #     "created_at": "2026-05-06T12:00:00Z", "updated_at": "2026-05-06T12:00:00Z"}"#;
    /// # let job: stromboli_generated::types::Job = serde_json::from_str(job)?;
    /// let failure = job.ok().unwrap_err();
    /// assert_eq!(failure.to_string(), "job failed: execution failed: exit status 1");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`AgentFailure`], which holds the job: it failed, crashed, is cancelled, has not ended, or the agent reported an
    /// error inside the result envelope, as in [`RunResponse::ok`].
    pub fn ok(self) -> Result<Self, AgentFailure> {
        let reason = match &self.status {
            JobStatus::Completed => envelope_error(self.text()),
            JobStatus::Crashed => Some(crashed(self.crash_info.as_ref())),
            JobStatus::Failed => Some(failed(self.error.as_deref())),
            JobStatus::Cancelled => Some("job is cancelled, and what it really came to is still open".to_owned()),
            other => Some(format!("job has not ended, its status is {other}")),
        };
        match reason {
            None => Ok(self),
            Some(reason) => Err(AgentFailure {
                reason,
                reply: Reply::Job(Box::new(self)),
            }),
        }
    }
}

fn crashed(crash: Option<&CrashInfo>) -> String {
    let code = crash.and_then(|c| c.exit_code).map(|c| format!(" with exit code {c}"));
    let signal = crash
        .and_then(|c| c.signal.as_deref())
        .map(|s| format!(" on signal {s}"));
    format!(
        "agent crashed{}{}",
        code.unwrap_or_default(),
        signal.unwrap_or_default()
    )
}

/// The server's words as one clause: they go on with all that the agent printed, which the job's `error` still has.
fn failed(error: Option<&str>) -> String {
    let words = error.unwrap_or_default().split(", output: ").next();
    match words.and_then(|words| words.lines().next()) {
        Some(words) => format!("job failed: {words}"),
        None => "job failed".to_owned(),
    }
}

/// What the CLI prints at its end: the whole output with `output_format` `json`, its last line with `stream-json`.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    r#type: String,
    is_error: bool,
    subtype: Option<String>,
    api_error_status: Option<i64>,
    pub(crate) structured_output: Option<Value>,
}

/// The result envelope of an output that has one.
pub(crate) fn envelope(output: &str) -> Option<Envelope> {
    let whole = serde_json::from_str::<Envelope>(output).ok();
    let last = || serde_json::from_str::<Envelope>(output.lines().next_back()?).ok();
    whole.or_else(last).filter(|envelope| envelope.r#type == "result")
}

/// What the envelope says went wrong, if the output has one.
fn envelope_error(output: &str) -> Option<String> {
    let envelope = envelope(output).filter(|envelope| envelope.is_error)?;
    let subtype = envelope.subtype.filter(|s| s != "success");
    Some(match (subtype, envelope.api_error_status) {
        (Some(subtype), _) => format!("agent reported {subtype}"),
        (None, Some(status)) => format!("agent reported an API error with status {status}"),
        (None, None) => "agent reported an error".to_owned(),
    })
}

/// What a failure is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Run(Box<RunResponse>),
    Job(Box<Job>),
}

impl Reply {
    pub(crate) fn run(&self) -> Option<&RunResponse> {
        match self {
            Self::Run(reply) => Some(reply),
            Self::Job(_) => None,
        }
    }

    pub(crate) fn job(&self) -> Option<&Job> {
        match self {
            Self::Run(_) => None,
            Self::Job(job) => Some(job),
        }
    }
}

/// A run or a job that the server carried out but whose agent failed, and the reply or the job that says so.
#[derive(Clone, PartialEq)]
pub struct AgentFailure {
    reason: String,
    reply: Reply,
}

impl AgentFailure {
    /// The reply, with whatever output there is; `None` when this is about a job.
    pub fn reply(&self) -> Option<&RunResponse> {
        self.reply.run()
    }

    /// The job, with whatever output there is; `None` when this is about a run that was waited for.
    pub fn job(&self) -> Option<&Job> {
        self.reply.job()
    }
}

impl fmt::Display for AgentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for AgentFailure {
    /// What a `main` that returns this error prints, so it reads as a sentence, without what the agent printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AgentFailure {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply(value: Value) -> RunResponse {
        serde_json::from_value(value).unwrap()
    }

    fn job(status: &str, rest: Value) -> Job {
        let time = "2026-05-06T12:00:00Z";
        let mut job = json!({"id": "job-1", "status": status, "created_at": time, "updated_at": time});
        job.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_completed_run_is_ok_whatever_its_text_says() {
        for output in [
            "done",
            "",
            "{\"is_error\":true}",
            "{\"type\":\"result\",\"is_error\":false}",
        ] {
            let reply = reply(json!({"id": "run-1", "status": "completed", "output": output}));
            assert!(reply.ok().is_ok(), "{output}");
            assert!(job("completed", json!({"output": output})).ok().is_ok(), "{output}");
        }
    }

    #[test]
    fn a_crash_is_an_error_that_keeps_the_reply_or_the_job() {
        let crash = json!({"exit_code": 137, "signal": "killed"});
        let reply = reply(json!({"id": "run-1", "status": "crashed", "output": "half", "crash_info": crash}));
        let failure = reply.ok().unwrap_err();
        assert_eq!(failure.to_string(), "agent crashed with exit code 137 on signal killed");
        assert_eq!(
            format!("{failure:?}"),
            failure.to_string(),
            "nothing that the agent printed"
        );
        assert_eq!(failure.reply().map(RunResponse::text), Some("half"));
        assert_eq!(failure.job(), None);

        let failure = job("crashed", json!({"output": "half", "crash_info": crash}))
            .ok()
            .unwrap_err();
        assert_eq!(failure.to_string(), "agent crashed with exit code 137 on signal killed");
        assert_eq!(failure.job().map(Job::text), Some("half"));
        assert_eq!(failure.reply(), None);
    }

    #[test]
    fn an_unknown_status_is_not_taken_for_success() {
        let failure = reply(json!({"id": "run-1", "status": "paused"})).ok().unwrap_err();
        assert_eq!(failure.to_string(), "agent ended with status paused");
        for status in ["paused", "running", "pending"] {
            let failure = job(status, json!({})).ok().unwrap_err();
            assert_eq!(
                failure.to_string(),
                format!("job has not ended, its status is {status}")
            );
        }
    }

    #[test]
    fn a_failed_or_cancelled_job_says_so_without_what_the_agent_printed() {
        let error = "execution failed: exit status 1, output: my prompt";
        for (job, shown) in [
            (
                job("failed", json!({"error": error})),
                "job failed: execution failed: exit status 1",
            ),
            (job("failed", json!({})), "job failed"),
            (
                job("cancelled", json!({})),
                "job is cancelled, and what it really came to is still open",
            ),
        ] {
            assert_eq!(job.ok().unwrap_err().to_string(), shown);
        }
    }

    #[test]
    fn an_error_inside_the_result_envelope_is_an_error() {
        let envelope = r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":400}"#;
        let stream = format!("{{\"type\":\"system\"}}\n{envelope}");
        for output in [envelope, &stream] {
            let reply = reply(json!({"id": "run-1", "status": "completed", "output": output}));
            let job = job("completed", json!({"output": output}));
            for failure in [reply.ok().unwrap_err(), job.ok().unwrap_err()] {
                assert_eq!(failure.to_string(), "agent reported an API error with status 400");
            }
        }
    }

    #[test]
    fn a_budget_that_ran_out_is_named() {
        let output = r#"{"type":"result","subtype":"error_max_turns","is_error":true}"#;
        let reply = reply(json!({"id": "run-1", "status": "completed", "output": output}));
        assert_eq!(reply.ok().unwrap_err().to_string(), "agent reported error_max_turns");
    }
}
