//! What must hold of every JSON object that is read as a line. Also compiled into the fuzz target `messages`.

use stromboli_messages::{Message, transcript::Entry};

use crate::strict::assert_same;

/// Parses an object, uses all that there is to use, and fails if anything was lost.
pub(crate) fn assert_lossless(line: &str) {
    let message = Message::parse(line).unwrap();
    let written = serde_json::to_string(&message).unwrap();
    assert_same(line, &written);
    assert_eq!(message.raw(), Some(line));
    let again = Message::parse(written.as_str()).unwrap();
    assert!(again == message, "{line}");
    assert_eq!(format!("{again:?}"), format!("{message:?}"));
    use_all(&message);
    // As a part of something else.
    let list: Vec<Message> = serde_json::from_str(&format!("[{line}]")).unwrap();
    assert!(list == [message], "{line}");

    if let Ok(entry) = Entry::parse(line) {
        assert_same(line, &serde_json::to_string(&entry).unwrap());
        let _ = (
            entry.text(),
            entry.blocks(),
            entry.tool_uses().count(),
            entry.tool_results().count(),
        );
    }
}

/// Calls what could panic.
fn use_all(message: &Message) {
    let _ = (
        message.type_name(),
        message.uuid(),
        message.session_id(),
        message.is_from_subagent(),
    );
    match message {
        Message::Assistant(message) => {
            let _ = (
                message.text(),
                message.thinking(),
                message.tool_uses().count(),
                message.model(),
                message.usage(),
            );
        }
        Message::User(message) => {
            let _ = (message.text(), message.blocks());
            for result in message.tool_results() {
                let _ = (result.text(), result.is_error());
            }
        }
        Message::Result(message) => {
            let _ = (
                message.text(),
                message.outcome(),
                message.structured::<serde_json::Value>(),
                message.duration(),
            );
        }
        Message::StreamEvent(message) => {
            let _ = message.text();
        }
        _ => {}
    }
}
