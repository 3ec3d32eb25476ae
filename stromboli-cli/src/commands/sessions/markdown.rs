//! A message of a conversation in words.

use std::borrow::Cow;

use serde_json::Value;
use stromboli::messages::Block;
use stromboli::{HistoryMessage, HistoryMessageType};

/// How much of what a tool is given or gives stands in one line, in characters.
const GLANCE: usize = 100;

/// For a terminal: who and when, then what, with tools at a glance. Nothing for a message that says nothing: transcripts
/// have lines for Claude Code's own use.
pub(super) fn plain(message: &HistoryMessage) -> Option<String> {
    let body: Vec<_> = blocks(message).map(glance).collect();
    join(&head(message), &body)
}

/// A section of a document, with all of it.
pub(super) fn section(message: &HistoryMessage) -> Option<String> {
    let body: Vec<_> = blocks(message).map(whole).collect();
    join(&format!("## {}\n", head(message)), &body)
}

fn head(message: &HistoryMessage) -> String {
    let time = message.timestamp.strftime("%Y-%m-%d %H:%M:%S UTC");
    // What a tool answered comes in the name of the user.
    let tool = blocks(message).next().is_some() && blocks(message).all(|block| matches!(block, Block::ToolResult(_)));
    match &message.type_ {
        HistoryMessageType::User if tool => format!("tool · {time}"),
        other => format!("{other} · {time}"),
    }
}

fn blocks(message: &HistoryMessage) -> impl Iterator<Item = &Block> {
    message.content.content.iter().flatten()
}

fn join(head: &str, body: &[String]) -> Option<String> {
    let body: Vec<_> = body
        .iter()
        .map(|part| part.trim_end())
        .filter(|part| !part.is_empty())
        .collect();
    (!body.is_empty()).then(|| format!("{head}\n{}", body.join("\n\n")))
}

fn glance(block: &Block) -> String {
    match block {
        Block::Text(text) => text.text().into_owned(),
        Block::ToolUse(tool) => format!("[{} {}]", name(tool.name.as_deref()), line(&json(&tool.input))),
        Block::ToolResult(result) => {
            let failed = if result.is_error == Some(true) { "failed: " } else { "" };
            format!("[{failed}{}]", line(&result.text()))
        }
        Block::Thinking(_) | Block::RedactedThinking(_) => "[thinking]".into(),
        other => format!("[{}]", other.type_name()),
    }
}

fn whole(block: &Block) -> String {
    match block {
        Block::ToolUse(tool) => {
            format!(
                "**{}**\n\n{}",
                name(tool.name.as_deref()),
                fenced("json", &json(&tool.input))
            )
        }
        Block::ToolResult(result) => {
            let failed = if result.is_error == Some(true) {
                "**failed**\n\n"
            } else {
                ""
            };
            format!("{failed}{}", fenced("", &result.text()))
        }
        other => glance(other),
    }
}

fn name(name: Option<&str>) -> &str {
    name.unwrap_or("tool")
}

fn json(input: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(input).unwrap_or(Value::Null);
    if value.is_null() {
        String::new()
    } else {
        value.to_string()
    }
}

/// A text in one line, cut where it is long.
fn line(text: &str) -> Cow<'_, str> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(GLANCE) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Owned(text),
    }
}

/// A fence that is longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(type_: &str, content: Value) -> HistoryMessage {
        serde_json::from_value(json!({
            "uuid": "u", "type": type_, "session_id": "s", "timestamp": "2026-05-06T10:00:00.5Z",
            "content": {"role": type_, "content": content},
        }))
        .unwrap()
    }

    #[test]
    fn tools_are_shown_at_a_glance_and_exported_whole() {
        let long = "x ".repeat(100);
        let call = json!([
            {"type": "text", "text": "Let me see.\n"},
            {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}},
        ]);
        let call = message("assistant", call);
        assert_eq!(
            plain(&call).unwrap(),
            "assistant · 2026-05-06 10:00:00 UTC\nLet me see.\n\n[Bash {\"command\":\"ls\"}]"
        );
        assert_eq!(
            section(&call).unwrap(),
            "## assistant · 2026-05-06 10:00:00 UTC\n\nLet me see.\n\n**Bash**\n\n```json\n{\"command\":\"ls\"}\n```"
        );
        let result = json!([{"type": "tool_result", "tool_use_id": "t", "content": long, "is_error": true}]);
        let result = message("user", result);
        let shown = plain(&result).unwrap();
        assert!(
            shown.starts_with("tool · ") && shown.contains("[failed: x x") && shown.ends_with("…]"),
            "{shown}"
        );
        assert!(section(&result).unwrap().contains(long.trim_end()));
    }

    #[test]
    fn a_fence_is_longer_than_those_inside() {
        assert_eq!(fenced("", "a ```` b"), "`````\na ```` b\n`````");
    }

    #[test]
    fn a_message_that_says_nothing_is_left_out() {
        assert_eq!(plain(&message("last-prompt", Value::Null)), None);
        assert_eq!(section(&message("user", json!([{"type": "text", "text": " "}]))), None);
    }
}
