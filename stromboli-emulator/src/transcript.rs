//! What Claude Code prints in a turn of an agent: lines of stream-json in the shapes of its release 2.1.197.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Run;
use crate::state::{lock, uuid};
use crate::usage::Usage;

const MODEL: &str = "claude-sonnet-5";
const CWD: &str = "/workspace";
const TOOLS: [&str; 12] = [
    "Task",
    "Bash",
    "Edit",
    "NotebookEdit",
    "Read",
    "SendMessage",
    "Skill",
    "TaskOutput",
    "TaskStop",
    "WebFetch",
    "WebSearch",
    "Write",
];
/// The tool that a model with a schema answers through.
const STRUCTURED_OUTPUT: &str = "StructuredOutput";
/// The tokens of one message when a rule says nothing else.
const MESSAGE_TOKENS: [u64; 4] = [120, 42, 300, 1800];
/// In how many pieces a text comes at most, and in how many the input of a tool.
const TEXT_PIECES: usize = 5;
const INPUT_PIECES: usize = 2;

/// What an agent's session has spent so far, which runs on from turn to turn.
#[derive(Debug)]
pub(crate) struct Conversation(Mutex<Spent>);

#[derive(Debug)]
struct Spent {
    random: fastrand::Rng,
    by_model: BTreeMap<String, Usage>,
}

impl Conversation {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        let by_model = BTreeMap::new();
        Self(Mutex::new(Spent { random, by_model }))
    }
}

/// A tool that the model uses before it replies.
#[derive(Clone)]
pub(crate) struct ToolUse {
    pub(crate) name: String,
    pub(crate) input: Value,
    pub(crate) result: String,
}

/// What the model does in a turn.
pub(crate) struct Reply<'a> {
    pub(crate) text: &'a str,
    pub(crate) tools: &'a [ToolUse],
    /// The tokens of the whole turn.
    pub(crate) usage: Option<&'a Usage>,
}

/// The lines of standard output; the last one is the result.
pub(crate) fn lines(run: &Run, conversation: &Conversation, reply: &Reply<'_>) -> Vec<String> {
    let structured = run
        .claude_text("json_schema")
        .and_then(|_| serde_json::from_str(reply.text).ok());
    let model = reply.usage.and_then(|usage| usage.model.as_deref());
    let mut turn = Turn {
        run,
        model: model.or(run.claude_text("model")).unwrap_or(MODEL),
        spent: lock(&conversation.0),
        messages_left: reply.tools.len() + 1,
        given: reply.usage,
        used: Usage::default(),
        lines: Vec::new(),
    };
    turn.init();
    for tool in reply.tools {
        let result = tool_result(tool);
        turn.use_tool(&tool.name, &tool.input, &tool.result, true, &result);
    }
    match &structured {
        Some(input @ Value::Object(_)) => {
            let done = "Structured output provided successfully";
            turn.use_tool(STRUCTURED_OUTPUT, input, done, false, &Value::from(done));
        }
        _ => turn.say(reply.text),
    }
    turn.end(reply, structured.as_ref());
    turn.lines
}

struct Turn<'a> {
    run: &'a Run,
    model: &'a str,
    spent: MutexGuard<'a, Spent>,
    messages_left: usize,
    given: Option<&'a Usage>,
    used: Usage,
    lines: Vec<String>,
}

impl Turn<'_> {
    fn init(&mut self) {
        let run = self.run;
        let cwd = run.workdir.as_deref().unwrap_or(CWD);
        let memory = format!("/home/user/.claude/projects/{}/memory/", cwd.replace('/', "-"));
        let id = self.uuid();
        let line = object(&[
            ("type", &text("system")),
            ("subtype", &text("init")),
            ("cwd", &text(cwd)),
            ("session_id", &text(&run.session_id)),
            ("tools", &self.tools()),
            ("mcp_servers", &json!([])),
            ("model", &text(self.model)),
            ("permissionMode", &text(self.permission_mode())),
            (
                "slash_commands",
                &json!(["clear", "compact", "context", "init", "review", "usage"]),
            ),
            ("apiKeySource", &text("none")),
            ("claude_code_version", &text("2.1.197")),
            ("output_style", &text("default")),
            ("agents", &json!(["claude", "Explore", "general-purpose", "Plan"])),
            ("skills", &json!([])),
            ("plugins", &json!([])),
            ("analytics_disabled", &true),
            ("product_feedback_disabled", &true),
            ("uuid", &id),
            ("memory_paths", &json!({ "auto": memory })),
            ("fast_mode_state", &text("off")),
        ]);
        self.print(&line);
        if run.claude.get("replay_user_messages") == Some(&Value::Bool(true)) {
            let message = json!({"role": "user", "content": run.prompt});
            let id = self.uuid();
            let line = object(&[
                ("type", &text("user")),
                ("message", &message),
                ("session_id", &text(&run.session_id)),
                ("parent_tool_use_id", &Value::Null),
                ("uuid", &id),
                ("timestamp", &now()),
                ("isReplay", &true),
            ]);
            self.print(&line);
        }
    }

    fn tools(&self) -> Value {
        let list = |name| self.run.claude.get(name).and_then(Value::as_array);
        let denied = list("disallowed_tools");
        let mut tools = match list("tools").filter(|tools| !tools.is_empty()) {
            Some(tools) => tools.clone(),
            None => TOOLS.map(Value::from).into(),
        };
        tools.retain(|tool| !denied.is_some_and(|denied| denied.contains(tool)));
        if self.run.claude_text("json_schema").is_some() {
            tools.push(text(STRUCTURED_OUTPUT));
        }
        Value::Array(tools)
    }

    fn permission_mode(&self) -> &str {
        let skips = self.run.claude.get("dangerously_skip_permissions") == Some(&Value::Bool(true));
        match self.run.claude_text("permission_mode") {
            Some(mode) if !mode.is_empty() => mode,
            _ if skips => "bypassPermissions",
            _ => "default",
        }
    }

    /// A message of the model with one block of text.
    fn say(&mut self, said: &str) {
        let block = |said: &str| object(&[("type", &text("text")), ("text", &text(said))]);
        let deltas = pieces(said, TEXT_PIECES).into_iter();
        let deltas = deltas.map(|piece| object(&[("type", &text("text_delta")), ("text", &text(piece))]));
        let deltas = deltas.collect();
        self.message(&block(""), deltas, &block(said), "end_turn");
    }

    /// A message of the model with the use of a tool, and what the tool gave.
    fn use_tool(&mut self, name: &str, input: &Value, result: &str, tells_errors: bool, detail: &Value) {
        let id = format!("toolu_{:08}", self.spent.random.u32(..100_000_000));
        let block = |input: &Value| {
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
        let deltas = deltas.collect();
        self.message(&block(&json!({})), deltas, &block(input), "tool_use");

        let mut block = json!({"tool_use_id": id, "type": "tool_result", "content": result});
        if let (true, Some(fields)) = (tells_errors, block.as_object_mut()) {
            fields.insert("is_error".to_owned(), Value::Bool(false));
        }
        let message = json!({"role": "user", "content": [block]});
        let id = self.uuid();
        let line = object(&[
            ("type", &text("user")),
            ("message", &message),
            ("parent_tool_use_id", &Value::Null),
            ("session_id", &text(&self.run.session_id)),
            ("uuid", &id),
            ("timestamp", &now()),
            ("tool_use_result", detail),
        ]);
        self.print(&line);
    }

    /// A message of the model with one block: first in pieces, then whole.
    fn message(&mut self, empty: &str, deltas: Vec<String>, block: &str, stop_reason: &str) {
        let tokens = self.spend();
        let uuid = self.uuid();
        let session = text(&self.run.session_id);
        let status = object(&[
            ("type", &text("system")),
            ("subtype", &text("status")),
            ("status", &text("requesting")),
            ("uuid", &uuid),
            ("session_id", &session),
        ]);
        self.print(&status);

        let id = text(&format!("msg_{:024}", self.spent.random.u64(..)));
        let usage = object(&[
            ("input_tokens", &tokens.input_tokens),
            // When the message begins, that is all that was written.
            ("output_tokens", &tokens.output_tokens.min(1)),
            ("cache_creation_input_tokens", &tokens.cache_creation_input_tokens),
            ("cache_read_input_tokens", &tokens.cache_read_input_tokens),
        ]);
        let message = |content: &str, more: &str| {
            let model = text(self.model);
            format!(
                r#"{{"id":{id},"type":"message","role":"assistant","model":{model},"content":[{content}],"stop_reason":null,"stop_sequence":null,"usage":{usage}{more}}}"#
            )
        };
        let (opening, whole) = (message("", ""), message(block, r#","context_management":null"#));

        self.event(&[("type", &text("message_start")), ("message", &opening)], true);
        let start: [(&str, &dyn Display); 3] = [
            ("type", &text("content_block_start")),
            ("index", &0),
            ("content_block", &empty),
        ];
        self.event(&start, false);
        for delta in deltas {
            let delta: [(&str, &dyn Display); 3] =
                [("type", &text("content_block_delta")), ("index", &0), ("delta", &delta)];
            self.event(&delta, false);
        }
        let uuid = self.uuid();
        let line = object(&[
            ("type", &text("assistant")),
            ("message", &whole),
            ("parent_tool_use_id", &Value::Null),
            ("session_id", &session),
            ("uuid", &uuid),
        ]);
        self.print(&line);
        self.event(&[("type", &text("content_block_stop")), ("index", &0)], false);
        let delta = object(&[("stop_reason", &text(stop_reason)), ("stop_sequence", &Value::Null)]);
        let usage = json!({"output_tokens": tokens.output_tokens});
        let end: [(&str, &dyn Display); 3] = [("type", &text("message_delta")), ("delta", &delta), ("usage", &usage)];
        self.event(&end, false);
        self.event(&[("type", &text("message_stop"))], false);
    }

    /// A part of a message as the model's API streams it.
    fn event(&mut self, event: &[(&str, &dyn Display)], is_first: bool) {
        let (event, uuid, session) = (object(event), self.uuid(), text(&self.run.session_id));
        let mut fields: Vec<(&str, &dyn Display)> = vec![
            ("type", &"\"stream_event\""),
            ("event", &event),
            ("session_id", &session),
            ("parent_tool_use_id", &Value::Null),
            ("uuid", &uuid),
        ];
        if is_first {
            fields.push(("ttft_ms", &0));
        }
        let line = object(&fields);
        self.print(&line);
    }

    fn end(&mut self, reply: &Reply<'_>, structured: Option<&Value>) {
        let is_object = structured.is_some_and(Value::is_object);
        let calls = reply.tools.len() + 1;
        let num_turns = if is_object { calls + 1 } else { calls };
        let stop_reason = if is_object { "tool_use" } else { "end_turn" };
        let (total_cost, models) = self.totals();
        let usage = object(&[
            ("input_tokens", &self.used.input_tokens),
            ("cache_creation_input_tokens", &self.used.cache_creation_input_tokens),
            ("cache_read_input_tokens", &self.used.cache_read_input_tokens),
            ("output_tokens", &self.used.output_tokens),
            (
                "server_tool_use",
                &r#"{"web_search_requests":0,"web_fetch_requests":0}"#,
            ),
            ("service_tier", &text("standard")),
            (
                "cache_creation",
                &r#"{"ephemeral_1h_input_tokens":0,"ephemeral_5m_input_tokens":0}"#,
            ),
            ("inference_geo", &text("")),
            ("iterations", &"[]"),
            ("speed", &text("standard")),
        ]);
        let (uuid, said, session) = (self.uuid(), text(reply.text), text(&self.run.session_id));
        let (subtype, stop_reason) = (text("success"), text(stop_reason));
        let mut fields: Vec<(&str, &dyn Display)> = vec![
            ("type", &"\"result\""),
            ("subtype", &subtype),
            ("is_error", &false),
            ("api_error_status", &Value::Null),
            ("duration_ms", &0),
            ("duration_api_ms", &0),
            ("ttft_ms", &0),
            ("ttft_stream_ms", &0),
            ("time_to_request_ms", &0),
            ("num_turns", &num_turns),
            ("result", &said),
            ("stop_reason", &stop_reason),
            ("session_id", &session),
            ("total_cost_usd", &total_cost),
            ("usage", &usage),
            ("modelUsage", &models),
            ("permission_denials", &"[]"),
        ];
        fields.extend(structured.map(|structured| ("structured_output", structured as &dyn Display)));
        let last: [(&str, &dyn Display); 3] = [
            ("terminal_reason", &"\"completed\""),
            ("fast_mode_state", &"\"off\""),
            ("uuid", &uuid),
        ];
        fields.extend(last);
        let line = object(&fields);
        self.print(&line);
    }

    /// The tokens of the next message: all that were given for the turn go to the last one.
    fn spend(&mut self) -> Usage {
        self.messages_left = self.messages_left.saturating_sub(1);
        let tokens = match self.given {
            Some(given) if self.messages_left == 0 => given.clone(),
            Some(_) => Usage::default(),
            None => {
                let [
                    input_tokens,
                    output_tokens,
                    cache_creation_input_tokens,
                    cache_read_input_tokens,
                ] = MESSAGE_TOKENS;
                Usage {
                    model: None,
                    input_tokens,
                    output_tokens,
                    cache_creation_input_tokens,
                    cache_read_input_tokens,
                }
            }
        };
        self.used.add(&tokens);
        let total = self.spent.by_model.entry(self.model.to_owned()).or_default();
        total.model = Some(self.model.to_owned());
        total.add(&tokens);
        tokens
    }

    /// What the session has cost, and what it has used by model.
    fn totals(&self) -> (f64, String) {
        let costs = self.spent.by_model.values().map(Usage::cost);
        let models = self.spent.by_model.iter().map(|(model, usage)| {
            let used = object(&[
                ("inputTokens", &usage.input_tokens),
                ("outputTokens", &usage.output_tokens),
                ("cacheReadInputTokens", &usage.cache_read_input_tokens),
                ("cacheCreationInputTokens", &usage.cache_creation_input_tokens),
                ("webSearchRequests", &0),
                ("costUSD", &usage.cost()),
                ("contextWindow", &200_000),
                ("maxOutputTokens", &64_000),
            ]);
            format!("{}:{used}", text(model))
        });
        let models: Vec<String> = models.collect();
        (costs.sum(), format!("{{{}}}", models.join(",")))
    }

    fn uuid(&mut self) -> Value {
        Value::String(uuid(&mut self.spent.random))
    }

    /// The command escapes what would end a line in JavaScript.
    fn print(&mut self, line: &str) {
        let line = line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        self.lines.push(line);
    }
}

/// A JSON object of fields in this order, whose values are JSON already.
fn object(fields: &[(&str, &dyn Display)]) -> String {
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

/// `whole` in at most so many pieces of the same length, in characters.
fn pieces(whole: &str, most: usize) -> Vec<&str> {
    let length = whole.chars().count().div_ceil(most).max(1);
    let mut pieces = Vec::with_capacity(most);
    let mut rest = whole;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
        let (piece, next) = rest.split_at(end);
        pieces.push(piece);
        rest = next;
    }
    pieces
}

/// What a tool gave in the form that the command keeps it.
fn tool_result(tool: &ToolUse) -> Value {
    if tool.name == "Bash" {
        json!({"stdout": tool.result, "stderr": "", "interrupted": false, "isImage": false, "noOutputExpected": false})
    } else {
        text(&tool.result)
    }
}
