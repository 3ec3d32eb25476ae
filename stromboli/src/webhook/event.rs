//! What a webhook call says. Written by hand, because the contract has no schema for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{JobStatus, Usage};

/// The end of a job. There are no times in it and no crash info; [`JobHandle::get`](crate::JobHandle::get) has those
/// for as long as the server remembers the job.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct JobEvent {
    /// Identifier of the job, `job-` and 16 hex digits.
    pub job_id: String,
    /// How the job ended: completed, failed or crashed. A job that was cancelled tells its real end.
    pub status: JobStatus,
    /// All the container printed. Absent when nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why the job failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The session to resume for a follow-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Tokens and money of the whole session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Fields that this version of the crate does not name, as the server sent them.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
