//! `stromboli secrets`: what runs can be given as environment variables. Values go in and never come out.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stromboli::{Client, ErrorKind, Secret, SecretCreated};

use crate::ask;
use crate::context::Context;
use crate::exit::Failure;
use crate::output::table;

const EXAMPLES: &str = "\
Examples:
  stromboli secrets list
  stromboli secrets set github-token                  asks for the value
  gh auth token | stromboli secrets set github-token  reads it instead
  stromboli secrets set deploy-key -f ~/.ssh/deploy --replace
  stromboli run \"Open a pull request\" --podman secrets_env.GITHUB_TOKEN=github-token";

/// List, store and delete secrets, which runs get as environment variables.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Secrets {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Set(Set),
    Get(Get),
    Rm(Rm),
}

impl Secrets {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(context).await,
            Command::Set(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
            Command::Rm(command) => command.run(context).await,
        }
    }
}

/// List all secrets, without their values.
///
/// The server's own `claude-credentials` is among them.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = "Examples:
  stromboli secrets list")]
struct List {}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let secrets = context.client()?.secrets().list().await?;
        context.output.list(&secrets, "no secrets", |secrets| {
            let rows = secrets
                .iter()
                .map(|secret| [secret.name.clone(), secret.created_at.clone()]);
            table(["SECRET", "CREATED"], rows)
        })
    }
}

/// Store a secret.
///
/// Its value is asked for on a terminal, and else read from standard input or a file. The line end of a value of one line is
/// not part of it; a value of several lines, such as a key, is taken as it is.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli secrets set github-token                  asks for the value
  gh auth token | stromboli secrets set github-token  reads it instead
  stromboli secrets set deploy-key -f ~/.ssh/deploy --replace")]
struct Set {
    /// Its name: letters, digits, `_` and `-`.
    name: String,
    /// Read the value from a file.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Put it in the place of a secret that has this name. Runs that start in between do not find it.
    #[arg(long)]
    replace: bool,
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let value = match &self.file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?,
            None => ask::secret(context, &format!("value of {}", self.name))?,
        };
        let value = Secret::new(without_line_end(&value));
        let created = match client.secrets().create(&self.name, value.clone()).await {
            Err(error) if error.kind() == ErrorKind::SecretExists && self.replace => {
                replace(client, &self.name, value).await?
            }
            created => created?,
        };
        let printed = context.output.value(&created, |_| String::new());
        context.output.note(&format!("{} is stored", self.name));
        printed
    }
}

/// The server overwrites none, so there are two steps.
async fn replace(client: &Client, name: &str, value: Secret) -> Result<SecretCreated, Failure> {
    client.secrets().delete(name).await?;
    let created = client.secrets().create(name, value).await;
    created.map_err(|error| {
        Failure::other(format!(
            "the old value of {name} is deleted, and the new one was not stored: {error}"
        ))
        .next("store it again")
    })
}

fn without_line_end(value: &str) -> &str {
    let Some(line) = value.strip_suffix('\n') else {
        return value;
    };
    match line.contains('\n') {
        true => value,
        false => line.strip_suffix('\r').unwrap_or(line),
    }
}

/// Show since when there is a secret; its value stays on the server.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli secrets get github-token")]
struct Get {
    /// Its name.
    secret: String,
}

impl Get {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let secret = context.client()?.secrets().get(&self.secret).await?;
        context.output.value(&secret, |secret| {
            format!("{}, id {}, since {}", secret.name, secret.id, secret.created_at)
        })
    }
}

/// Delete secrets. Runs that name one afterwards fail.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli secrets rm github-token
  stromboli secrets rm github-token --yes")]
struct Rm {
    /// Their names.
    #[arg(required = true)]
    secret: Vec<String>,
}

impl Rm {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        ask::confirm(context, &format!("delete {}?", self.secret.join(", ")))?;
        for name in &self.secret {
            client.secrets().delete(name).await?;
            context.output.note(&format!("{name} is deleted"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_end_of_a_single_line_is_left_out() {
        for (value, taken) in [
            ("token", "token"),
            ("token\n", "token"),
            ("token\r\n", "token"),
            ("token \n", "token "),
            ("\n", ""),
            ("key\nof\nlines\n", "key\nof\nlines\n"),
            ("token\n\n", "token\n\n"),
        ] {
            assert_eq!(without_line_end(value), taken, "{value:?}");
        }
    }
}
