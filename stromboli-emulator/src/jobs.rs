//! The jobs and their states.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::execution::{CrashInfo, Report, Status};
use crate::state::lock;
use crate::store::{Change, Store};
use crate::timestamp;

/// How a job ends whose server does not live to see it.
const INTERRUPTED: &str = "job interrupted: the emulator was stopped while it ran";

/// A job as the server shows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    id: String,
    status: Status,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
    created_at: String,
    updated_at: String,
    /// When it was updated, by the clock that its removal goes by.
    #[serde(skip, default = "Instant::now")]
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
    /// None when jobs need not outlive the process.
    store: Option<Store>,
}

impl Job {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn fail(&mut self, error: String) {
        self.status = Status::Failed;
        self.error = error;
        self.session_id.clear();
    }
}

impl Jobs {
    /// `kept` are those of an earlier process, none of which runs any more.
    pub(crate) fn new(ttl: Duration, utc_offset: Offset, clock: Clock, store: Option<Store>, kept: Vec<Job>) -> Self {
        let jobs = Self {
            jobs: Mutex::default(),
            ttl,
            utc_offset,
            clock,
            store,
        };
        for job in kept {
            jobs.restore(job);
        }
        jobs
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
        self.access(|jobs| {
            self.keep(&job);
            jobs.insert(id.to_owned(), job);
        });
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
                Err(error) => job.fail(error),
            }
            self.touch(job);
        });
    }

    fn access<T>(&self, look: impl FnOnce(&mut HashMap<String, Job>) -> T) -> T {
        let mut jobs = lock(&self.jobs);
        let now = self.clock.instant();
        jobs.retain(|id, job| {
            let kept = now.duration_since(job.updated) < self.ttl;
            if let Some(store) = self.store.as_ref().filter(|_| !kept) {
                store.write([Change::NoJob(id.clone())]);
            }
            kept
        });
        look(&mut jobs)
    }

    fn touch(&self, job: &mut Job) {
        job.updated_at = self.now();
        job.updated = self.clock.instant();
        self.keep(job);
    }

    fn keep(&self, job: &Job) {
        if let Some(store) = &self.store {
            store.write([Change::Job(job.clone())]);
        }
    }

    /// Puts a job there that was last updated when it says so.
    fn restore(&self, mut job: Job) {
        let updated = job.updated_at.parse::<Timestamp>().unwrap_or_default();
        let age = self.clock.timestamp().duration_since(updated);
        let age = Duration::try_from(age).unwrap_or_default();
        let now = self.clock.instant();
        // Where instants do not go back that far, it is kept for longer.
        job.updated = now.checked_sub(age).unwrap_or(now);
        if job.status == Status::Running {
            job.fail(INTERRUPTED.to_owned());
            self.touch(&mut job);
        }
        lock(&self.jobs).insert(job.id.clone(), job);
    }

    /// RFC 3339 in whole seconds.
    fn now(&self) -> String {
        let seconds = self.clock.timestamp().as_second();
        let now = Timestamp::from_second(seconds).unwrap_or_default();
        timestamp::rfc3339(now, self.utc_offset)
    }
}
