//! The same types with everything derived, under the same names, which errors show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stromboli_generated::types::{
    ComponentStatus, HealthStatus, HistoryMessageType, JobStatus, PermissionMode, RunStatus,
};
use stromboli_messages::Block;

macro_rules! twin {
    ($name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Deserialize, Serialize, Debug)]
        pub(crate) struct $name {
            $($(#[$attribute])* $field: $type,)*
            #[serde(flatten)]
            extra: Map<String, Value>,
        }
    };
}

twin!(HistoryPage {
    has_more: bool,
    limit: i32,
    #[serde(deserialize_with = "Option::deserialize")]
    messages: Option<Vec<HistoryMessage>>,
    offset: i32,
    total: i32,
});

twin!(HistoryMessage {
    content: HistoryContent,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_mode: Option<PermissionMode>,
    session_id: String,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_result: Option<HistoryToolResult>,
    #[serde(rename = "type")]
    type_: HistoryMessageType,
    uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
});

twin!(HistoryContent {
    #[serde(deserialize_with = "Option::deserialize")]
    content: Option<Vec<Block>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<HistoryUsage>,
});

twin!(HistoryToolResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_image: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
});

twin!(HistoryUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_input_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<i64>,
});

twin!(RunResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    status: RunStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
});

twin!(CrashInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_completed: Option<bool>,
});

twin!(Usage {
    cache_creation_input_tokens: i64,
    cache_read_input_tokens: i64,
    estimated_cost_usd: f64,
    input_tokens: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    output_tokens: i64,
    total_tokens: i64,
});

twin!(ImageDetail {
    compatibility_rank: i32,
    compatible: bool,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    has_claude_cli: bool,
    id: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    rank_description: String,
    repository: String,
    size: i64,
    tag: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tools: Vec<String>,
});

twin!(Health {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    components: Vec<ComponentHealth>,
    name: String,
    status: HealthStatus,
    version: String,
});

twin!(ComponentHealth {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    name: String,
    status: ComponentStatus,
});

twin!(JobList { jobs: Vec<Job>, });

twin!(Job {
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_info: Option<CrashInfo>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    status: JobStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_output: Option<Value>,
    updated_at: Timestamp,
});

twin!(SessionList {
    #[serde(deserialize_with = "Option::deserialize")]
    sessions: Option<Vec<SessionEntry>>,
});

#[derive(Deserialize, Serialize, Debug)]
#[serde(untagged)]
pub(crate) enum SessionEntry {
    SessionInfo(SessionInfo),
    String(String),
}

twin!(SessionInfo {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
});
