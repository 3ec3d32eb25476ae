//! `stromboli jobs cancel`.

use clap::Args;

use crate::context::Context;
use crate::exit::Failure;

/// What a cancelled job really does (WIRE §6).
pub(super) const RUNS_ON: &str = "its container runs on to its end, which the server cannot hasten";

/// Cancel a job.
///
/// The server marks it as cancelled. It does not stop its container: when that ends, the job shows what it really came to.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli jobs cancel job-abc123def4567890")]
pub(crate) struct Cancel {
    /// The job's id, as `start` and `jobs list` show it.
    job: String,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let cancelled = context.client()?.job(&self.job).cancel().await?;
        context
            .output
            .note(&format!("{} is cancelled; {RUNS_ON}", cancelled.job_id));
        context.output.value(&cancelled, |_| String::new())
    }
}
