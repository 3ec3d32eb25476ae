//! The commands, one file each. A new one is a file, its `mod`, its variant and its arm.

mod agents;
mod api;
mod auth;
mod chat;
pub(crate) mod completions;
mod config;
mod doctor;
mod health;
mod images;
mod jobs;
mod man;
mod reference;
mod run;
mod secrets;
mod serve;
mod sessions;
mod start;
mod stream;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Failure;

/// In the order in which `--help` lists them. What a command is for stands above its struct.
#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Box<run::Run>),
    Stream(stream::Stream),
    Chat(Box<chat::Chat>),
    Start(Box<start::Start>),
    Jobs(jobs::Jobs),
    Agents(agents::Agents),
    Sessions(sessions::Sessions),
    Secrets(secrets::Secrets),
    Images(images::Images),
    Auth(auth::Auth),
    Config(config::Config),
    Health(health::Health),
    Doctor(doctor::Doctor),
    Api(api::Api),
    Serve(Box<serve::Serve>),
    Completions(completions::Completions),
    Man(man::Man),
    Reference(reference::Reference),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Run(command) => command.run(context).await,
            Self::Stream(command) => command.run(context).await,
            Self::Chat(command) => command.run(context).await,
            Self::Start(command) => command.run(context).await,
            Self::Jobs(command) => command.run(context).await,
            Self::Agents(command) => command.run(context).await,
            Self::Sessions(command) => command.run(context).await,
            Self::Secrets(command) => command.run(context).await,
            Self::Images(command) => command.run(context).await,
            Self::Auth(command) => command.run(context).await,
            Self::Config(command) => command.run(context).await,
            Self::Health(command) => command.run(context).await,
            Self::Doctor(command) => command.run(context).await,
            Self::Api(command) => command.run(context).await,
            Self::Serve(command) => command.run(context).await,
            Self::Completions(command) => command.run(context).await,
            Self::Man(command) => command.run(context).await,
            Self::Reference(command) => command.run(context).await,
        }
    }
}
