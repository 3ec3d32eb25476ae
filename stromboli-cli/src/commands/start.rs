//! `stromboli start`: a run in the background.

use clap::Args;
use serde::Serialize;

use crate::args::run::RunArgs;
use crate::commands::jobs::wait;
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::Failure;
use crate::interrupt;
use crate::prompt::PromptArgs;

const EXAMPLES: &str = "\
Examples:
  stromboli start \"Audit everything\" --workdir /workspace --budget 5
  job=$(stromboli start -f task.md) && stromboli jobs wait \"$job\"
  stromboli start \"Audit everything\" --wait
  stromboli start \"Audit everything\" --webhook https://ci.example.com/hooks/audit

The job's id goes to stdout, or with --wait what the agent printed, as `jobs wait` prints it. A job goes on when \
this program and its connection are gone. With --wait, Ctrl-C leaves the job alone and says how to come back; a \
second one cancels it.";

/// Start a prompt in the background.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Start {
    #[command(flatten)]
    prompt: PromptArgs,
    /// Wait for the job's end, as `stromboli jobs wait` does.
    #[arg(long)]
    wait: bool,
    /// Address that the server posts the job's end to.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    #[command(flatten)]
    options: RunArgs,
}

/// As the server gives it.
#[derive(Serialize)]
struct Started<'a> {
    job_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
}

impl Start {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let options = self.options.read(context)?;
        let mut request = options.request(self.prompt.read(context)?);
        request.webhook_url = self.webhook;
        let job = interrupt::or_stop(client.start(request), MAYBE).await?;
        if let Some(session) = job.session_id() {
            conversations::remember(context, Kind::Session, session);
        }
        let session = job
            .session_id()
            .map(|id| format!(" · session {id}"))
            .unwrap_or_default();
        if self.wait {
            context.output.note(&format!("{} is started{session}", job.id()));
            return wait::report(context, wait::until_end(context, &job, None).await?);
        }
        let started = Started {
            job_id: job.id(),
            session_id: job.session_id(),
        };
        context.output.value(&started, |started| started.job_id.to_owned())?;
        let come_back = format!("`stromboli jobs wait {}` shows its end{session}", job.id());
        context.output.note(&come_back);
        Ok(())
    }
}

const MAYBE: &str =
    "interrupted before the server answered: the job may have been started\n`stromboli jobs list` shows it";
