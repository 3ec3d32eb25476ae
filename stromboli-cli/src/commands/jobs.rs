//! `stromboli jobs`: runs in the background. A group of commands, each a struct with a `run` of its own.

mod cancel;
pub(crate) mod wait;

use clap::{Args, Subcommand};
use stromboli::{Job, JobStatus};

use crate::context::Context;
use crate::exit::Failure;
use crate::output::{age, table};

const EXAMPLES: &str = "\
Examples:
  stromboli jobs list
  stromboli jobs list --output ndjson | jq -r 'select(.status == \"failed\") | .id'
  stromboli jobs get job-abc123def4567890
  stromboli jobs wait job-abc123def4567890 --timeout 1h
  stromboli jobs cancel job-abc123def4567890";

/// List, inspect, wait for and cancel runs in the background.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Get(Get),
    Wait(wait::Wait),
    Cancel(cancel::Cancel),
}

impl Jobs {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
            Command::Wait(command) => command.run(context).await,
            Command::Cancel(command) => command.run(context).await,
        }
    }
}

/// List the jobs that the server remembers, the newest first.
///
/// The server forgets a job one hour after its end. JSON has the whole output of each.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = r#"Examples:
  stromboli jobs list
  stromboli jobs list --output ndjson | jq -r 'select(.status == "failed") | .id'"#)]
struct List {}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut jobs = context.client()?.jobs().list().await?;
        // The server gives them in random order.
        jobs.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        context.output.list(&jobs, "no jobs", |jobs| {
            let rows = jobs.iter().map(|job| {
                let session = job.session_id.clone().unwrap_or_default();
                [job.id.clone(), job.status.to_string(), age(job.created_at), session]
            });
            table(["JOB", "STATUS", "AGE", "SESSION"], rows)
        })
    }
}

/// Show a job: what it printed, and how it stands.
///
/// The exit code is 3 when its agent failed, and 0 while it runs.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli jobs get job-abc123def4567890
  stromboli jobs get job-abc123def4567890 --output json | jq -r .output")]
struct Get {
    /// The job's id, as `start` and `jobs list` show it.
    job: String,
}

impl Get {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let job = context.client()?.job(&self.job).get().await?;
        match job.status {
            JobStatus::Completed | JobStatus::Failed | JobStatus::Crashed => wait::report(context, job),
            _ => {
                context.output.note(&summary(&job));
                context.output.value(&job, |job| job.text().to_owned())
            }
        }
    }
}

/// The line below a job's output.
fn summary(job: &Job) -> String {
    let session = job.session_id.as_deref().map(|id| format!(" · session {id}"));
    format!(
        "{} is {} · started {} ago{}",
        job.id,
        job.status,
        age(job.created_at),
        session.unwrap_or_default()
    )
}
