//! How a run is written down: line by line, in the form in which Claude Code keeps conversations on disk.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::request::{flag, text};
use crate::state::uuid;
use crate::timestamp;
use crate::usage::Usage;

use super::turn::{Told, Turn};

/// The release of Claude Code whose form the lines have.
const CLAUDE_CODE: &str = "2.1.197";

/// Writes one turn at the end of a transcript.
pub(super) struct Writer<'a> {
    turn: &'a Turn,
    /// The id of the conversation.
    id: &'a str,
    lines: &'a mut String,
    /// The same for the same turn, so that its lines are the same each time they are written.
    random: fastrand::Rng,
    prompt_id: String,
    /// The `uuid` of the line before.
    leaf: Option<String>,
    /// When what is written now happened.
    now: Timestamp,
    /// All that the command printed so far to its standard output.
    printed: String,
    /// Tokens that no answer has got yet.
    usage: Option<&'a Usage>,
    /// Whether the tokens were told, so that those which messages bring along do not count.
    told: bool,
    /// Whether an answer was written.
    answered: bool,
    /// What the answer was, by the result that the command printed.
    result: Option<String>,
}

/// A line of a user or of the model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    parent_uuid: Option<&'a str>,
    is_sidechain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a Value,
    uuid: &'a str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_use_result: Option<&'a Value>,
    user_type: &'a str,
    entrypoint: &'a str,
    cwd: &'a str,
    session_id: &'a str,
    version: &'a str,
    git_branch: &'a str,
}

impl<'a> Writer<'a> {
    /// `leaf` is the `uuid` of the last line before.
    pub(super) fn new(turn: &'a Turn, id: &'a str, leaf: Option<String>, lines: &'a mut String) -> Self {
        let mut random = turn.random.clone();
        Self {
            turn,
            id,
            lines,
            prompt_id: uuid(&mut random),
            random,
            leaf,
            now: turn.began,
            printed: String::new(),
            usage: None,
            told: false,
            answered: false,
            result: None,
        }
    }

    /// Writes as much of the turn as has happened, and returns the `uuid` of its last line.
    pub(super) fn write(mut self) -> Option<String> {
        self.prompt();
        for (time, told) in self.turn.events() {
            self.now = time;
            match told {
                Told::Printed(printed) => self.output(printed),
                Told::Used(usage) => {
                    self.usage = Some(usage);
                    self.told = true;
                }
                Told::Completed => {
                    self.answer();
                    self.last_prompt();
                }
                // A command that is killed does not get to its last line.
                Told::Crashed => self.answer(),
                // What is printed before a failure is about the failure.
                Told::Failed => self.last_prompt(),
            }
        }
        self.leaf
    }

    /// The two lines on the queue that the prompt goes through, which the server keeps to itself, and the user's.
    fn prompt(&mut self) {
        let (time, prompt) = (timestamp::milliseconds(self.now), self.turn.prompt());
        let kind = "queue-operation";
        let came = json!({
            "type": kind, "operation": "enqueue", "timestamp": time, "sessionId": self.id, "content": prompt,
        });
        let went = json!({"type": kind, "operation": "dequeue", "timestamp": time, "sessionId": self.id});
        self.lines.push_str(&format!("{came}\n{went}\n"));
        let message = json!({"role": "user", "content": prompt});
        let uuid = uuid(&mut self.random);
        let mut line = self.line("user", &uuid, &message);
        line.permission_mode = Some(self.turn.permission_mode());
        line.prompt_source = Some("sdk");
        let line = line.written();
        self.push(&line, uuid);
    }

    /// What the command printed, as far as it is messages.
    fn output(&mut self, printed: &str) {
        self.printed.push_str(printed);
        self.printed.push('\n');
        for line in printed.split('\n') {
            let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(line) else {
                continue;
            };
            match text(&fields, "type") {
                "assistant" => self.message("assistant", &mut fields),
                "user" => self.message("user", &mut fields),
                "result" => self.result = Some(text(&fields, "result").to_owned()),
                _ => {}
            }
        }
    }

    /// A message as it was printed. What subagents say is kept elsewhere, and repeated prompts are there already.
    fn message(&mut self, kind: &str, fields: &mut Map<String, Value>) {
        let Some(mut message @ Value::Object(_)) = fields.remove("message") else {
            return;
        };
        if fields.get("parent_tool_use_id").is_some_and(Value::is_string) || flag(fields, "isReplay") {
            return;
        }
        if kind == "assistant" {
            self.answered = true;
            self.count(&mut message);
        }
        let uuid = match text(fields, "uuid") {
            "" => uuid(&mut self.random),
            uuid => uuid.to_owned(),
        };
        let mut line = self.line(kind, &uuid, &message);
        line.tool_use_result = fields.get("tool_use_result");
        let line = line.written();
        self.push(&line, uuid);
    }

    fn last_prompt(&mut self) {
        let (prompt, kind) = (self.turn.prompt(), "last-prompt");
        let last = json!({"type": kind, "lastPrompt": prompt, "leafUuid": self.leaf, "sessionId": self.id});
        self.lines.push_str(&format!("{last}\n"));
    }

    /// The answer, if it did not come in messages: what the result said it was, or else all that was printed. Tokens
    /// that no message has got are in an answer that says nothing.
    fn answer(&mut self) {
        let text = self.result.take();
        let text = text.unwrap_or_else(|| self.printed.trim().to_owned());
        let says = !self.answered && !text.is_empty();
        if !says && self.usage.is_none() {
            return;
        }
        let blocks = if says {
            json!([{"type": "text", "text": text}])
        } else {
            json!([])
        };
        let mut message = json!({
            "id": format!("msg_{:016x}", self.random.u64(..)),
            "type": "message",
            "role": "assistant",
            "content": blocks,
            "stop_reason": "end_turn",
            "stop_sequence": null,
        });
        self.count(&mut message);
        let uuid = uuid(&mut self.random);
        let line = self.line("assistant", &uuid, &message).written();
        self.push(&line, uuid);
    }

    /// Gives an answer the tokens that wait for one, and a model.
    fn count(&mut self, message: &mut Value) {
        let Some(fields) = message.as_object_mut() else { return };
        if self.told {
            fields.remove("usage");
        }
        let asked = Some(self.turn.model()).filter(|model| !model.is_empty());
        let mut model = asked.filter(|_| !fields.contains_key("model"));
        if let Some(usage) = self.usage.take() {
            model = usage.model.as_deref().or(model);
            let counts = json!({
                "input_tokens": usage.input_tokens,
                "cache_creation_input_tokens": usage.cache_creation_input_tokens,
                "cache_read_input_tokens": usage.cache_read_input_tokens,
                "output_tokens": usage.output_tokens,
            });
            fields.insert("usage".to_owned(), counts);
        }
        if let Some(model) = model {
            fields.insert("model".to_owned(), json!(model));
        }
    }

    fn line<'l>(&'l self, kind: &'l str, uuid: &'l str, message: &'l Value) -> Line<'l> {
        Line {
            parent_uuid: self.leaf.as_deref(),
            is_sidechain: false,
            prompt_id: (kind == "user").then_some(self.prompt_id.as_str()),
            kind,
            message,
            uuid,
            timestamp: timestamp::milliseconds(self.now),
            permission_mode: None,
            prompt_source: None,
            tool_use_result: None,
            user_type: "external",
            entrypoint: "sdk-cli",
            cwd: self.turn.workdir(),
            session_id: self.id,
            version: CLAUDE_CODE,
            git_branch: "HEAD",
        }
    }

    fn push(&mut self, line: &str, leaf: String) {
        self.lines.push_str(line);
        self.leaf = Some(leaf);
    }
}

impl Line<'_> {
    fn written(&self) -> String {
        // Nothing in a line can fail to be written.
        serde_json::to_string(self).map(|line| line + "\n").unwrap_or_default()
    }
}
