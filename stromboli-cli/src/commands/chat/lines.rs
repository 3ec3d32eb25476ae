//! Where the prompts of a chat come from: a line editor with a history, or a pipe.

use std::io::{self, BufRead};
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, Config, Editor, Helper};

use crate::context::Context;
use crate::conversations::state_file;
use crate::exit::Failure;
use crate::interrupt::Interrupts;
use crate::locked_file::{self, LockedFile};

const PROMPT: &str = "> ";
/// How many prompts the history keeps.
const KEPT: usize = 1000;

/// What comes next.
pub(super) enum Input {
    Text(String),
    /// Ctrl-C where a prompt was asked for.
    Interrupted,
    End,
}

/// Prompts, one after the other.
pub(super) enum Lines {
    /// None only while it is being used.
    Terminal(Option<Box<Terminal>>),
    Pipe,
}

/// A line editor, and the file in which it keeps what was written.
pub(super) struct Terminal {
    editor: Editor<Continuation, MemHistory>,
    history: Option<PathBuf>,
}

impl Lines {
    pub(super) fn of(context: &Context) -> Result<Self, Failure> {
        Ok(match context.interactive {
            true => Self::Terminal(Some(Box::new(Terminal::open()?))),
            false => Self::Pipe,
        })
    }

    /// The next prompt. Connections are kept alive meanwhile.
    pub(super) async fn next(&mut self, interrupts: &mut Interrupts) -> Result<Input, Failure> {
        match self {
            Self::Terminal(terminal) => {
                let Some(mut used) = terminal.take() else {
                    return Ok(Input::End);
                };
                let (used, input) = blocking(move || {
                    let input = used.next();
                    (used, input)
                })
                .await?;
                *terminal = Some(used);
                input
            }
            Self::Pipe => {
                let line = interrupts.or_stop(blocking(read_line), "interrupted").await;
                match line {
                    Ok(line) => Ok(line?),
                    Err(Failure::Interrupted(_)) => Ok(Input::Interrupted),
                    Err(failure) => Err(failure),
                }
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::other(error.to_string()))
}

fn read_line() -> io::Result<Input> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Ok(Input::End),
        _ => Ok(Input::Text(line)),
    }
}

impl Terminal {
    fn open() -> Result<Self, Failure> {
        let mut editor = editor().map_err(|error| Failure::other(format!("terminal cannot be used: {error}")))?;
        editor.set_helper(Some(Continuation));
        let history = state_file("chat_history");
        // One that cannot be read is none.
        let text = history.as_ref().and_then(|path| locked_file::read(path).ok()?);
        for entry in entries(&text.unwrap_or_default()) {
            let _ = editor.add_history_entry(entry);
        }
        Ok(Self { editor, history })
    }

    fn next(&mut self) -> Result<Input, Failure> {
        match self.editor.readline(PROMPT) {
            Ok(text) => {
                let text = text.replace("\\\n", "\n");
                if self.editor.add_history_entry(text.as_str()).unwrap_or_default() && !text.starts_with('/') {
                    // The prompt counts, not that it can be found again.
                    let _ = self.keep(&text);
                }
                Ok(Input::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Interrupted),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(Failure::other(format!("terminal cannot be read: {error}"))),
        }
    }

    /// Adds it to the file, which other chats may be writing as well.
    fn keep(&self, text: &str) -> io::Result<()> {
        let Some(path) = &self.history else { return Ok(()) };
        let file = LockedFile::lock(path)?;
        let before = file.read()?.unwrap_or_default();
        let mut lines: Vec<&str> = before.lines().collect();
        let line = serde_json::Value::from(text).to_string();
        lines.push(&line);
        let kept = lines.get(lines.len().saturating_sub(KEPT)..).unwrap_or_default();
        file.write(&(kept.join("\n") + "\n"))
    }
}

fn editor() -> rustyline::Result<Editor<Continuation, MemHistory>> {
    // What is asked on the terminal is no part of the output.
    let config = Config::builder()
        .behavior(Behavior::PreferTerm)
        .max_history_size(KEPT)?;
    let config = config.history_ignore_dups(true)?.history_ignore_space(true).build();
    let history = MemHistory::with_config(&config);
    Editor::with_history(config, history)
}

/// The prompts in a history: a JSON string a line, because prompts have several lines.
fn entries(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok())
}

/// A line that ends with a backslash goes on.
struct Continuation;

impl Completer for Continuation {
    type Candidate = String;
}

impl Hinter for Continuation {
    type Hint = String;
}

impl Highlighter for Continuation {}
impl Helper for Continuation {}

impl Validator for Continuation {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match context.input().ends_with('\\') {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}
