//! Where a command prints: stdout has the payload and nothing else, stderr everything for people.

mod table;

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

pub(crate) use table::{age, table};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();
/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// What goes to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON value a line, as it comes.
    Ndjson,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            // `anstream` goes by the terminal, NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Where a command prints, and how.
pub(crate) struct Output {
    pub(crate) format: Format,
    color: Color,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(format: Format, color: Color, quiet: bool) -> Self {
        Self { format, color, quiet }
    }

    /// Prints the one value that a command is about, which `text` puts into words.
    pub(crate) fn value<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.line(&text(value)),
            Format::Json => self.json(value),
            Format::Ndjson => self.ndjson(value),
        }
    }

    /// Prints the values that a command lists. In words, none of them is `none`, on stderr.
    pub(crate) fn list<T: Serialize>(
        &self,
        values: &[T],
        none: &str,
        text: impl FnOnce(&[T]) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text if values.is_empty() => {
                self.note(none);
                Ok(())
            }
            Format::Text => self.line(&text(values)),
            Format::Json => self.json(&values),
            Format::Ndjson => values.iter().try_for_each(|value| self.ndjson(value)),
        }
    }

    /// Prints text of the payload and ends its line; nothing if there is none. What agents and servers write can hold
    /// sequences that a terminal obeys, and those stay away from it.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let mut stdout = io::stdout().lock();
        if stdout.is_terminal() {
            write!(stdout, "{}{end}", anstream::adapter::strip_str(text))?;
        } else {
            write!(stdout, "{text}{end}")?;
        }
        Ok(stdout.flush()?)
    }

    /// Prints a piece of a text that is being written, as it is.
    pub(crate) fn piece(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Whether stdout is a terminal, which must see no sequences that others wrote.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn ndjson<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        self.write_json(serde_json::to_vec(value))
    }

    fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        self.write_json(serde_json::to_vec_pretty(value))
    }

    fn write_json(&self, text: serde_json::Result<Vec<u8>>) -> Result<(), Failure> {
        let mut text = text.map_err(|error| Failure::other(format!("no JSON can be made of it: {error}")))?;
        text.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&text)?;
        Ok(stdout.flush()?)
    }

    /// Says something by the way, unless nobody wants to hear it.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && !text.is_empty() {
            self.say(DIM, "", text);
        }
    }

    /// Says what is missing or not as it should be, though the command goes on.
    pub(crate) fn warn(&self, clause: &str) {
        self.say(WARNING, "warning: ", clause);
    }

    /// Says what went wrong.
    pub(crate) fn error(&self, clause: &str) {
        self.say(ERROR, "error: ", clause);
    }

    /// Says what helps against it.
    pub(crate) fn hint(&self, next: &str) {
        self.say(HINT, "  hint: ", next);
    }

    /// Shows what an agent printed before it failed.
    pub(crate) fn error_output(&self, text: &str) {
        self.say(Style::new(), "", text.trim_end());
    }

    /// Stderr may be closed, and there is no place left to say so.
    fn say(&self, style: Style, label: &str, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.color.into());
        let text = anstream::adapter::strip_str(text);
        let _ = match label {
            "" => writeln!(stderr, "{style}{text}{style:#}"),
            label => writeln!(stderr, "{style}{label}{style:#}{text}"),
        };
    }

    /// Shows on a terminal that something is waited for, and how long already, until it is dropped.
    pub(crate) fn spinner(&self, what: impl Into<Cow<'static, str>>) -> Spinner {
        self.spinner_since(what, Duration::ZERO)
    }

    /// The same for what began so long ago.
    pub(crate) fn spinner_since(&self, what: impl Into<Cow<'static, str>>, ago: Duration) -> Spinner {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if self.quiet || dumb || !io::stderr().is_terminal() {
            return Spinner(None);
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let bar = bar.with_message(what).with_elapsed(ago);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(TICK);
        Spinner(Some(bar))
    }
}

/// A spinner on stderr, which is gone when this is dropped.
pub(crate) struct Spinner(Option<ProgressBar>);

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
