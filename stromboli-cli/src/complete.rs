//! What a shell offers when Tab is pressed where an id or a name is wanted: those that the server has.

use std::future::Future;
use std::time::Duration;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate, ValueCandidates};
use stromboli::Client;

use crate::args::{Cli, GlobalArgs};
use crate::context::Context;

/// Somebody waits with a finger on the key.
const PATIENCE: Duration = Duration::from_secs(2);

/// The command line, with what completes its arguments. They go by their names, so that a command needs to say nothing.
pub(crate) fn command() -> Command {
    completed(Cli::command())
}

fn completed(command: Command) -> Command {
    let command = command.mut_args(|argument| match candidates(argument.get_id().as_str()) {
        Some(candidates) => argument.add(candidates),
        None => argument,
    });
    command.mut_subcommands(completed)
}

fn candidates(name: &str) -> Option<ArgValueCandidates> {
    Some(match name {
        "job" => from_server(jobs),
        "agent" => from_server(agents),
        "session" | "resume" => from_server(sessions),
        "secret" => from_server(secrets),
        "image" => from_server(images),
        _ => return None,
    })
}

/// A value, and what helps to tell it from the others.
type Known = (String, String);

async fn jobs(client: Client) -> stromboli::Result<Vec<Known>> {
    let jobs = client.jobs().list().await?;
    Ok(jobs.into_iter().map(|job| (job.id, job.status.to_string())).collect())
}

async fn agents(client: Client) -> stromboli::Result<Vec<Known>> {
    let agents = client.agents().list().await?;
    Ok(agents
        .into_iter()
        .map(|agent| (agent.id, agent.status.to_string()))
        .collect())
}

async fn sessions(client: Client) -> stromboli::Result<Vec<Known>> {
    let sessions = client.sessions().list().await?;
    Ok(sessions
        .into_iter()
        .map(|session| (session.id, session.title.unwrap_or_default()))
        .collect())
}

async fn secrets(client: Client) -> stromboli::Result<Vec<Known>> {
    let secrets = client.secrets().list().await?;
    Ok(secrets.into_iter().map(|secret| (secret.name, String::new())).collect())
}

async fn images(client: Client) -> stromboli::Result<Vec<Known>> {
    let images = client.images().list().await?;
    Ok(images
        .into_iter()
        .map(|image| (format!("{}:{}", image.repository, image.tag), String::new()))
        .collect())
}

fn from_server<F>(ask: fn(Client) -> F) -> ArgValueCandidates
where
    F: Future<Output = stromboli::Result<Vec<Known>>> + 'static,
{
    ArgValueCandidates::new(FromServer(ask))
}

struct FromServer<F>(fn(Client) -> F);

impl<F: Future<Output = stromboli::Result<Vec<Known>>>> ValueCandidates for FromServer<F> {
    /// Nothing when there is no server, since a shell has no place for errors.
    fn candidates(&self) -> Vec<CompletionCandidate> {
        let known = ask(self.0).unwrap_or_default();
        known
            .into_iter()
            .map(|(value, help)| CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into())))
            .collect()
    }
}

fn ask<F: Future<Output = stromboli::Result<Vec<Known>>>>(ask: fn(Client) -> F) -> Option<Vec<Known>> {
    let context = Context::new(&typed());
    let client = context.client().ok()?.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, ask(client)).await })
        .ok()?
        .ok()
}

/// The global options of the line that is being typed, as far as it can be read: `--url` decides which server is asked.
fn typed() -> GlobalArgs {
    // After `--` stands the line as the shell has it, and at first there the program.
    let line = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let matches: ArgMatches = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(line)
        .unwrap_or_default();
    GlobalArgs::from_arg_matches(&matches).unwrap_or_default()
}
