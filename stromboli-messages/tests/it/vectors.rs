//! Every recorded line, and one of each kind, is typed and comes out as it went in.

use stromboli_messages::{
    Block, Message,
    transcript::{Entry, EntryType},
};

use crate::strict::assert_same;

/// The recorded streams.
pub(crate) const STREAMS: [&str; 11] = [
    "api-error-400",
    "bash-tool",
    "json",
    "max-turns",
    "permission-denied",
    "structured",
    "text",
    "text-partial",
    "tool-error",
    "two-turns",
    "unicode",
];

/// The lines of a file of vectors.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let path = format!("{}/tests/vectors/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(str::to_owned).collect()
}

/// The messages of a file of vectors.
pub(crate) fn messages(name: &str) -> Vec<Message> {
    lines(name)
        .into_iter()
        .map(|line| Message::parse(line).unwrap())
        .collect()
}

/// Fails on anything that has no type: `Debug` shows the names of all variants, and what is in `extra`.
#[track_caller]
fn assert_typed(shown: &str) {
    for untyped in ["Unknown", "Other(", "extra: "] {
        assert!(!shown.contains(untyped), "`{untyped}` in {shown}");
    }
}

#[test]
fn every_recorded_line_is_typed_and_comes_out_the_same() {
    let all: Vec<String> = STREAMS.iter().flat_map(|name| lines(name)).collect();
    assert_eq!(all.len(), 83);
    for line in all {
        let message = Message::parse(line.clone()).unwrap();
        assert_typed(&format!("{message:?}"));
        assert_same(&line, &serde_json::to_string(&message).unwrap());
        assert_eq!(message.raw(), Some(line.as_str()));
        assert!(message.session_id().is_some() && message.uuid().is_some(), "{line}");
    }
}

#[test]
fn every_kind_of_line_is_typed_in_all_its_fields() {
    let examples = lines("examples");
    for line in &examples {
        let message = Message::parse(line.clone()).unwrap();
        assert_typed(&format!("{message:?}"));
        assert_same(line, &serde_json::to_string(&message).unwrap());
        assert!(message.session_id().is_some() && message.uuid().is_some(), "{line}");
    }
    let mut kinds: Vec<String> = examples
        .into_iter()
        .map(|line| match Message::parse(line).unwrap() {
            Message::System(message) => format!("system/{}", message.subtype()),
            Message::Result(message) => format!("result/{}", message.subtype.unwrap()),
            message => message.type_name().to_owned(),
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    // All that there are: 12 types, 5 subtypes of `result` and 30 of `system`.
    assert_eq!(kinds.len(), 12 + 5 + 30, "{kinds:#?}");
}

#[test]
fn the_recorded_transcript_is_typed_and_comes_out_the_same() {
    let lines = lines("sessions/structured");
    assert_eq!(lines.len(), 9);
    for line in lines {
        let entry = Entry::parse(line.clone()).unwrap();
        assert!(
            !matches!(entry.entry_type, None | Some(EntryType::Other(_))),
            "{entry:?}"
        );
        assert!(
            !entry.blocks().iter().any(|block| matches!(block, Block::Unknown(_))),
            "{entry:?}"
        );
        assert!(entry.extra.is_empty(), "{entry:?}");
        assert_same(&line, &serde_json::to_string(&entry).unwrap());
        assert_eq!(entry.raw(), Some(line.as_str()));
        assert!(entry.session_id.is_some());
    }
}

#[test]
fn a_transcript_reads_as_a_conversation() {
    let entries: Vec<Entry> = lines("sessions/structured")
        .into_iter()
        .map(|line| Entry::parse(line).unwrap())
        .collect();
    let prompt = entries
        .iter()
        .find(|entry| entry.entry_type == Some(EntryType::User))
        .unwrap();
    assert_eq!(
        (prompt.text().as_ref(), prompt.is_from_subagent()),
        ("SCENARIO-STRUCT", false)
    );
    let call = entries.iter().flat_map(Entry::tool_uses).next().unwrap();
    let answer = entries.iter().flat_map(Entry::tool_results).next().unwrap();
    assert_eq!(answer.tool_use_id, call.id);
    assert_eq!(answer.text(), "Structured output provided successfully");
}
