//! `stromboli agents stop`.

use clap::Args;

use crate::context::Context;
use crate::conversations;
use crate::exit::Failure;
use crate::interrupt;

/// Stop agents and forget them, those that have exited too. This ends their conversations.
#[derive(Args)]
#[command(visible_alias = "rm")]
#[command(after_help = r#"Examples:
  stromboli agents stop "$agent"
  stromboli agents list --output ndjson | jq -r .id | xargs stromboli agents stop"#)]
pub(crate) struct Stop {
    /// The agents' ids, as `agents spawn` and `agents list` show them.
    #[arg(required = true, value_name = "AGENT")]
    agents: Vec<String>,
}

impl Stop {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        for id in &self.agents {
            let waiting = context.output.spinner(format!("{id} is ending"));
            let stopped = interrupt::or_stop(client.agent(id).stop(), MAYBE).await;
            drop(waiting);
            stopped?;
            conversations::forget(context, id);
            context.output.note(&format!("{id} is stopped"));
        }
        Ok(())
    }
}

const MAYBE: &str =
    "interrupted: the server goes on stopping the agent\n`stromboli agents list` shows whether it has ended";
