//! The lines of stream-json, in the shapes and the order of Claude Code 2.1.197.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Run;
use crate::state::uuid;
use crate::usage::Usage;

const VERSION: &str = "2.1.197";
/// Where the command runs when the request does not say.
const CWD: &str = "/workspace";
const TOOLS: [&str; 10] = [
    "Task",
    "Bash",
    "Edit",
    "NotebookEdit",
    "Read",
    "Skill",
    "TaskStop",
    "WebFetch",
    "WebSearch",
    "Write",
];
/// In how many pieces a text comes at most, and in how many the input of a tool.
const TEXT_PIECES: usize = 5;
const INPUT_PIECES: usize = 2;

/// Names and values of a JSON object, the values being JSON already.
type Fields<'a> = &'a [(&'a str, &'a dyn Display)];

/// Writes the lines of one turn.
pub(super) struct Printer<'a> {
    run: &'a Run,
    model: &'a str,
    random: &'a mut fastrand::Rng,
    lines: Vec<String>,
}

/// What the result of a turn says.
pub(super) struct Ending<'a> {
    pub(super) num_turns: usize,
    pub(super) text: &'a str,
    pub(super) stop_reason: &'static str,
    pub(super) structured: Option<&'a Value>,
    /// The tokens of the turn.
    pub(super) used: &'a Usage,
}

impl<'a> Printer<'a> {
    pub(super) fn new(run: &'a Run, model: &'a str, random: &'a mut fastrand::Rng) -> Self {
        Self {
            run,
            model,
            random,
            lines: Vec::new(),
        }
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// The first line of every turn.
    pub(super) fn init(&mut self) {
        let cwd = self.run.workdir.as_deref().unwrap_or(CWD);
        let memory = format!("/home/user/.claude/projects/{}/memory/", cwd.replace('/', "-"));
        let line = object(&[
            ("type", &text("system")),
            ("subtype", &text("init")),
            ("cwd", &text(cwd)),
            ("session_id", &text(&self.run.session_id)),
            ("tools", &self.tools()),
            ("mcp_servers", &"[]"),
            ("model", &text(self.model)),
            ("permissionMode", &text(self.permission_mode())),
            (
                "slash_commands",
                &json!(["clear", "compact", "context", "init", "review", "usage"]),
            ),
            ("apiKeySource", &text("none")),
            ("claude_code_version", &text(VERSION)),
            ("output_style", &text("default")),
            ("agents", &json!(["claude", "Explore", "general-purpose", "Plan"])),
            ("skills", &json!(["code-review", "verify"])),
            ("plugins", &"[]"),
            ("analytics_disabled", &true),
            ("product_feedback_disabled", &true),
            ("uuid", &self.uuid()),
            ("memory_paths", &json!({ "auto": memory })),
            ("fast_mode_state", &text("off")),
        ]);
        self.print(&line);
    }

    /// The prompt again, if the request wants it.
    pub(super) fn replay(&mut self) {
        if self.claude("replay_user_messages") != Some(&Value::Bool(true)) {
            return;
        }
        let message = object(&[("role", &text("user")), ("content", &text(&self.run.prompt))]);
        let line = object(&[
            ("type", &text("user")),
            ("message", &message),
            ("session_id", &text(&self.run.session_id)),
            ("parent_tool_use_id", &"null"),
            ("uuid", &self.uuid()),
            ("timestamp", &now()),
            ("isReplay", &true),
        ]);
        self.print(&line);
    }

    /// A message with one block of text.
    pub(super) fn say(&mut self, said: &str, tokens: &Usage) {
        let block = |said: &str| object(&[("type", &text("text")), ("text", &text(said))]);
        let deltas = pieces(said, TEXT_PIECES).into_iter();
        let deltas = deltas.map(|piece| object(&[("type", &text("text_delta")), ("text", &text(piece))]));
        self.message(&block(""), deltas.collect(), &block(said), "end_turn", tokens);
    }

    /// A message with the use of a tool, whose id is returned.
    pub(super) fn tool_use(&mut self, name: &str, input: &Value, tokens: &Usage) -> String {
        let id = format!("toolu_{:08}", self.random.u32(..100_000_000));
        let block = |input: &dyn Display| {
            object(&[
                ("type", &text("tool_use")),
                ("id", &text(&id)),
                ("name", &text(name)),
                ("input", input),
            ])
        };
        let written = input.to_string();
        let deltas = pieces(&written, INPUT_PIECES).into_iter();
        let deltas = deltas.map(|piece| object(&[("type", &text("input_json_delta")), ("partial_json", &text(piece))]));
        self.message(&block(&"{}"), deltas.collect(), &block(input), "tool_use", tokens);
        id
    }

    pub(super) fn tool_result(&mut self, block: &Value, detail: &Value) {
        let message = json!({"role": "user", "content": [block]});
        let line = object(&[
            ("type", &text("user")),
            ("message", &message),
            ("parent_tool_use_id", &"null"),
            ("session_id", &text(&self.run.session_id)),
            ("uuid", &self.uuid()),
            ("timestamp", &now()),
            ("tool_use_result", detail),
        ]);
        self.print(&line);
    }

    /// The last line of the turn. What the session has cost and used is of all its turns.
    pub(super) fn result(&mut self, ending: &Ending<'_>, used_by_model: &BTreeMap<String, Usage>) {
        let cost: f64 = used_by_model.values().map(Usage::cost).sum();
        let models: Vec<String> = used_by_model.iter().map(model_usage).collect();
        let used = object(&[
            ("input_tokens", &ending.used.input_tokens),
            ("cache_creation_input_tokens", &ending.used.cache_creation_input_tokens),
            ("cache_read_input_tokens", &ending.used.cache_read_input_tokens),
            ("output_tokens", &ending.used.output_tokens),
            (
                "server_tool_use",
                &json!({"web_search_requests": 0, "web_fetch_requests": 0}),
            ),
            ("service_tier", &text("standard")),
            (
                "cache_creation",
                &json!({"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0}),
            ),
            ("inference_geo", &text("")),
            ("iterations", &"[]"),
            ("speed", &text("standard")),
        ]);
        let begin: Fields<'_> = &[
            ("type", &text("result")),
            ("subtype", &text("success")),
            ("is_error", &false),
            ("api_error_status", &"null"),
            ("duration_ms", &0),
            ("duration_api_ms", &0),
            ("ttft_ms", &0),
            ("ttft_stream_ms", &0),
            ("time_to_request_ms", &0),
            ("num_turns", &ending.num_turns),
            ("result", &text(ending.text)),
            ("stop_reason", &text(ending.stop_reason)),
            ("session_id", &text(&self.run.session_id)),
            ("total_cost_usd", &cost),
            ("usage", &used),
            ("modelUsage", &format!("{{{}}}", models.join(","))),
            ("permission_denials", &"[]"),
        ];
        let structured = ending
            .structured
            .map(|value| ("structured_output", value as &dyn Display));
        let end: Fields<'_> = &[
            ("terminal_reason", &text("completed")),
            ("fast_mode_state", &text("off")),
            ("uuid", &self.uuid()),
        ];
        let all: Vec<_> = begin
            .iter()
            .copied()
            .chain(structured)
            .chain(end.iter().copied())
            .collect();
        self.print(&object(&all));
    }

    /// A message of the model with one block: first in parts, then whole.
    fn message(&mut self, empty: &str, deltas: Vec<String>, block: &str, stop_reason: &str, tokens: &Usage) {
        let line = object(&[
            ("type", &text("system")),
            ("subtype", &text("status")),
            ("status", &text("requesting")),
            ("uuid", &self.uuid()),
            ("session_id", &text(&self.run.session_id)),
        ]);
        self.print(&line);
        let id = text(&format!("msg_{:024}", self.random.u64(..)));
        let used = object(&[
            ("input_tokens", &tokens.input_tokens),
            // Of what is written, only the first token is known when a message begins.
            ("output_tokens", &tokens.output_tokens.min(1)),
            ("cache_creation_input_tokens", &tokens.cache_creation_input_tokens),
            ("cache_read_input_tokens", &tokens.cache_read_input_tokens),
        ]);
        let (kind, role, model) = (text("message"), text("assistant"), text(self.model));
        let content = format!("[{block}]");
        let message = |content: &str, more: Fields<'_>| {
            let fields: Fields<'_> = &[
                ("id", &id),
                ("type", &kind),
                ("role", &role),
                ("model", &model),
                ("content", &content),
                ("stop_reason", &"null"),
                ("stop_sequence", &"null"),
                ("usage", &used),
            ];
            object(&[fields, more].concat())
        };
        let start: Fields<'_> = &[("type", &text("message_start")), ("message", &message("[]", &[]))];
        self.event(start, &[("ttft_ms", &0)]);
        self.block_event("content_block_start", &[("content_block", &empty)]);
        for delta in deltas {
            self.block_event("content_block_delta", &[("delta", &delta)]);
        }
        let line = object(&[
            ("type", &text("assistant")),
            ("message", &message(&content, &[("context_management", &"null")])),
            ("parent_tool_use_id", &"null"),
            ("session_id", &text(&self.run.session_id)),
            ("uuid", &self.uuid()),
        ]);
        self.print(&line);
        self.block_event("content_block_stop", &[]);
        let delta = object(&[("stop_reason", &text(stop_reason)), ("stop_sequence", &"null")]);
        let used = object(&[("output_tokens", &tokens.output_tokens)]);
        let end: Fields<'_> = &[("type", &text("message_delta")), ("delta", &delta), ("usage", &used)];
        self.event(end, &[]);
        self.event(&[("type", &text("message_stop"))], &[]);
    }

    fn block_event(&mut self, kind: &str, what: Fields<'_>) {
        let fields: Fields<'_> = &[("type", &text(kind)), ("index", &0)];
        self.event(&[fields, what].concat(), &[]);
    }

    /// A part of a message as the model's API streams it.
    fn event(&mut self, event: Fields<'_>, more: Fields<'_>) {
        let fields: Fields<'_> = &[
            ("type", &text("stream_event")),
            ("event", &object(event)),
            ("session_id", &text(&self.run.session_id)),
            ("parent_tool_use_id", &"null"),
            ("uuid", &self.uuid()),
        ];
        self.print(&object(&[fields, more].concat()));
    }

    fn print(&mut self, line: &str) {
        // The command escapes what JavaScript takes for the end of a line.
        self.lines
            .push(line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"));
    }

    fn tools(&self) -> Value {
        let list = |name| self.claude(name).and_then(Value::as_array);
        let denied = list("disallowed_tools");
        let mut tools = match list("tools").filter(|tools| !tools.is_empty()) {
            Some(tools) => tools.clone(),
            None => TOOLS.map(Value::from).into(),
        };
        tools.retain(|tool| !denied.is_some_and(|denied| denied.contains(tool)));
        if self.run.claude_text("json_schema").is_some() {
            tools.push(text(super::STRUCTURED_OUTPUT));
        }
        Value::Array(tools)
    }

    fn permission_mode(&self) -> &str {
        let skips = self.claude("dangerously_skip_permissions") == Some(&Value::Bool(true));
        match self.run.claude_text("permission_mode") {
            Some(mode) if !mode.is_empty() => mode,
            _ if skips => "bypassPermissions",
            _ => "default",
        }
    }

    fn claude(&self, name: &str) -> Option<&'a Value> {
        self.run.claude.get(name)
    }

    fn uuid(&mut self) -> Value {
        Value::String(uuid(self.random))
    }
}

fn model_usage((model, used): (&String, &Usage)) -> String {
    let used = object(&[
        ("inputTokens", &used.input_tokens),
        ("outputTokens", &used.output_tokens),
        ("cacheReadInputTokens", &used.cache_read_input_tokens),
        ("cacheCreationInputTokens", &used.cache_creation_input_tokens),
        ("webSearchRequests", &0),
        ("costUSD", &used.cost()),
        ("contextWindow", &200_000),
        ("maxOutputTokens", &64_000),
    ]);
    format!("{}:{used}", text(model))
}

/// A JSON object with its fields in this order.
fn object(fields: Fields<'_>) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// The time as JavaScript writes it.
fn now() -> Value {
    Value::String(format!("{:.3}", Timestamp::now()))
}

/// `whole` in at most so many pieces of about the same length.
fn pieces(whole: &str, most: usize) -> Vec<&str> {
    let length = whole.len().div_ceil(most);
    let mut pieces = Vec::with_capacity(most);
    let mut rest = whole;
    while !rest.is_empty() {
        let end = (length..rest.len()).find(|at| rest.is_char_boundary(*at));
        let (piece, next) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = next;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn a_text_comes_in_at_most_so_many_pieces() {
        assert_eq!(pieces("I'll run it.", 5), ["I'l", "l r", "un ", "it."]);
        assert_eq!(
            pieces("Hello from the model.", 5),
            ["Hello", " from", " the ", "model", "."]
        );
        assert_eq!(pieces("né!", 5), ["n", "é", "!"]);
        assert!(pieces("", 5).is_empty());
        assert_eq!(pieces(&"x".repeat(10_000_000), 5).len(), 5);
    }
}
