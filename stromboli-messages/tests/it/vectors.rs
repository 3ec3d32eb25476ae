//! Every recorded line is typed, and comes out as it went in.

use stromboli_messages::{Block, Delta, Event, Message, System};

use crate::strict::assert_same;

/// The recorded lines of one file.
pub fn lines(name: &str) -> Vec<String> {
    let path = format!("{}/tests/vectors/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(str::to_owned).collect()
}

/// The recorded streams.
pub const STREAMS: [&str; 11] = [
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

/// All messages of one file.
pub fn messages(name: &str) -> Vec<Message> {
    lines(name)
        .into_iter()
        .map(|line| Message::parse(line).unwrap())
        .collect()
}

/// Fails on anything in a message that is not typed.
#[track_caller]
pub fn assert_typed(message: &Message) {
    let typed_block = |block: &Block| assert!(!matches!(block, Block::Unknown(_)), "{block:?}");
    match message {
        Message::Unknown(_) | Message::System(System::Unknown(_)) => panic!("{message:?}"),
        Message::Assistant(message) => message.blocks().iter().for_each(typed_block),
        Message::User(message) => message.blocks().iter().for_each(typed_block),
        Message::StreamEvent(message) => match message.event.as_ref().unwrap() {
            Event::Unknown(_) => panic!("{message:?}"),
            Event::ContentBlockDelta(event) => assert!(!matches!(event.delta, None | Some(Delta::Unknown(_)))),
            Event::ContentBlockStart(event) => typed_block(event.content_block.as_ref().unwrap()),
            _ => {}
        },
        _ => {}
    }
}

#[test]
fn every_recorded_line_is_typed_and_comes_out_the_same() {
    let mut count = 0;
    for name in STREAMS {
        for line in lines(name) {
            let message = Message::parse(line.clone()).unwrap();
            assert_typed(&message);
            assert_same(&line, &serde_json::to_string(&message).unwrap());
            assert_eq!(message.raw(), Some(line.as_str()));
            assert!(message.session_id().is_some() && message.uuid().is_some(), "{line}");
            assert!(
                !format!("{message:?}").contains("extra"),
                "not all fields are typed: {message:?}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 83);
}
