//! What Claude Code prints in a turn of an agent, and what the turns of a session cost together.

mod printer;

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::answer::Run;
use crate::state::lock;
use crate::usage::Usage;

use printer::{Ending, Printer};

/// The model of an agent whose request names none.
const MODEL: &str = "claude-sonnet-5";
/// The tool that a model with a schema answers through, and what it gives.
const STRUCTURED_OUTPUT: &str = "StructuredOutput";
const STRUCTURED_RESULT: &str = "Structured output provided successfully";
/// The tokens of one message when a rule says nothing else.
const MESSAGE_TOKENS: Usage = Usage {
    model: None,
    input_tokens: 120,
    output_tokens: 42,
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 1800,
};

/// An agent's session, which runs on from turn to turn.
#[derive(Debug)]
pub(crate) struct Conversation(Mutex<Session>);

#[derive(Debug)]
struct Session {
    random: fastrand::Rng,
    used_by_model: BTreeMap<String, Usage>,
}

impl Conversation {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self(Mutex::new(Session {
            random,
            used_by_model: BTreeMap::new(),
        }))
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
    let has_schema = run.claude_text("json_schema").is_some();
    let structured: Option<Value> = has_schema.then(|| serde_json::from_str(reply.text).ok()).flatten();
    let model = reply.usage.and_then(|usage| usage.model.as_deref());
    let model = model.or(run.claude_text("model").filter(|model| !model.is_empty()));
    let model = model.unwrap_or(MODEL);

    let mut session = lock(&conversation.0);
    let Session { random, used_by_model } = &mut *session;
    let mut printer = Printer::new(run, model, random);
    let mut used = Usage::default();
    printer.init();
    printer.replay();
    for tool in reply.tools {
        // All that was given for the turn goes to its last message.
        let tokens = reply.usage.map_or(MESSAGE_TOKENS, |_| Usage::default());
        used.add(&tokens);
        let id = printer.tool_use(&tool.name, &tool.input, &tokens);
        let block = json!({"tool_use_id": id, "type": "tool_result", "content": tool.result, "is_error": false});
        printer.tool_result(&block, &detail(tool));
    }
    let tokens = reply.usage.cloned().unwrap_or(MESSAGE_TOKENS);
    used.add(&tokens);
    let mut ending = Ending {
        num_turns: reply.tools.len() + 1,
        text: reply.text,
        stop_reason: "end_turn",
        structured: structured.as_ref(),
        used: &used,
    };
    match &structured {
        Some(input) if input.is_object() => {
            let id = printer.tool_use(STRUCTURED_OUTPUT, input, &tokens);
            let block = json!({"tool_use_id": id, "type": "tool_result", "content": STRUCTURED_RESULT});
            printer.tool_result(&block, &Value::from(STRUCTURED_RESULT));
            ending.num_turns += 1;
            ending.stop_reason = "tool_use";
        }
        _ => printer.say(reply.text, &tokens),
    }
    let total = used_by_model.entry(model.to_owned()).or_insert_with(|| Usage {
        model: Some(model.to_owned()),
        ..Usage::default()
    });
    total.add(&used);
    printer.result(&ending, used_by_model);
    printer.into_lines()
}

/// What a tool gave, in the form that the command keeps it.
fn detail(tool: &ToolUse) -> Value {
    if tool.name == "Bash" {
        json!({"stdout": tool.result, "stderr": "", "interrupted": false, "isImage": false, "noOutputExpected": false})
    } else {
        Value::from(tool.result.as_str())
    }
}
