//! One wait as a sequence of polls: when the next one comes, which errors it survives, and what the others say.

use std::time::Duration;

use stromboli_generated::types::Job;
use tokio::time::Instant;

use super::options::WaitOptions;
use crate::api::jobs::JobHandle;
use crate::error::{Error, ErrorKind, Result};

/// One wait: what it has seen so far and when it looks again.
pub(super) struct Poller<'a> {
    job: JobHandle,
    options: WaitOptions<'a>,
    started: Option<Instant>,
    polls: u32,
    /// When the last poll ended, and how long after that the next one comes.
    pause: Option<(Instant, Duration)>,
    seen: Option<Job>,
    outage: Option<Outage>,
}

/// Polls in a row that failed.
struct Outage {
    since: Instant,
    polls: u32,
    last: Error,
}

impl<'a> Poller<'a> {
    pub(super) fn new(job: JobHandle, options: WaitOptions<'a>) -> Self {
        Self {
            job,
            options,
            started: None,
            polls: 0,
            pause: None,
            seen: None,
            outage: None,
        }
    }

    /// The first state or the next change.
    pub(super) async fn next(&mut self) -> Result<Job> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let timeout = self.options.timeout.unwrap_or(Duration::MAX);
        let left = timeout.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, self.change()).await {
            Ok(polled) => polled,
            Err(_) => Err(self.timed_out(timeout)),
        }
    }

    async fn change(&mut self) -> Result<Job> {
        loop {
            if let Some((since, pause)) = self.pause {
                tokio::time::sleep(pause.saturating_sub(since.elapsed())).await;
            }
            let asked = Instant::now();
            let polled = self.job.get().await;
            self.polls = self.polls.saturating_add(1);
            let mut pause = self.options.pause(self.polls, fastrand::f64());
            let job = match polled {
                Ok(job) => Some(job),
                Err(error) => {
                    pause = pause.max(error.retry_after().unwrap_or_default());
                    self.ride_out(error, asked, pause)?;
                    None
                }
            };
            self.pause = Some((Instant::now(), pause));
            let Some(job) = job else { continue };
            self.outage = None;
            if self.seen.as_ref() != Some(&job) {
                if let Some(update) = &mut self.options.on_update {
                    update(&job);
                }
                self.seen = Some(job.clone());
                return Ok(job);
            }
        }
    }

    /// Takes note of an error that may pass before the next poll; any other ends the wait.
    fn ride_out(&mut self, error: Error, asked: Instant, pause: Duration) -> Result<()> {
        if error.kind() == ErrorKind::InvalidInput {
            return Err(error);
        }
        if error.is_not_found() {
            return Err(self.forgotten(error));
        }
        if !may_pass(&error) {
            return Err(error.may_have_run());
        }
        let before = self.outage.take();
        let since = before.as_ref().map_or(asked, |outage| outage.since);
        let polls = before.map_or(1, |outage| outage.polls.saturating_add(1));
        if since.elapsed().saturating_add(pause) > self.options.patience() {
            let message = format!(
                "{} (failed poll {polls} in a row, and job {} may go on)",
                error.message(),
                self.job.id()
            );
            return Err(error.with_message(message).may_have_run());
        }
        self.outage = Some(Outage {
            since,
            polls,
            last: error,
        });
        Ok(())
    }

    fn forgotten(&self, error: Error) -> Error {
        let seen = match &self.seen {
            Some(job) => format!(", and this one was {} when last seen", job.status),
            None => String::new(),
        };
        let message = format!(
            "{}; server forgets a job one hour after its end, and every job when it restarts{seen}",
            error.message()
        );
        error.with_message(message).may_have_run()
    }

    fn timed_out(&mut self, timeout: Duration) -> Error {
        let id = self.job.id();
        let message = format!(
            "job {id} was not seen to end within {timeout:?} and may go on, wait again with client.job({id:?}).wait()"
        );
        let error = Error::new(ErrorKind::Timeout, message).sent("job_get", self.polls, true);
        match self.outage.take() {
            Some(outage) => error.with_source(outage.last),
            None => error,
        }
    }
}

/// Whether a poll that failed so may succeed later; it has been through the client's own retries. An answer that cannot be
/// read may be a page of a proxy, which says nothing of the job.
fn may_pass(error: &Error) -> bool {
    use ErrorKind::{Connect, Connection, Decode, Internal, RateLimited, Timeout, Truncated, Unavailable};
    matches!(
        error.kind(),
        Connect | Connection | Truncated | Decode | Timeout | Unavailable | RateLimited | Internal
    )
}
