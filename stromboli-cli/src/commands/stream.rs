//! `stromboli stream`: one prompt, and its answer as it comes.

use clap::Args;
use serde::Serialize;
use stromboli::{Client, RunEvent, RunResponse, RunStreamEnd, StreamRequest};

use crate::commands::run::{STOPPED, summary};
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::Failure;
use crate::interrupt;
use crate::output::{Format, Output};
use crate::prompt::PromptArgs;

const EXAMPLES: &str = "\
Examples:
  stromboli stream \"Tell a story\"
  stromboli stream -f task.md --workdir /workspace
  stromboli stream \"Count to ten\" --output ndjson | jq -r 'select(.type == \"output\") | .line'

With --output ndjson each line is an event: {\"type\":\"output\",\"line\":…} for a line of the agent's, \
{\"type\":\"done\",\"id\":…, \"session_id\":…,\"status\":…} for the end, \
{\"type\":\"other\",\"event\":…,\"data\":…} for what this version does not know. With --output json the whole is \
one value at the end, as `stromboli run` prints it, and without `status` if the end did not come.

The server takes no other options for a stream: for a model, a budget or a volume use `run` or `start`. What the \
agent prints before its answer is little; `chat` and `agents send` show its work. Ctrl-C closes the connection, \
and the server then stops the run; so does a lost connection, with exit code 5.";

/// Run a prompt and print its answer line by line as it comes.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Stream {
    #[command(flatten)]
    prompt: PromptArgs,
    /// Directory in the container to work in, an absolute path.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Id that the new conversation shall have, a UUID.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

impl Stream {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let mut request = StreamRequest::new(self.prompt.read(context)?);
        request.workdir = self.workdir;
        request.session_id = self.session;
        let mut printed = Printed::new(&context.output);
        let streamed = interrupt::or_stop(printed.follow(client, request), STOPPED).await;
        let end = match streamed {
            Ok(end) => end,
            Err(Failure::Closed) => return Err(Failure::other(UNREAD)),
            // What came is kept.
            Err(failure) => {
                printed.without_end()?;
                return Err(failure);
            }
        };
        conversations::remember(context, Kind::Session, &end.session_id);
        let written = printed.ended(&end);
        // The end says all of a reply but its output, which is printed.
        let reply = serde_json::to_value(&end).and_then(serde_json::from_value);
        let reply: RunResponse =
            reply.map_err(|error| Failure::other(format!("the run's end is not as promised: {error}")))?;
        context.output.note(&summary(&reply));
        // Who stops reading does not turn a failed run into a good one.
        reply.ok()?;
        written
    }
}

const UNREAD: &str =
    "nobody reads the output any more: the connection is closed before the run's end, and the server stops the run";

/// An event as `--output ndjson` prints it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event<'a> {
    Output { line: &'a str },
    Done(&'a RunStreamEnd),
    Other { event: &'a str, data: &'a str },
}

/// The whole as `--output json` prints it, which is a [`RunResponse`] where the end is known.
#[derive(Serialize)]
struct Whole<'a> {
    output: &'a str,
    #[serde(flatten)]
    end: Option<&'a RunStreamEnd>,
}

/// What has been printed of a run, and what is kept of it for the end.
struct Printed<'a> {
    output: &'a Output,
    lines: Vec<String>,
}

impl<'a> Printed<'a> {
    fn new(output: &'a Output) -> Self {
        Self {
            output,
            lines: Vec::new(),
        }
    }

    /// Prints what comes, up to the end.
    async fn follow(&mut self, client: &Client, request: StreamRequest) -> Result<RunStreamEnd, Failure> {
        let mut waiting = Some(self.output.spinner("agent is working"));
        let mut run = client.stream(request).await?;
        while let Some(event) = run.try_next().await? {
            drop(waiting.take());
            match event {
                RunEvent::Output(line) => self.line(line)?,
                RunEvent::Done(end) => return Ok(end),
                RunEvent::Other { event, data } => self.event(&Event::Other {
                    event: &event,
                    data: &data,
                })?,
                _ => {}
            }
        }
        Err(Failure::other("stream ended without the run's end"))
    }

    fn line(&mut self, line: String) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => self.output.line(&format!("{line}\n")),
            Format::Json => {
                self.lines.push(line);
                Ok(())
            }
            Format::Ndjson => self.event(&Event::Output { line: &line }),
        }
    }

    fn event(&self, event: &Event<'_>) -> Result<(), Failure> {
        match self.output.format {
            Format::Ndjson => self.output.ndjson(event),
            Format::Text | Format::Json => Ok(()),
        }
    }

    fn without_end(&self) -> Result<(), Failure> {
        match self.output.format {
            Format::Json if !self.lines.is_empty() => self.whole(None),
            _ => Ok(()),
        }
    }

    fn ended(&self, end: &RunStreamEnd) -> Result<(), Failure> {
        match self.output.format {
            Format::Json => self.whole(Some(end)),
            _ => self.event(&Event::Done(end)),
        }
    }

    fn whole(&self, end: Option<&RunStreamEnd>) -> Result<(), Failure> {
        let output = self.lines.join("\n");
        let whole = Whole { output: &output, end };
        self.output.value(&whole, |whole| whole.output.to_owned())
    }
}
