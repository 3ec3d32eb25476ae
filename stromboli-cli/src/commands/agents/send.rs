//! `stromboli agents send`: a prompt for a live agent, and its turn.

use clap::Args;
use stromboli::AgentSendRequest;

use crate::context::Context;
use crate::exit::Failure;
use crate::interrupt;
use crate::prompt::PromptArgs;
use crate::turn_view;

/// Give an agent a prompt and show its turn.
///
/// Text goes to stdout as it is written, tool calls to stderr. With --output json the turn's `result` message is printed at the
/// end, with ndjson every message as the agent printed it. Exit code 3 means that the agent failed. Ctrl-C stops listening; the
/// agent goes on, because the server has no way to interrupt a turn.
#[derive(Args)]
#[command(after_help = r#"Examples:
  stromboli agents send "$agent" "Look at the failing test"
  git diff | stromboli agents send "$agent"
  stromboli agents send "$agent" -f task.md --output json | jq .total_cost_usd"#)]
pub(crate) struct Send {
    /// The agent's id, as `agents spawn` and `agents list` show it.
    agent: String,
    #[command(flatten)]
    prompt: PromptArgs,
    /// Print the turn's id and do not listen. What the agent says is lost if nobody is attached.
    #[arg(long)]
    no_wait: bool,
}

impl Send {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let prompt = self.prompt.read(context)?;
        if self.no_wait {
            let request = AgentSendRequest::new(prompt);
            let turn = client.raw().agent_send(&self.agent, &request).await;
            let turn = match turn {
                Ok(turn) => turn.into_inner(),
                Err(error) => return Err(stromboli::Error::from_raw("agent_send", error).await.into()),
            };
            return context.output.value(&turn, |turn| turn.turn_id.clone());
        }
        let agent = client.agent(&self.agent);
        let turn = async {
            let mut turn = agent.send(prompt).await?;
            let followed = turn_view::follow(&context.output, &mut turn, |_| {}).await?;
            turn_view::judge(&context.output, &turn, followed)
        };
        interrupt::or_stop(turn, goes_on(&self.agent)).await
    }
}

/// What Ctrl-C does to a turn.
pub(crate) fn goes_on(agent: &str) -> String {
    format!(
        "interrupted: the agent goes on with the turn, which the server cannot interrupt\n\
         `stromboli agents attach {agent}` listens again, `stromboli agents stop {agent}` ends the agent"
    )
}
