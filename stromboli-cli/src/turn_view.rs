//! A turn of a live agent as it is shown: text as it is written, tool calls as one line each.

use std::time::Instant;

use anstream::adapter::StripStr;
use stromboli::messages::{Message, ResultMessage, ToolUse};
use stromboli::{ErrorKind, Turn};

use crate::exit::{Code, Failure};
use crate::output::{Format, Output, Spinner};

/// Characters of a tool call's line.
const MAX_TOOL_LINE: usize = 100;
/// What of a tool's input says most, in this order.
const TELLING: [&str; 8] = [
    "command",
    "file_path",
    "path",
    "pattern",
    "url",
    "query",
    "description",
    "prompt",
];

/// What is shown of an agent's messages.
pub(crate) struct TurnView<'a> {
    output: &'a Output,
    began: Instant,
    waiting: Option<Spinner>,
    /// What has been printed of the text that is being written.
    written: String,
    /// Whether stdout stands in the middle of a line.
    in_line: bool,
    /// Something was said.
    has_text: bool,
    strip: StripStr,
}

impl<'a> TurnView<'a> {
    /// Nothing yet; a spinner turns.
    pub(crate) fn new(output: &'a Output) -> Self {
        let mut view = Self::silent(output);
        view.wait();
        view
    }

    /// Nothing yet, and maybe nothing for long.
    pub(crate) fn silent(output: &'a Output) -> Self {
        Self {
            output,
            began: Instant::now(),
            waiting: None,
            written: String::new(),
            in_line: false,
            has_text: false,
            strip: StripStr::new(),
        }
    }

    fn wait(&mut self) {
        let spinner = self.output.spinner_since("agent is working", self.began.elapsed());
        self.waiting = Some(spinner);
    }

    /// Shows a message.
    pub(crate) fn message(&mut self, message: &Message) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => self.in_words(message),
            // A stream has no end at which one document could be printed.
            Format::Json | Format::Ndjson => {
                self.waiting = None;
                match message.raw() {
                    Some(line) => self.output.line(line),
                    None => self.output.ndjson(message),
                }
            }
        }
    }

    fn in_words(&mut self, message: &Message) -> Result<(), Failure> {
        match message {
            Message::StreamEvent(event) if !event.is_from_subagent() => match event.text() {
                Some(text) => self.write(text),
                None => Ok(()),
            },
            Message::Assistant(said) => {
                if !said.is_from_subagent() && !said.text().is_empty() {
                    self.whole(&said.text())?;
                }
                for tool in said.tool_uses() {
                    self.note(&tool_line(tool))?;
                    self.wait();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The text that was written piece by piece, or was not, is there as a whole.
    fn whole(&mut self, text: &str) -> Result<(), Failure> {
        let written = std::mem::take(&mut self.written);
        match text.strip_prefix(&written) {
            Some(rest) => self.write(rest)?,
            // Its beginning came before anybody listened.
            None if text.ends_with(&written) => {}
            // Pieces are missing, and nobody shall puzzle it together.
            None => {
                self.end_line()?;
                self.write(text)?;
            }
        }
        self.written.clear();
        self.end_line()
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.waiting = None;
        self.written.push_str(text);
        self.has_text = true;
        let Some(last) = text.chars().last() else { return Ok(()) };
        self.in_line = last != '\n';
        if !self.output.is_terminal() {
            return self.output.piece(text);
        }
        // Escape sequences may be spread over the pieces.
        let safe: String = self.strip.strip_next(text).collect();
        self.output.piece(&safe)
    }

    fn end_line(&mut self) -> Result<(), Failure> {
        match std::mem::take(&mut self.in_line) {
            true => self.output.piece("\n"),
            false => Ok(()),
        }
    }

    /// Says something by the way, on a line of its own.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.waiting = None;
        self.end_line()?;
        self.output.note(text);
        Ok(())
    }

    /// Says that something is missing, which even those must know who want to hear nothing.
    pub(crate) fn warn(&mut self, text: &str) -> Result<(), Failure> {
        self.waiting = None;
        self.end_line()?;
        self.output.warn(text);
        Ok(())
    }

    /// Ends what is shown.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.waiting = None;
        self.end_line()
    }
}

/// Shows a turn up to its end, and `look`s at each of its messages. Given up, it can be gone on with.
///
/// It is listened to after nobody reads what is shown any more: only its end says whether the agent failed.
pub(crate) async fn follow(
    output: &Output,
    turn: &mut Turn,
    mut look: impl FnMut(&Message),
) -> Result<Followed, Failure> {
    let mut view = TurnView::new(output);
    let mut result = None;
    let mut printed = Ok(());
    let ended = loop {
        match turn.try_next().await {
            Ok(Some(message)) => {
                look(&message);
                if output.format != Format::Json && printed.is_ok() {
                    printed = view.message(&message);
                }
                if let Message::Result(message) = message {
                    result = Some(message);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) if error.kind() == ErrorKind::Lagged => printed = printed.and(view.warn(error.message())),
            Err(error) => break Err(error),
        }
    };
    printed = printed.and(view.end());
    let silent = !view.has_text;
    drop(view);
    let result = match (ended, result) {
        (Ok(()), Some(result)) => result,
        (Ok(()), None) => return Err(Failure::found(Code::AgentFailed, "turn ended without a result")),
        (Err(error), _) => {
            turn.diagnostics().for_each(|line| output.error_output(line));
            return Err(error.into());
        }
    };
    if printed.is_ok() {
        printed = match output.format {
            Format::Json => output.value(&*result, |_| String::new()),
            // As a rule, the answer is what was said last.
            Format::Text if silent => output.line(&result.text()),
            _ => Ok(()),
        };
    }
    output.note(&summary(&result));
    Ok(Followed {
        result: *result,
        printed,
    })
}

/// A turn that has ended.
pub(crate) struct Followed {
    pub(crate) result: ResultMessage,
    /// Whether all of it could be shown.
    printed: Result<(), Failure>,
}

/// Fails as the agent did, or else as the printing did.
pub(crate) fn judge(output: &Output, turn: &Turn, followed: Followed) -> Result<(), Failure> {
    let outcome = followed.result.outcome();
    if outcome.is_ok() {
        return followed.printed;
    }
    turn.diagnostics().for_each(|line| output.error_output(line));
    Err(Failure::found(Code::AgentFailed, format!("agent failed: {outcome}")))
}

/// The line below a turn.
fn summary(result: &ResultMessage) -> String {
    let cost = result.total_cost_usd().map(|cost| format!("${cost:.4} so far"));
    let time = result.duration().map(|time| format!("{:.1}s", time.as_secs_f64()));
    [cost, time].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `Bash cargo test`: the tool, and what of its input says most.
fn tool_line(tool: &ToolUse) -> String {
    let name = tool.name.as_deref().unwrap_or("a tool");
    let input: serde_json::Map<_, _> = tool.input().unwrap_or_default();
    let telling = TELLING
        .iter()
        .find_map(|key| input.get(*key)?.as_str())
        .map(str::to_owned)
        .or_else(|| (!input.is_empty()).then(|| serde_json::Value::from(input.clone()).to_string()));
    let line = format!("· {name} {}", telling.unwrap_or_default());
    let mut shown: String = line
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(MAX_TOOL_LINE)
        .collect();
    if shown.len() < line.trim_end().len() {
        shown.push('…');
    }
    shown.trim_end().to_owned()
}
