//! What people and models say is not in `Debug`.

use stromboli_messages::{Message, transcript::Entry};

use crate::{
    strict::{Tree, tree, units, write},
    vectors::lines,
};

/// The fields that may hold what somebody says, or what a tool is given or returns.
const SAID: [&str; 42] = [
    "api_refusal_explanation",
    "artifact_urls",
    "body",
    "citation",
    "citations",
    "cited_text",
    "compact_error",
    "condition",
    "content",
    "context",
    "data",
    "decision_reason",
    "error",
    "errors",
    "explanation",
    "fireReason",
    "inline_pastes",
    "input",
    "last_reason",
    "lastPrompt",
    "local_command",
    "message",
    "needs_action",
    "output",
    "partial_json",
    "pasted_content",
    "prompt",
    "recent_action",
    "result",
    "signature",
    "status_detail",
    "stderr",
    "stdout",
    "stop_sequence",
    "structured_output",
    "suggestion",
    "summary",
    "task_description",
    "text",
    "thinking",
    "tool_input",
    "tool_use_result",
];

/// Those of them that are of any shape.
const FREE: [&str; 7] = [
    "citation",
    "citations",
    "data",
    "input",
    "structured_output",
    "tool_input",
    "tool_use_result",
];

const SECRET: &str = "S3CRET";

/// Puts the secret into every string in the fields of a name, and says how often.
fn hide(value: &mut Tree, name: &str, inside: bool) -> usize {
    match value {
        Tree::Text(text) if inside => {
            *text = units(SECRET);
            1
        }
        Tree::List(items) => items.iter_mut().map(|item| hide(item, name, inside)).sum(),
        Tree::Object(fields) => {
            let hide_field = |(field, value): &mut (Vec<u16>, Tree)| {
                // Of an object, the parts are fields of their own, unless it is of any shape.
                hide(value, name, *field == units(name) || inside && FREE.contains(&name))
            };
            fields.iter_mut().map(hide_field).sum()
        }
        _ => 0,
    }
}

#[test]
fn debug_shows_nothing_of_what_is_said() {
    let examples = lines("examples");
    for name in SAID {
        let mut hidden = 0;
        for line in examples
            .iter()
            .chain(&lines("sessions/structured"))
            .chain(&lines("structured"))
        {
            let mut changed = tree(line);
            let count = hide(&mut changed, name, false);
            // An enum shows its value: that of an API error is one.
            if count == 0 || name == "error" && (line.contains("\"api_retry\"") || line.contains("\"assistant\"")) {
                continue;
            }
            hidden += count;
            let line = write(&changed, false);
            for shown in [
                format!("{:?}", Message::parse(line.as_str()).unwrap()),
                format!("{:#?}", Entry::parse(line.as_str()).unwrap()),
            ] {
                assert!(!shown.contains(SECRET), "{name}: {shown}");
            }
        }
        assert!(
            hidden > 0 || ["attachment", "command", "citations", "context"].contains(&name),
            "{name} is nowhere"
        );
    }
}

#[test]
fn debug_shows_nothing_of_what_is_not_known() {
    for line in [
        r#"{"type":"new","a":"S3CRET"}"#,
        r#"{"type":"user","new":"S3CRET","uuid":{"S":"S3CRET"}}"#,
        r#"{"type":"user","message":{"content":[{"type":"new","a":"S3CRET"},"S3CRET"]}}"#,
        r#"{"type":"stream_event","event":{"type":"new","a":"S3CRET"}}"#,
    ] {
        let shown = format!("{:?}", Message::parse(line).unwrap());
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn of_messages_of_new_types_debug_shows_the_type_alone() {
    let line = r#"{"type":"brand_new","uuid":"u","text":"topsecret"}"#;
    let shown = format!("{:?}", Message::parse(line).unwrap());
    assert!(
        shown.starts_with("Unknown(UnknownMessage {") && shown.contains("brand_new"),
        "{shown}"
    );
    assert!(!shown.contains("secret"), "{shown}");
}
