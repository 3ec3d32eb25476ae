//! Errors that a run or a job became after the server had answered: they hold the reply.

use stromboli_generated::types::{Job, JobStatus, RunResponse};
use stromboli_generated::{AgentFailure, StructuredError};

use super::{Error, ErrorKind, refused_before_execution};
use crate::turn::{FailedTurn, TurnResult};

impl Error {
    /// The reply of a run whose agent failed, or whose structured output is not what was wanted; with whatever output
    /// there is.
    pub fn reply(&self) -> Option<&RunResponse> {
        let failed = self.source_as().and_then(AgentFailure::reply);
        failed.or_else(|| self.source_as().and_then(StructuredError::reply))
    }

    /// The job that was not [`ok`](Job::ok), or whose structured output is not what was wanted; with whatever output
    /// there is.
    pub fn job(&self) -> Option<&Job> {
        let failed = self.source_as().and_then(AgentFailure::job);
        failed.or_else(|| self.source_as().and_then(StructuredError::job))
    }

    /// The turn of a live agent that was not [`ok`](TurnResult::ok), with all that there is of it.
    pub fn turn(&self) -> Option<&TurnResult> {
        self.source_as::<FailedTurn>().map(|failed| &failed.0)
    }

    fn source_as<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.0.source.as_ref()?.downcast_ref()
    }
}

/// [`ErrorKind::AgentFailed`], except for a job that has not come so far: [`ErrorKind::Cancelled`],
/// [`ErrorKind::Conflict`] when it has not ended, and [`ErrorKind::Internal`] when the server could not run the agent.
impl From<AgentFailure> for Error {
    fn from(failure: AgentFailure) -> Self {
        let kind = failure.job().map_or(ErrorKind::AgentFailed, job_kind);
        let words = failure.job().and_then(|job| job.error.as_deref());
        let error = Self::new(kind, failure.to_string());
        if words.is_some_and(refused_before_execution) {
            error.with_source(failure)
        } else {
            error.may_have_run().with_source(failure)
        }
    }
}

fn job_kind(job: &Job) -> ErrorKind {
    match &job.status {
        JobStatus::Completed | JobStatus::Crashed => ErrorKind::AgentFailed,
        JobStatus::Cancelled => ErrorKind::Cancelled,
        // As the same words are taken when `/run` answers with them.
        JobStatus::Failed => match &job.error {
            Some(words) if !words.starts_with("execution failed") => ErrorKind::Internal,
            _ => ErrorKind::AgentFailed,
        },
        _ => ErrorKind::Conflict,
    }
}

/// [`ErrorKind::Decode`], with the raw value in [`Error::body`]: as JSON, or all that the agent printed when it gave
/// none.
impl From<StructuredError> for Error {
    fn from(error: StructuredError) -> Self {
        let printed = || error.reply().map(RunResponse::text).or(error.job().map(Job::text));
        let raw = match error.value() {
            Some(value) => value.to_string(),
            None => printed().unwrap_or_default().to_owned(),
        };
        Self::new(ErrorKind::Decode, error.to_string())
            .may_have_run()
            .with_body(raw.as_bytes())
            .with_source(error)
    }
}
