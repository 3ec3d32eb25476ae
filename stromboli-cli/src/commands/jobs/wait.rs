//! `stromboli jobs wait`: a job up to its end.

use std::time::Duration;

use clap::Args;
use stromboli::{ErrorKind, Job, JobHandle, WaitOptions};

use crate::args::duration;
use crate::context::Context;
use crate::exit::{Failure, clause_of, code_of};
use crate::interrupt::Interrupts;

use super::summary;

/// How long after the first Ctrl-C a second one cancels the job.
const SECOND_CHANCE: Duration = Duration::from_secs(2);

/// Wait for a job's end and show what it printed.
///
/// The exit code is 3 when its agent failed, 6 when the time was up, 7 when the server has forgotten it. Ctrl-C stops waiting,
/// not the job, and says how to come back; a second one cancels the job.
#[derive(Args)]
#[command(after_help = r#"Examples:
  stromboli jobs wait job-abc123def4567890
  stromboli jobs wait job-abc123def4567890 --timeout 1h || echo "not done, or failed: $?""#)]
pub(crate) struct Wait {
    /// The job's id, as `start` and `jobs list` show it.
    job: String,
    /// How long to wait, such as 90s or 1h30m. The job goes on.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
}

impl Wait {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let job = context.client()?.job(&self.job);
        report(context, until_end(context, &job, self.timeout).await?)
    }
}

/// Waits for the end. Ctrl-C detaches, twice cancels.
pub(crate) async fn until_end(context: &Context, job: &JobHandle, timeout: Option<Duration>) -> Result<Job, Failure> {
    let mut interrupts = Interrupts::new()?;
    let id = job.id();
    let mut options = WaitOptions::new();
    if let Some(timeout) = timeout {
        options = options.timeout(timeout);
    }
    let waiting = context.output.spinner(format!("{id} is running"));
    let ended = tokio::select! {
        ended = job.wait_with(options) => Some(ended),
        () = interrupts.next() => None,
    };
    drop(waiting);
    let error = match ended {
        Some(Ok(job)) => return Ok(job),
        Some(Err(error)) => error,
        None => return Err(detached(context, job, &mut interrupts).await),
    };
    let (code, clause) = (code_of(error.kind()), clause_of(&error));
    Err(match error.kind() {
        ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::InvalidInput | ErrorKind::NotFound => error.into(),
        ErrorKind::Timeout if timeout.is_some() => {
            Failure::found(code, format!("{id} has not ended in time")).next(come_back(id))
        }
        _ => Failure::found(code, clause).next(come_back(id)),
    })
}

fn come_back(id: &str) -> String {
    format!("the job goes on: `stromboli jobs wait {id}` waits for it again")
}

/// Says that the job goes on, and cancels it all the same if Ctrl-C is pressed again.
async fn detached(context: &Context, job: &JobHandle, interrupts: &mut Interrupts) -> Failure {
    let id = job.id();
    context.output.note(&format!("{id} goes on; Ctrl-C again cancels it"));
    if tokio::time::timeout(SECOND_CHANCE, interrupts.next()).await.is_err() {
        return Failure::Interrupted(format!(
            "interrupted: {id} goes on\n`stromboli jobs wait {id}` waits for it again"
        ));
    }
    match interrupts
        .or_stop(job.cancel(), format!("interrupted: {id} may not be cancelled"))
        .await
    {
        Ok(_) => Failure::Interrupted(format!("interrupted: {id} is cancelled; {}", super::cancel::RUNS_ON)),
        Err(failure) => failure,
    }
}

/// Shows what a job printed, and fails as its agent did.
pub(crate) fn report(context: &Context, job: Job) -> Result<(), Failure> {
    let printed = context.output.value(&job, |job| job.text().to_owned());
    context.output.note(&summary(&job));
    // Who stops reading does not turn a failed job into a good one.
    job.ok()?;
    printed
}
