//! `stromboli run`: one prompt, one answer.

use clap::Args;
use stromboli::RunResponse;

use crate::args::run::RunArgs;
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::Failure;
use crate::interrupt;
use crate::prompt::PromptArgs;

const EXAMPLES: &str = "\
Examples:
  stromboli run \"Fix the failing test\" --workdir /workspace --volume .:/workspace --model sonnet --budget 2
  git diff | stromboli run -
  stromboli run -f task.md --output json | jq -r .session_id
  stromboli run \"And the docs?\" --resume 550e8400-e29b-41d4-a716-446655440000
  stromboli run \"Hello\" --claude effort=high --podman lifecycle.hooks_timeout=5m

What the agent printed goes to stdout, all else to stderr. Exit code 3 means that the agent failed; whatever it \
printed is there all the same. Ctrl-C closes the connection, and the server then stops the run.";

/// Run a prompt and wait for the answer.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    #[command(flatten)]
    prompt: PromptArgs,
    #[command(flatten)]
    options: RunArgs,
}

impl Run {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        // Before anybody writes a prompt in an editor.
        let client = context.client()?;
        let options = self.options.read(context)?;
        let request = options.request(self.prompt.read(context)?);
        let waiting = context.output.spinner("agent is working");
        let reply = interrupt::or_stop(client.run(request), STOPPED).await;
        drop(waiting);
        let reply = reply?;
        conversations::remember(context, Kind::Session, reply.session_id());
        let printed = context.output.value(&reply, |reply| reply.text().to_owned());
        context.output.note(&summary(&reply));
        // Who stops reading does not turn a failed run into a good one.
        reply.ok()?;
        printed
    }
}

pub(super) const STOPPED: &str = "interrupted: the connection is closed, and the server stops the run";

/// The line below an answer.
pub(super) fn summary(reply: &RunResponse) -> String {
    let mut parts = Vec::new();
    if !reply.session_id().is_empty() {
        parts.push(format!("session {}", reply.session_id()));
    }
    if let Some(usage) = &reply.usage {
        parts.push(format!("{} tokens", usage.total_tokens));
        parts.push(format!("${:.4}", usage.estimated_cost_usd));
    }
    parts.join(" · ")
}
