//! `stromboli agents spawn`.

use std::time::Duration;

use clap::Args;
use stromboli::AgentRequest;

use crate::args::duration;
use crate::args::run::WorkArgs;
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::Failure;
use crate::interrupt;

/// Start a live agent and print its id.
///
/// It takes no prompt: what it answers before anybody listens would be lost. `agents send` gives it one. Containers of live
/// agents take no options, and no agent resumes a session; for these use `run` or `start`.
#[derive(Args)]
#[command(after_help = "Examples:
  agent=$(stromboli agents spawn --model sonnet --budget 5)
  stromboli agents spawn --workdir /workspace --idle-timeout 2h")]
pub(crate) struct Spawn {
    /// How long the agent may have nothing to do, such as 2h, before the server stops it [default: the server's, 30m]. A
    /// turn may take no longer either.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle_timeout: Option<Duration>,
    /// Let the agent live until it is stopped.
    #[arg(long, conflicts_with = "idle_timeout")]
    no_idle_timeout: bool,
    #[command(flatten)]
    work: WorkArgs,
}

impl Spawn {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let mut request = request(self.work)?;
        request.idle_timeout_seconds = self
            .idle_timeout
            .map(|idle| i64::try_from(idle.as_secs()).unwrap_or(i64::MAX));
        request.disable_idle_timeout = self.no_idle_timeout.then_some(true);
        let agent = interrupt::or_stop(client.agents().spawn(request), MAYBE).await?;
        conversations::remember(context, Kind::Agent, agent.id());
        // Before anything else can fail.
        let agent = match agent.get().await {
            Ok(agent) => agent,
            Err(error) => {
                context.output.note(&format!("{} is started", agent.id()));
                return Err(error.into());
            }
        };
        context.output.value(&agent, |agent| agent.id.clone())?;
        context.output.note(&format!(
            "{} · session {}",
            super::inspect::lifetime(&agent),
            agent.session_id
        ));
        Ok(())
    }
}

const MAYBE: &str =
    "interrupted before the server answered: the agent may have been started\n`stromboli agents list` shows it";

/// What a live agent is started with.
pub(crate) fn request(work: WorkArgs) -> Result<AgentRequest, Failure> {
    let work = work.read()?;
    if work.podman.is_some() {
        return Err(
            Failure::usage("containers of live agents take no options, and the file has a table `podman`")
                .next("leave it out, or use `stromboli run`"),
        );
    }
    let mut request = AgentRequest::new();
    request.claude = work.claude;
    request.workdir = work.workdir;
    Ok(request)
}
