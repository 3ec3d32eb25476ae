//! The commands, one file each. A new one is a file, its `mod`, its variant and its arm.

pub(crate) mod completions;
mod health;
mod jobs;
mod man;
mod reference;
mod run;
mod serve;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Failure;

/// In the order in which `--help` lists them. What a command is for stands above its struct.
#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Box<run::Run>),
    Jobs(jobs::Jobs),
    Health(health::Health),
    Serve(Box<serve::Serve>),
    Completions(completions::Completions),
    Man(man::Man),
    Reference(reference::Reference),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Run(command) => command.run(context).await,
            Self::Jobs(command) => command.run(context).await,
            Self::Health(command) => command.run(context).await,
            Self::Serve(command) => command.run(context).await,
            Self::Completions(command) => command.run(context).await,
            Self::Man(command) => command.run(context).await,
            Self::Reference(command) => command.run(context).await,
        }
    }
}
