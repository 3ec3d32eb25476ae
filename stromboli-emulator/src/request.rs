//! The request to run a prompt, from a JSON body or from a query.

use serde_json::{Map, Value};

use crate::decode::{self, Kind, Record};
use crate::dialect::Dialect;
use crate::percent;

use Kind::{AnyMap, Flag, Float, Int, Text, TextList, TextMap};

/// A request that could be read; its values are not checked yet.
#[derive(Debug, Default)]
pub(crate) struct RunRequest {
    pub(crate) prompt: String,
    pub(crate) workdir: String,
    /// Empty for none.
    pub(crate) webhook_url: String,
    pub(crate) claude: Map<String, Value>,
    pub(crate) podman: Map<String, Value>,
}

impl RunRequest {
    /// Reads the body of `POST /run` and `POST /run/async` as servers of that release do: what they do not know yet is
    /// ignored, whatever it is.
    ///
    /// # Errors
    /// The server's text, which follows `Invalid request: `.
    pub(crate) fn from_json(body: &[u8], dialect: Dialect) -> Result<Self, String> {
        let record = match dialect {
            Dialect::V0_4_3 => &RUN_REQUEST_0_4,
            Dialect::V0_5_7 => &RUN_REQUEST,
        };
        let mut fields = decode::decode(body, record)?;
        decode::require(&fields, record, &[("prompt", "Prompt")])?;
        Ok(Self {
            prompt: fields.take_text("prompt"),
            workdir: fields.take_text("workdir"),
            webhook_url: fields.take_text("webhook_url"),
            claude: fields.take_object("claude"),
            podman: fields.take_object("podman"),
        })
    }

    /// Reads the query of `GET /run/stream`; none without a prompt.
    pub(crate) fn from_query(query: &str) -> Option<Self> {
        let prompt = percent::query_value(query, "prompt").filter(|p| !p.is_empty())?;
        let workdir = percent::query_value(query, "workdir").unwrap_or_default();
        let mut claude = Map::new();
        if let Some(session) = percent::query_value(query, "session_id").filter(|s| !s.is_empty()) {
            claude.insert("session_id".to_owned(), Value::String(session));
        }
        Some(Self {
            prompt,
            workdir,
            webhook_url: String::new(),
            claude,
            podman: Map::new(),
        })
    }

    /// The caller's session id, if any.
    pub(crate) fn session_id(&self) -> Option<&str> {
        Some(text(&self.claude, "session_id")).filter(|id| !id.is_empty())
    }
}

/// The string at `name`, or an empty one: Go's zero value.
pub(crate) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether `name` is set to true.
pub(crate) fn flag(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or_default()
}

static RUN_REQUEST: Record = Record {
    package: "api",
    name: "RunRequest",
    fields: &[
        ("prompt", Text),
        ("workdir", Text),
        ("webhook_url", Text),
        ("claude", Kind::Record(&CLAUDE_OPTIONS)),
        ("podman", Kind::Record(&PODMAN_OPTIONS)),
    ],
};

/// The same, as servers before 0.5.0 read it.
static RUN_REQUEST_0_4: Record = Record {
    package: "api",
    name: "RunRequest",
    fields: &[
        ("prompt", Text),
        ("workdir", Text),
        ("webhook_url", Text),
        ("claude", Kind::Record(&CLAUDE_OPTIONS_0_4)),
        ("podman", Kind::Record(&PODMAN_OPTIONS)),
    ],
};

pub(crate) static CLAUDE_OPTIONS: Record = Record {
    package: "types",
    name: "ClaudeOptions",
    fields: CLAUDE_FIELDS,
};

static CLAUDE_OPTIONS_0_4: Record = Record {
    package: "types",
    name: "ClaudeOptions",
    fields: CLAUDE_FIELDS.split_at(CLAUDE_FIELDS.len() - NEW_IN_0_5).0,
};

const CLAUDE_FIELDS: &[(&str, Kind)] = &[
    ("session_id", Text),
    ("resume", Flag),
    ("continue", Flag),
    ("fork_session", Flag),
    ("no_persistence", Flag),
    ("model", Text),
    ("fallback_model", Text),
    ("system_prompt", Text),
    ("append_system_prompt", Text),
    ("tools", TextList),
    ("allowed_tools", TextList),
    ("disallowed_tools", TextList),
    ("permission_mode", Text),
    ("dangerously_skip_permissions", Flag),
    ("allow_dangerously_skip_permissions", Flag),
    ("input_format", Text),
    ("output_format", Text),
    ("include_partial_messages", Flag),
    ("replay_user_messages", Flag),
    ("json_schema", Text),
    ("max_budget_usd", Float),
    ("max_turns", Int),
    ("mcp_configs", TextList),
    ("strict_mcp_config", Flag),
    ("agent", Text),
    ("agents", AnyMap),
    ("add_dirs", TextList),
    ("plugin_dirs", TextList),
    ("files", TextList),
    ("settings", Text),
    ("setting_sources", TextList),
    ("betas", TextList),
    ("verbose", Flag),
    ("debug", Text),
    ("disable_slash_commands", Flag),
    // New in 0.5.0.
    ("effort", Text),
    ("prompt_caching_ttl", Text),
    ("bedrock_service_tier", Text),
    ("enable_powershell_tool", Flag),
];

/// How many of the last fields came with 0.5.0.
const NEW_IN_0_5: usize = 4;

static PODMAN_OPTIONS: Record = Record {
    package: "types",
    name: "PodmanOptions",
    fields: &[
        ("image", Text),
        ("volumes", TextList),
        ("secrets_env", TextMap),
        ("timeout", Text),
        ("memory", Text),
        ("cpus", Text),
        ("cpu_shares", Int),
        ("lifecycle", Kind::Record(&LIFECYCLE_HOOKS)),
        ("environment", Kind::Record(&ENVIRONMENT_CONFIG)),
    ],
};

static LIFECYCLE_HOOKS: Record = Record {
    package: "types",
    name: "LifecycleHooks",
    fields: &[
        ("on_create_command", TextList),
        ("post_create", TextList),
        ("post_start", TextList),
        ("hooks_timeout", Text),
    ],
};

static ENVIRONMENT_CONFIG: Record = Record {
    package: "types",
    name: "EnvironmentConfig",
    fields: &[
        ("type", Text),
        ("path", Text),
        ("service", Text),
        ("build_timeout", Text),
    ],
};
