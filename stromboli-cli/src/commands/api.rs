//! `stromboli api`: any request, with the address, the token and the exit codes of all other commands.

use std::fmt::Display;
use std::io::{self, IsTerminal, Read, Write};

use clap::Args;

use crate::context::Context;
use crate::exit::Failure;
use crate::interrupt::Interrupts;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  stromboli api GET /health
  stromboli api POST /run -d '{\"prompt\": \"Hello\"}' | jq -r .output
  stromboli api POST /run/async -d @request.json
  stromboli api GET /jobs -i

The body goes to stdout as it comes, that of an error too, cut off after 64 KiB; the exit code goes by the status. Nothing is \
sent twice, and redirects are not followed. The path is added to the server's address.";

/// Send a request of your own to the server.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Api {
    /// GET, POST, DELETE, …
    method: String,
    /// The path, with a query if need be: /sessions/ID/messages?limit=10.
    path: String,
    /// The body: JSON, `@FILE` to read it from there, or `-` from standard input.
    #[arg(short, long, value_name = "JSON")]
    data: Option<String>,
    /// Print the status and the headers before the body.
    #[arg(short, long)]
    include: bool,
}

const STOPPED: &str = "interrupted: the connection is closed, and what the server makes of that is up to it";

impl Api {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let body = body(self.data.as_deref())?;
        let method = self.method.to_uppercase();
        let path = match self.path.starts_with('/') {
            true => self.path,
            false => format!("/{}", self.path),
        };
        let mut interrupts = Interrupts::new()?;
        let waiting = context.output.spinner("server is working");
        let answer = interrupts.or_stop(client.request(&method, &path, body), STOPPED).await;
        drop(waiting);
        let mut printer = Printer::new(&context.output);
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Call(error)) => {
                if let Some(status) = error.status() {
                    if self.include {
                        printer.print(head(status, error.headers()).as_bytes())?;
                    }
                    printer.print(error.body())?;
                    printer.end()?;
                }
                return Err(Failure::Call(error));
            }
            Err(failure) => return Err(failure),
        };
        if self.include {
            printer.print(head(answer.status(), answer.headers()).as_bytes())?;
        }
        loop {
            match interrupts.or_stop(answer.chunk(), STOPPED).await {
                Ok(Some(chunk)) => printer.print(&chunk)?,
                Ok(None) => return printer.end(),
                Err(failure) => {
                    printer.end()?;
                    return Err(failure);
                }
            }
        }
    }
}

fn body(data: Option<&str>) -> Result<Vec<u8>, Failure> {
    let unreadable = |what: &str, error: io::Error| Failure::usage(format!("{what} cannot be read: {error}"));
    match data {
        None => Ok(Vec::new()),
        Some("-") => {
            let mut body = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut body);
            read.map_err(|error| unreadable("standard input", error)).map(|_| body)
        }
        Some(text) => match text.strip_prefix('@') {
            Some(file) => std::fs::read(file).map_err(|error| unreadable(file, error)),
            None => Ok(text.as_bytes().to_vec()),
        },
    }
}

/// The beginning of an answer, as it looks on the wire but for the version of HTTP.
fn head<'a, N, V>(status: impl Display, headers: impl IntoIterator<Item = (&'a N, &'a V)>) -> String
where
    N: Display + 'a,
    V: AsRef<[u8]> + 'a,
{
    let mut text = format!("HTTP {status}\n");
    for (name, value) in headers {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_ref()));
    }
    text + "\n"
}

/// Prints bytes: as they are into a pipe or a file, and line by line, without what a terminal would obey, on a terminal.
struct Printer<'a> {
    output: &'a Output,
    /// What has come of a line, on a terminal.
    line: Option<Vec<u8>>,
}

impl<'a> Printer<'a> {
    fn new(output: &'a Output) -> Self {
        Self {
            output,
            line: io::stdout().is_terminal().then(Vec::new),
        }
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(line) = &mut self.line else {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            return Ok(stdout.flush()?);
        };
        line.extend_from_slice(bytes);
        let Some(end) = line.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let rest = line.split_off(end + 1);
        let lines = std::mem::replace(line, rest);
        self.output.line(&String::from_utf8_lossy(&lines))
    }

    fn end(self) -> Result<(), Failure> {
        let rest = self.line.unwrap_or_default();
        self.output.line(&String::from_utf8_lossy(&rest))
    }
}
