//! What two versions of Claude Code printed as live agents: typed, and the same turns whichever way they are read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use stromboli_messages::{Accumulator, Block, Message, System, Turn};

use crate::strict::assert_same;

/// What the published type definitions do not name, and what the script said that nobody knows.
const UNTYPED: [&str; 34] = [
    "Some(\"control_response\") None",
    "Some(\"system\") Some(\"model_fallback\")",
    "future_block",
    "future_delta",
    "assistant api_error",
    "assistant api_error_params",
    "assistant api_error_status",
    "assistant api_error_type",
    "assistant is_api_error_message",
    "assistant local_command_run",
    "assistant local_command_source",
    "assistant refused_message_id",
    "assistant thinking_display",
    "assistant thinking_duration_ms",
    "result api_error",
    "result api_error_type",
    "result first_content_frame_ms",
    "result model_usage_since_last_result",
    "result producer",
    "result safety_stops",
    "result subagent_stats",
    "stream_event thinking_display",
    "system additional_directories",
    "system cumulative_dropped_tokens",
    "system logical_parent_uuid",
    "system messaging_socket_path",
    "system original_cwd",
    "system per_turn_effort_active",
    "system served_by_anthropic",
    "system summary_is_report",
    "system ultrathink_available",
    "system ultrathink_typed_raises",
    "user refused_message_id",
    "user tool_result_meta",
];

/// Where the events say more than the full lines.
const DIFFERENT: [&str; 7] = [
    // No full line says a block that is blank.
    "2.1.197/blank-text",
    "2.1.197/text-then-blank",
    "2.1.329/blank-text",
    "2.1.329/text-then-blank",
    // The process was ended in the middle of the answer: what was said of it is kept, because no result came.
    "2.1.197/sigterm-in-turn",
    "2.1.329/sigterm-in-turn",
    // The connection ended in the middle of a block, and this version closed block and message as if they were whole.
    "2.1.197/cut-after-tool",
];

/// The recordings by `version/scenario`.
pub(crate) fn recordings() -> BTreeMap<String, Vec<String>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/live"));
    let mut all = BTreeMap::new();
    for version in ["2.1.197", "2.1.329"] {
        for file in fs::read_dir(root.join(version)).unwrap() {
            let path = file.unwrap().path();
            let name = format!("{version}/{}", path.file_stem().unwrap().to_str().unwrap());
            let text = fs::read_to_string(path).unwrap();
            all.insert(name, text.lines().map(str::to_owned).collect());
        }
    }
    all
}

/// The turns, and what is left when no result came.
fn turns(lines: &[String], keep: impl Fn(&Message) -> bool) -> Vec<Turn> {
    let mut accumulator = Accumulator::new();
    let messages = lines.iter().map(|line| Message::parse(line.as_str()).unwrap());
    let mut turns: Vec<Turn> = messages
        .filter(keep)
        .filter_map(|message| accumulator.push(message))
        .collect();
    turns.extend(accumulator.finish());
    turns
}

/// What is said in each conversation of each turn; without turns and conversations in which nothing is.
fn said(turns: &[Turn]) -> Vec<Vec<Vec<&Block>>> {
    turns
        .iter()
        .map(|turn| {
            std::iter::once(&turn.main)
                .chain(&turn.subagents)
                .map(|conversation| conversation.blocks().collect::<Vec<_>>())
                .filter(|blocks| !blocks.is_empty())
                .collect::<Vec<_>>()
        })
        .filter(|turn| !turn.is_empty())
        .collect()
}

/// What has no type: the types that are unknown, and the fields in `extra`, with the message they came in.
fn untyped(message: &Message) -> BTreeSet<String> {
    let shown = format!("{message:?}");
    assert!(!shown.contains("Other("), "{shown}");
    let mut found = BTreeSet::new();
    if let Message::Unknown(message) | Message::System(System::Unknown(message)) = message {
        found.insert(format!("{:?} {:?}", message.type_name(), message.subtype()));
    }
    for unknown in shown.split("Unknown(Unknown { type: Some(\"").skip(1) {
        found.insert(unknown.split('"').next().unwrap().to_owned());
    }
    for extra in shown.split("extra: [").skip(1) {
        for name in extra.split(']').next().unwrap().split(", ") {
            found.insert(format!("{} {}", message.type_name(), name.trim_matches('"')));
        }
    }
    found
}

#[test]
fn live_lines_are_typed_and_come_out_the_same() {
    let mut count = 0;
    let mut found = BTreeSet::new();
    let recordings = recordings();
    assert_eq!(recordings.len(), 218);
    for line in recordings.values().flatten() {
        count += 1;
        let message = Message::parse(line.as_str()).unwrap();
        assert_same(line, &serde_json::to_string(&message).unwrap());
        assert_eq!(message.raw(), Some(line.as_str()));
        found.extend(untyped(&message));
    }
    assert_eq!(count, 5645);
    assert_eq!(found, UNTYPED.map(str::to_owned).into_iter().collect());
}

#[test]
fn events_beside_full_lines_change_nothing() {
    let mut different = BTreeSet::new();
    for (name, lines) in recordings() {
        let both = turns(&lines, |_| true);
        let full = turns(&lines, |message| !matches!(message, Message::StreamEvent(_)));
        if said(&both) != said(&full) {
            different.insert(name);
        }
    }
    assert_eq!(different, DIFFERENT.map(str::to_owned).into_iter().collect());
}
