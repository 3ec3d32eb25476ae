//! `stromboli agents`: processes that stay alive between prompts.

mod attach;
mod inspect;
pub(crate) mod send;
mod spawn;
mod stop;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  agent=$(stromboli agents spawn --model sonnet --budget 5)
  stromboli agents send \"$agent\" \"Look at the failing test\"
  stromboli agents send \"$agent\" \"Fix it\" --output json | jq .total_cost_usd
  stromboli agents attach \"$agent\" --output ndjson | jq -c .type
  stromboli agents list
  stromboli agents stop \"$agent\"

A live agent keeps its conversation between prompts, one at a time, until it is stopped or was idle for too \
long. What it says while nobody listens is lost, and its conversation ends with it. `stromboli chat` talks to \
one.";

/// Start, prompt, watch and stop live agents.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Agents {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Spawn(Box<spawn::Spawn>),
    List(inspect::List),
    Get(inspect::Get),
    Send(send::Send),
    Attach(attach::Attach),
    Stop(stop::Stop),
}

impl Agents {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Spawn(command) => command.run(context).await,
            Command::List(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
            Command::Send(command) => command.run(context).await,
            Command::Attach(command) => command.run(context).await,
            Command::Stop(command) => command.run(context).await,
        }
    }
}
