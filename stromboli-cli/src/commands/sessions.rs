//! `stromboli sessions`: conversations on the server's disk.

mod markdown;

use clap::{Args, Subcommand, ValueEnum};
use stromboli::{HistoryMessage, MessageStream};

use crate::ask;
use crate::context::Context;
use crate::exit::Failure;
use crate::output::{Format, table};

const EXAMPLES: &str = "\
Examples:
  stromboli sessions list
  stromboli sessions messages 550e8400-e29b-41d4-a716-446655440000 --limit 20
  stromboli sessions export 550e8400-e29b-41d4-a716-446655440000 --format markdown > talk.md
  stromboli sessions rm 550e8400-e29b-41d4-a716-446655440000

`stromboli run --resume ID` goes on with a conversation. Conversations of persistent agents are listed, but the server keeps \
no messages of theirs.";

/// List, read, export and delete conversations.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Messages(Messages),
    Export(Export),
    Rm(Rm),
}

impl Sessions {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(context).await,
            Command::Messages(command) => command.run(context).await,
            Command::Export(command) => command.run(context).await,
            Command::Rm(command) => command.run(context).await,
        }
    }
}

/// List all conversations, those of persistent agents and of failed runs too.
///
/// Servers before 0.5.0 give no titles.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = "Examples:
  stromboli sessions list
  stromboli sessions list --output ndjson | jq -r .id")]
struct List {}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let sessions = context.client()?.sessions().list().await?;
        context.output.list(&sessions, "no sessions", |sessions| {
            let rows = sessions
                .iter()
                .map(|session| [session.id.clone(), session.title.clone().unwrap_or_default()]);
            table(["SESSION", "TITLE"], rows)
        })
    }
}

/// Show what was said, in order.
///
/// Messages are fetched page by page and shown as they come. Text leaves out those that say nothing; JSON is one array of all,
/// NDJSON one a line.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli sessions messages 550e8400-e29b-41d4-a716-446655440000
  stromboli sessions messages 550e8400-e29b-41d4-a716-446655440000 --offset 20 --limit 10")]
struct Messages {
    /// The conversation's id, as runs and `sessions list` show it.
    session: String,
    /// Show so many at most.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Skip so many first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    offset: u32,
}

impl Messages {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let messages = context.client()?.session(&self.session).messages().offset(self.offset);
        // A page need not be larger than all that is wanted.
        let mut stream = match self.limit {
            Some(limit @ 1..) => messages.limit(limit).stream(),
            _ => messages.stream(),
        };
        let mut left = self.limit;
        let mut all = Vec::new();
        let mut first = true;
        while let Some(message) = next(&mut stream, &mut left).await? {
            match context.output.format {
                Format::Text => {
                    let Some(text) = markdown::plain(&message) else {
                        continue;
                    };
                    let gap = if first { "" } else { "\n" };
                    context.output.line(&format!("{gap}{text}"))?;
                }
                Format::Ndjson => context.output.ndjson(&message)?,
                Format::Json => all.push(message),
            }
            first = false;
        }
        match context.output.format {
            Format::Json => context.output.value(&all, |_| String::new()),
            _ => {
                if first {
                    context.output.note("no messages");
                }
                Ok(())
            }
        }
    }
}

/// The next message, if more are wanted.
async fn next(stream: &mut MessageStream, left: &mut Option<u32>) -> Result<Option<HistoryMessage>, Failure> {
    match left {
        Some(0) => return Ok(None),
        Some(left) => *left -= 1,
        None => {}
    }
    Ok(stream.try_next().await?)
}

/// How an export is written.
#[derive(Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// One message a line, as the server gives it.
    Jsonl,
    /// For reading: what says nothing is left out.
    Markdown,
}

/// Write a whole conversation to standard output.
///
/// When it fails in the middle, the exit code says so; what is there by then is written.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli sessions export 550e8400-e29b-41d4-a716-446655440000 > session.jsonl
  stromboli sessions export 550e8400-e29b-41d4-a716-446655440000 --format markdown > session.md")]
struct Export {
    /// The conversation's id, as runs and `sessions list` show it.
    session: String,
    /// How it is written.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: ExportFormat,
}

impl Export {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut stream = context.client()?.session(&self.session).messages().limit(200).stream();
        let mut message = stream.try_next().await?;
        if let ExportFormat::Markdown = self.format {
            context.output.line(&format!("# Session {}", self.session))?;
        }
        while let Some(exported) = message {
            match self.format {
                ExportFormat::Jsonl => context.output.ndjson(&exported)?,
                ExportFormat::Markdown => {
                    if let Some(section) = markdown::section(&exported) {
                        context.output.line(&format!("\n{section}"))?;
                    }
                }
            }
            message = stream.try_next().await?;
        }
        Ok(())
    }
}

/// Delete conversations with their history and files.
///
/// A container that still runs in one goes on.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli sessions rm 550e8400-e29b-41d4-a716-446655440000
  stromboli sessions rm 550e8400-e29b-41d4-a716-446655440000 --yes")]
struct Rm {
    /// Ids, as runs and `sessions list` show them.
    #[arg(required = true)]
    session: Vec<String>,
}

impl Rm {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        ask::confirm(
            context,
            &format!("delete {}, with history and files?", self.session.join(", ")),
        )?;
        for session in &self.session {
            client.session(session).destroy().await?;
            context.output.note(&format!("{session} is deleted"));
        }
        Ok(())
    }
}
