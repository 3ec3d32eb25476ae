//! Options of the agent: flags for the common ones, `--claude` for all.

use clap::Args;
use serde_json::{Map, Value};
use stromboli::ClaudeOptions;

use crate::exit::Failure;
use crate::options::Draft;

#[derive(Args)]
#[command(next_help_heading = "Agent")]
pub(crate) struct ClaudeArgs {
    /// Model to use: sonnet, opus, haiku, or a full name.
    #[arg(short, long, value_name = "MODEL")]
    model: Option<String>,
    /// How much the model thinks: low, medium, high, …
    #[arg(long, value_name = "LEVEL")]
    effort: Option<String>,
    /// Most money to spend, in US dollars.
    #[arg(short, long, value_name = "USD")]
    budget: Option<f64>,
    /// Most turns that the agent may take.
    #[arg(long, value_name = "N")]
    max_turns: Option<i32>,
    /// A tool to allow without asking, such as Read or Bash(git:*); repeatable.
    #[arg(long = "allowed-tool", visible_alias = "allowed-tools", value_name = "TOOL")]
    allowed_tools: Vec<String>,
    /// A tool to refuse; repeatable.
    #[arg(long = "disallowed-tool", visible_alias = "disallowed-tools", value_name = "TOOL")]
    disallowed_tools: Vec<String>,
    /// What happens when a tool needs a permission: default, acceptEdits, plan, …
    #[arg(long, value_name = "MODE")]
    permission_mode: Option<String>,
    /// Replace the agent's system prompt.
    #[arg(long, value_name = "TEXT")]
    system_prompt: Option<String>,
    /// Add to the agent's system prompt.
    #[arg(long, value_name = "TEXT")]
    append_system_prompt: Option<String>,
    /// JSON Schema that the answer must follow; needs --claude output_format=json.
    #[arg(long, value_name = "JSON")]
    json_schema: Option<String>,
    /// Any other option of the agent, by its name in the API; repeatable. The value is JSON if that fits, else text.
    #[arg(long = "claude", value_name = "KEY=VALUE")]
    claude_keys: Vec<String>,
}

impl ClaudeArgs {
    /// The options: those of a file, then `--claude`, then the flags.
    pub(crate) fn options(self, file: Option<Map<String, Value>>) -> Result<Option<ClaudeOptions>, Failure> {
        let mut draft = Draft::new("--claude", file);
        self.claude_keys.iter().try_for_each(|other| draft.assign(other))?;
        let list = |values: Vec<String>| (!values.is_empty()).then_some(values);
        draft.set("model", self.model)?;
        draft.set("effort", self.effort)?;
        draft.set("max_budget_usd", self.budget)?;
        draft.set("max_turns", self.max_turns)?;
        draft.set("allowed_tools", list(self.allowed_tools))?;
        draft.set("disallowed_tools", list(self.disallowed_tools))?;
        draft.set("permission_mode", self.permission_mode)?;
        draft.set("system_prompt", self.system_prompt)?;
        draft.set("append_system_prompt", self.append_system_prompt)?;
        draft.set("json_schema", self.json_schema)?;
        draft.build()
    }
}
