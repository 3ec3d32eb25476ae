//! What is read: recorded lines, and long turns and pages made in the form of recorded ones.

use serde_json::json;

/// Lines that Claude Code printed, from the tests of stromboli-messages.
const RECORDED: [&str; 10] = [
    include_str!("../../../stromboli-messages/tests/vectors/api-error-400.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/bash-tool.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/max-turns.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/permission-denied.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/structured.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/text-partial.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/text.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/tool-error.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/two-turns.jsonl"),
    include_str!("../../../stromboli-messages/tests/vectors/unicode.jsonl"),
];

const SESSION: &str = "1322cb4e-8a7b-4f14-8914-07942252f3aa";
const MESSAGES: usize = 200;
const PAGE: usize = 1_000_000;
const TURN: usize = 10_000_000;
/// Of every turn of 50 lines, those that only add some words.
const DELTAS: usize = 46;

/// What is read in one piece or line by line.
pub struct Input {
    pub name: &'static str,
    pub kind: Kind,
    pub documents: Vec<String>,
    /// Hardly anything but strings as long as the document, which whoever reads has to look through and copy.
    pub one_string: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lines,
    Page,
}

/// Everything that is measured.
pub fn all() -> Vec<Input> {
    let recorded = RECORDED.iter().flat_map(|file| file.lines()).map(str::to_owned);
    vec![
        Input {
            name: "recorded lines",
            kind: Kind::Lines,
            documents: recorded.collect(),
            one_string: false,
        },
        Input {
            name: "turn of 10 MB",
            kind: Kind::Lines,
            documents: turn(),
            one_string: false,
        },
        Input {
            name: "line of 10 MB, one text",
            kind: Kind::Lines,
            documents: vec![assistant(&json!({"type": "text", "text": words(TURN)}))],
            one_string: true,
        },
        Input {
            name: "page of 200 messages, 1 MB",
            kind: Kind::Page,
            documents: vec![page(mixed)],
            one_string: false,
        },
        Input {
            name: "page of 200 messages, 1 MB, texts alone",
            kind: Kind::Page,
            documents: vec![page(|_| json!({"type": "text", "text": words(PAGE / MESSAGES - 500)}))],
            one_string: true,
        },
    ]
}

fn words(bytes: usize) -> String {
    "the quick brown fox jumps over the lazy dog "
        .chars()
        .cycle()
        .take(bytes)
        .collect()
}

/// Lines of code, which JSON has to escape.
fn code(bytes: usize) -> String {
    "    if name == \"main\" {\n        return Some(value);\n    }\n"
        .chars()
        .cycle()
        .take(bytes)
        .collect()
}

/// Blocks as they take turns in a session: what the model says, a tool's input, a tool's answer.
fn mixed(number: usize) -> serde_json::Value {
    let id = format!("toolu_{number:024}");
    match number % 4 {
        0 => json!({"type": "text", "text": words(600)}),
        1 => json!({"type": "tool_use", "id": id, "name": "Edit", "input": {
            "file_path": "/workspace/src/main.rs", "old_string": code(1_500), "new_string": code(2_500), "replace_all": false,
        }}),
        2 => json!({"type": "tool_result", "tool_use_id": id, "content": code(9_000), "is_error": false}),
        _ => json!({"type": "thinking", "thinking": words(2_000), "signature": "Eq".repeat(300)}),
    }
}

fn assistant(block: &serde_json::Value) -> String {
    json!({
        "type": "assistant",
        "message": {
            "model": "claude-sonnet-5", "id": "msg_01", "type": "message", "role": "assistant", "content": [block],
            "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": 3, "cache_creation_input_tokens": 12_000, "cache_read_input_tokens": 0, "output_tokens": 8},
        },
        "parent_tool_use_id": null, "session_id": SESSION, "uuid": "e00d493c-0b63-4258-966a-5bf83e543552",
    })
    .to_string()
}

fn turn() -> Vec<String> {
    let mut lines = Vec::new();
    let mut bytes = 0;
    for number in 0.. {
        let line = match number % 50 {
            step if step < DELTAS => json!({
                "type": "stream_event",
                "event": {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " and then some"}},
                "session_id": SESSION, "parent_tool_use_id": null, "uuid": "2f36adad-5e58-45b1-937f-ddb8d3de5810",
            })
            .to_string(),
            step if mixed(step)["type"] == "tool_result" => json!({
                "type": "user", "message": {"role": "user", "content": [mixed(step)]},
                "parent_tool_use_id": null, "session_id": SESSION, "uuid": "e00d493c-0b63-4258-966a-5bf83e543552",
            })
            .to_string(),
            step => assistant(&mixed(step)),
        };
        bytes += line.len();
        lines.push(line);
        if bytes >= TURN {
            break;
        }
    }
    lines
}

fn page(block: fn(usize) -> serde_json::Value) -> String {
    let messages: Vec<_> = (0..MESSAGES)
        .map(|number| {
            let block = block(number);
            let kind = if block["type"] == "tool_result" {
                "user"
            } else {
                "assistant"
            };
            json!({
                "uuid": format!("{number:08}-5e58-45b1-937f-ddb8d3de5810"), "type": kind,
                "parent_uuid": format!("{:08}-5e58-45b1-937f-ddb8d3de5810", number.saturating_sub(1)),
                "session_id": SESSION, "cwd": "/workspace", "git_branch": "main", "version": "2.1.197",
                "timestamp": "2026-05-06T07:08:09.123Z",
                "content": {"role": kind, "content": [block], "model": "claude-sonnet-5"},
            })
        })
        .collect();
    json!({"messages": messages, "total": 5_000, "limit": MESSAGES, "offset": 0, "has_more": true}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_as_large_as_their_names_say() {
        for input in all() {
            let bytes: usize = input.documents.iter().map(String::len).sum();
            match input.name {
                name if name.contains("10 MB") => assert!((10_000_000..10_100_000).contains(&bytes), "{name}: {bytes}"),
                name if name.contains("1 MB") => assert!((900_000..1_150_000).contains(&bytes), "{name}: {bytes}"),
                name => assert!(bytes > 40_000, "{name}: {bytes}"),
            }
        }
    }
}
