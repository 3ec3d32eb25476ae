//! The jobs and their states.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::execution::{CrashInfo, Report, Status};
use crate::state::lock;
use crate::timestamp;

/// A job as the server shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Job {
    id: String,
    status: Status,
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
    created_at: String,
    updated_at: String,
    /// When it was updated, by the clock that its removal goes by.
    #[serde(skip)]
    updated: Instant,
}

/// Why a job was not cancelled.
pub(crate) enum NotCancelled {
    /// There is none of that id.
    Unknown,
    /// It does not run any more, or was cancelled before.
    Ended,
}

/// All jobs. The old ones are removed when the next look is taken, which nobody can tell from a timer.
pub(crate) struct Jobs {
    jobs: Mutex<HashMap<String, Job>>,
    ttl: Duration,
    utc_offset: Offset,
    clock: Clock,
}

impl Jobs {
    pub(crate) fn new(ttl: Duration, utc_offset: Offset, clock: Clock) -> Self {
        Self {
            jobs: Mutex::default(),
            ttl,
            utc_offset,
            clock,
        }
    }

    /// A new job, which runs already: the pending state is never seen.
    pub(crate) fn insert(&self, id: &str, session_id: &str) {
        let now = self.now();
        let job = Job {
            id: id.to_owned(),
            status: Status::Running,
            output: String::new(),
            structured_output: None,
            error: String::new(),
            session_id: session_id.to_owned(),
            crash_info: None,
            created_at: now.clone(),
            updated_at: now,
            updated: self.clock.instant(),
        };
        self.access(|jobs| jobs.insert(id.to_owned(), job));
    }

    pub(crate) fn list(&self) -> Vec<Job> {
        self.access(|jobs| jobs.values().cloned().collect())
    }

    pub(crate) fn get(&self, id: &str) -> Option<Job> {
        self.access(|jobs| jobs.get(id).cloned())
    }

    /// Flips the status of a running job; its run goes on.
    ///
    /// # Errors
    /// When there is no such job, or it does not run.
    pub(crate) fn cancel(&self, id: &str) -> Result<(), NotCancelled> {
        self.access(|jobs| {
            let job = jobs.get_mut(id).ok_or(NotCancelled::Unknown)?;
            if job.status != Status::Running {
                return Err(NotCancelled::Ended);
            }
            job.status = Status::Cancelled;
            self.touch(job);
            Ok(())
        })
    }

    /// Records how the run of a job ended, over whatever status it has: a cancelled job changes once more.
    pub(crate) fn end(&self, id: &str, ending: Result<Report, String>) {
        self.access(|jobs| {
            let Some(job) = jobs.get_mut(id) else { return };
            match ending {
                Ok(report) => {
                    job.status = report.status;
                    job.output = report.output;
                    job.structured_output = report.structured_output;
                    job.crash_info = report.crash_info;
                }
                Err(error) => {
                    job.status = Status::Failed;
                    job.error = error;
                    job.session_id.clear();
                }
            }
            self.touch(job);
        });
    }

    fn access<T>(&self, look: impl FnOnce(&mut HashMap<String, Job>) -> T) -> T {
        let mut jobs = lock(&self.jobs);
        let now = self.clock.instant();
        jobs.retain(|_, job| now.duration_since(job.updated) < self.ttl);
        look(&mut jobs)
    }

    fn touch(&self, job: &mut Job) {
        job.updated_at = self.now();
        job.updated = self.clock.instant();
    }

    /// RFC 3339 in whole seconds.
    fn now(&self) -> String {
        let seconds = self.clock.timestamp().as_second();
        let now = Timestamp::from_second(seconds).unwrap_or_default();
        timestamp::rfc3339(now, self.utc_offset)
    }
}
