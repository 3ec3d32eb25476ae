//! What Claude Code printed once with `--output-format stream-json`, and what another run prints of it, and when.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::answer::Run;
use crate::usage::Usage;

/// The output of Claude Code in the format stream-json: one turn, or several one after the other, each of which ends
/// with its result.
///
/// ```
/// use stromboli_emulator::Recording;
///
/// let recording = Recording::lines([r#"{"type":"result","subtype":"success","is_error":false,"result":"pong"}"#]);
/// # let _ = recording;
/// ```
#[derive(Clone)]
pub struct Recording {
    pub(crate) turns: Vec<Turn>,
}

/// What answers one prompt.
#[derive(Clone, Default)]
pub(crate) struct Turn {
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    text: String,
    /// Null for what is not JSON.
    value: Value,
    time: Option<Timestamp>,
}

/// What a run prints of a turn.
pub(crate) struct Played {
    /// Each line with its time since the beginning.
    pub(crate) lines: Vec<(Duration, String)>,
    pub(crate) usage: Option<Usage>,
    /// The result says that the turn failed.
    pub(crate) failed: bool,
}

impl Recording {
    /// Reads a recording, whose lines end with `\n` or `\r\n`.
    ///
    /// # Errors
    /// When the file cannot be read or is not UTF-8; the error names it.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        Ok(Self::lines(text.lines()))
    }

    /// A recording of these lines. They are not checked: one that is not JSON is printed as it is.
    pub fn lines<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Self {
        let mut turns: Vec<Turn> = Vec::new();
        for line in lines {
            let line = Line::new(line.into());
            match turns.last_mut() {
                // What the command has to say after a result still belongs to that turn.
                Some(turn) if !turn.has_result() || line.is_afterword() => turn.lines.push(line),
                _ => turns.push(Turn { lines: vec![line] }),
            }
        }
        Self { turns }
    }
}

impl fmt::Debug for Recording {
    /// Without what was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("turns", &self.turns.len())
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// What `run` prints of it: everything with the output format `stream-json`, the result with `json`, and otherwise
    /// the text of the result. Partial and replayed messages come only if the run wants them, and the session is its
    /// own. A line that has no timestamp follows `gap` after the one before.
    pub(crate) fn play(&self, run: &Run, gap: Duration) -> Played {
        let result = self.lines.iter().find(|line| line.is_result());
        let times = self.times(gap);
        let own = self.lines.iter().zip(times);
        let lines = match run.claude_text("output_format") {
            Some("stream-json") => own
                .filter(|(line, _)| line.is_wanted(run))
                .map(|(line, at)| (at, self.of_session(&line.text, run)))
                .collect(),
            Some("json") => own
                .filter(|(line, _)| line.is_result())
                .map(|(line, at)| (at, self.of_session(&line.text, run)))
                .collect(),
            _ => own
                .filter(|(line, _)| line.is_result())
                .flat_map(|(line, at)| line.words().into_iter().map(move |words| (at, words)))
                .collect(),
        };
        Played {
            lines,
            usage: result.and_then(Line::usage),
            failed: result.is_some_and(|line| line.value.get("is_error") == Some(&Value::Bool(true))),
        }
    }

    /// When each line comes. The first timestamp is not the time of a beginning; from there, they count.
    fn times(&self, gap: Duration) -> Vec<Duration> {
        let mut times: Vec<Duration> = Vec::with_capacity(self.lines.len());
        let mut base: Option<(Timestamp, Duration)> = None;
        for line in &self.lines {
            let next = times.last().map_or(Duration::ZERO, |last| last.saturating_add(gap));
            let at = match (line.time, base) {
                (Some(time), Some((from, at))) => {
                    let since = Duration::try_from(time.duration_since(from)).unwrap_or_default();
                    at.saturating_add(since).max(times.last().copied().unwrap_or_default())
                }
                _ => next,
            };
            if base.is_none() {
                base = line.time.map(|time| (time, at));
            }
            times.push(at);
        }
        times
    }

    /// The line with the session of `run` in the place of the recorded one.
    fn of_session(&self, line: &str, run: &Run) -> String {
        let mut ids = self
            .lines
            .iter()
            .filter_map(|line| line.value.get("session_id")?.as_str());
        match ids.next() {
            Some(recorded) if !recorded.is_empty() => {
                let [recorded, own] = [recorded, &run.session_id].map(|id| Value::from(id).to_string());
                with_value(line, &recorded, &own)
            }
            _ => line.to_owned(),
        }
    }

    fn has_result(&self) -> bool {
        self.lines.iter().any(Line::is_result)
    }
}

/// A line of JSON with `new` in the place of each string that is `old`, both as JSON, but for names of members. An id
/// may be a part of other texts, or be spelled like a name.
fn with_value(line: &str, old: &str, new: &str) -> String {
    if !line.contains(old) {
        return line.to_owned();
    }
    let mut changed = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, from)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
        let (string, after) = from.split_at(string_length(from));
        let is_name = after.trim_start().starts_with(':');
        changed.push_str(before);
        changed.push_str(if string == old && !is_name { new } else { string });
        rest = after;
    }
    changed + rest
}

/// How long the string is that the text begins with, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

impl Line {
    fn new(text: String) -> Self {
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let time = value.get("timestamp").and_then(Value::as_str);
        Self {
            time: time.and_then(|time| time.parse().ok()),
            text,
            value,
        }
    }

    fn is(&self, kind: &str) -> bool {
        self.value.get("type").and_then(Value::as_str) == Some(kind)
    }

    fn is_result(&self) -> bool {
        self.is("result")
    }

    /// A message about what has happened, which begins nothing.
    fn is_afterword(&self) -> bool {
        self.is("system") && self.value.get("subtype").and_then(Value::as_str) != Some("init")
    }

    /// Whether a run that prints messages prints this one.
    fn is_wanted(&self, run: &Run) -> bool {
        let wants = |option: &str| run.claude.get(option) == Some(&Value::Bool(true));
        if self.is("stream_event") {
            wants("include_partial_messages")
        } else if self.value.get("isReplay") == Some(&Value::Bool(true)) {
            wants("replay_user_messages")
        } else {
            true
        }
    }

    /// What a result says to a reader of text, in lines: its text, or what went wrong.
    fn words(&self) -> Vec<String> {
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect();
        match (self.value.get("result"), self.value.get("errors")) {
            (Some(Value::String(text)), _) => lines(text),
            (_, Some(Value::Array(errors))) => errors.iter().filter_map(Value::as_str).flat_map(lines).collect(),
            _ => Vec::new(),
        }
    }

    /// The tokens that a result tells of.
    fn usage(&self) -> Option<Usage> {
        let used = self.value.get("usage")?;
        let count = |name: &str| used.get(name).and_then(Value::as_u64).unwrap_or_default();
        let models = self.value.get("modelUsage").and_then(Value::as_object);
        Some(Usage {
            model: models.and_then(|models| models.keys().next().cloned()),
            input_tokens: count("input_tokens"),
            output_tokens: count("output_tokens"),
            cache_creation_input_tokens: count("cache_creation_input_tokens"),
            cache_read_input_tokens: count("cache_read_input_tokens"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GAP: Duration = Duration::from_millis(10);

    fn run(claude: Value) -> Run {
        Run {
            id: "run-1".to_owned(),
            prompt: "ping".to_owned(),
            session_id: "own \"id\"".to_owned(),
            workdir: None,
            claude,
            podman: Value::Null,
            conversation: None,
        }
    }

    fn times(lines: &[&str]) -> Vec<u128> {
        let recording = Recording::lines(lines.iter().copied());
        assert_eq!(recording.turns.len(), 1);
        let played = recording.turns[0].play(&run(json!({"output_format": "stream-json"})), GAP);
        played.lines.iter().map(|(at, _)| at.as_millis()).collect()
    }

    #[test]
    fn only_values_that_are_the_recorded_session_become_the_runs() {
        let recorded = r#"{"type":"result","session_id":"s","result":"ss \"s\" \\","is":["s",{"s":"a \"s"}, "s" ]}"#;
        let recording = Recording::lines([recorded]);
        let played = recording.turns[0].play(&run(json!({"output_format": "stream-json"})), GAP);
        let own = r#"{"type":"result","session_id":"own \"id\"","result":"ss \"s\" \\","is":["own \"id\"",{"s":"a \"s"}, "own \"id\"" ]}"#;
        assert_eq!(played.lines[0].1, own);
        // Between two other strings stands what this one is with its quotes.
        assert_eq!(
            with_value(r#"{"a":"b","c":","}"#, r#"",""#, r#""d""#),
            r#"{"a":"b","c":"d"}"#
        );
    }

    #[test]
    fn lines_follow_their_timestamps_and_where_there_are_none_a_gap() {
        let timed = |time: &str| format!(r#"{{"type":"user","timestamp":"2026-11-20T11:52:{time}Z"}}"#);
        let (first, second, third) = (timed("20"), timed("21.5"), timed("21"));
        let lines = ["{}", "{}", &first, "{}", &second, "not JSON", &third, "{}"];
        assert_eq!(times(&lines), [0, 10, 20, 30, 1520, 1530, 1530, 1540]);
        assert_eq!(
            times(&[&first, r#"{"timestamp":"no time"}"#, r#"{"timestamp":3}"#]),
            [0, 10, 20]
        );
    }

    #[test]
    fn a_turn_ends_with_its_result_and_what_is_said_about_it() {
        let recording = Recording::lines([
            r#"{"type":"system","subtype":"init"}"#,
            r#"{"type":"result","result":"a"}"#,
            r#"{"type":"system","subtype":"notification"}"#,
            r#"{"type":"system","subtype":"init"}"#,
            r#"{"type":"result","result":"b"}"#,
            r#"{"type":"user"}"#,
        ]);
        let lengths: Vec<_> = recording.turns.iter().map(|turn| turn.lines.len()).collect();
        assert_eq!(lengths, [3, 2, 1]);
        assert!(Recording::lines([""; 0]).turns.is_empty());
    }

    #[test]
    fn the_recorded_session_becomes_that_of_the_run() {
        let recording = Recording::lines([
            r#"{"type":"system","cwd":"/w/s-1","session_id":"s-1"}"#,
            r#"{"type":"result", "session_id": "s-1", "result":"ok"}"#,
        ]);
        let played = recording.turns[0].play(&run(json!({"output_format": "json"})), GAP);
        let expected = r#"{"type":"result", "session_id": "own \"id\"", "result":"ok"}"#;
        assert_eq!(played.lines, [(GAP, expected.to_owned())]);
    }
}
