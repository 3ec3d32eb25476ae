//! Sizes, depths and characters that nobody sends by accident.

use stromboli_messages::{Accumulator, Block, Json, Message, Number};

use crate::strict::assert_same;

fn deep(depth: usize) -> String {
    format!("{}1.0{}", "[".repeat(depth), "]".repeat(depth))
}

/// Whether the line comes out with this piece of text in it.
fn keeps(line: &str, piece: &str) -> Message {
    let message = Message::parse(line).unwrap();
    assert!(serde_json::to_string(&message).unwrap().contains(piece));
    let copy = message.clone();
    assert!(copy == message);
    assert_eq!(
        format!("{copy:?}").matches('[').count(),
        format!("{message:?}").matches('[').count()
    );
    message
}

#[test]
fn nesting_is_never_too_deep() {
    let deep = deep(100_000);
    keeps(&format!(r#"{{"type":"user","new":{deep}}}"#), &deep);
    keeps(&format!(r#"{{"type":"new","new":{deep}}}"#), &deep);
    keeps(&format!(r#"{{"type":"user","uuid":{deep}}}"#), &deep);
    keeps(&format!(r#"{{"type":"user","message":{{"content":{deep}}}}}"#), &deep);
    let line =
        format!(r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"t","input":{deep}}}]}}}}"#);
    let message = keeps(&line, &deep);
    let tool_use = message.as_assistant().unwrap().tool_uses().next().unwrap();
    assert_eq!(tool_use.input.as_ref().unwrap().get(), deep);
    assert!(tool_use.input.as_ref().unwrap().to_value().is_err());
}

#[test]
fn blocks_in_blocks_are_typed_as_deep_as_anybody_needs() {
    for depth in [5, 13, 14, 15, 60, 61, 62, 63, 64, 2_000] {
        let start = r#"{"type":"tool_result","tool_use_id":"t","content":["#.repeat(depth);
        let block = format!(r#"{start}{{"type":"text","text":"in"}}{}"#, "]}".repeat(depth));
        let message = keeps(
            &format!(r#"{{"type":"user","message":{{"content":[{block}]}}}}"#),
            &block,
        );
        let mut blocks = message.as_user().unwrap().message.as_ref().unwrap().as_blocks();
        let mut typed = 0;
        while let [Block::ToolResult(result)] = blocks {
            typed += 1;
            blocks = result.content.as_ref().unwrap().as_blocks();
        }
        assert!(typed == depth || typed > 12, "{typed} of {depth}");
    }
}

#[test]
fn a_text_of_five_megabytes_is_a_text() {
    let text = "naïve — 你好 🌋 \n\"quoted\" \\ \u{0} ".repeat(5_000_000 / 36);
    let json = serde_json::to_string(&text).unwrap();
    for line in [
        format!(r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":{json}}}]}}}}"#),
        format!(r#"{{"message":{{"content":[{{"text":{json},"type":"text"}}]}},"type":"assistant"}}"#),
        format!(r#"{{"type":"assistant","uuid":5,"message":{{"content":{json}}}}}"#),
    ] {
        let message = Message::parse(line.as_str()).unwrap();
        assert!(message.as_assistant().unwrap().text() == text);
        assert_same(&line, &serde_json::to_string(&message).unwrap());
    }
    let line = format!(r#"{{"type":"assistant",{json}:{json}}}"#);
    let message = Message::parse(line.as_str()).unwrap();
    assert!(
        message
            .as_assistant()
            .unwrap()
            .extra
            .get(&text)
            .unwrap()
            .text()
            .unwrap()
            == text
    );
    assert_same(&line, &serde_json::to_string(&message).unwrap());
}

#[test]
fn a_hundred_thousand_fields_are_read_in_no_time_to_speak_of() {
    let fields: String = (0..100_000).map(|number| format!(r#""n{number}":{number},"#)).collect();
    // Quadratic work would take minutes.
    for line in [
        format!(r#"{{{fields}"type":"user","uuid":"u"}}"#),
        format!(r#"{{"type":"user",{fields}"uuid":5}}"#),
        format!(r#"{{{fields}"type":"new"}}"#),
        format!(r#"{{"type":"assistant","message":{{"content":[{{{fields}"type":"new"}}]}}}}"#),
    ] {
        let message = Message::parse(line.as_str()).unwrap();
        assert!(serde_json::to_string(&message).unwrap().contains(r#""n99999":99999"#));
    }
}

/// Put into their place one by one, they would move each other for minutes.
#[test]
fn a_message_in_two_lines_with_many_new_fields_has_all_of_them() {
    let mut turns = Accumulator::new();
    for odd in [0, 1] {
        let fields: String = (0..50_000)
            .rev()
            .map(|number| format!(r#""n{:06}":{odd},"#, 2 * number + odd))
            .collect();
        let line = format!(r#"{{"type":"assistant","message":{{{fields}"id":"m","n":{odd}}}}}"#);
        assert_eq!(turns.push(Message::parse(line).unwrap()), None);
    }
    let extra = &turns.current().main.messages[0].extra;
    assert_eq!(extra.len(), 100_001);
    assert_eq!(extra.get("n").unwrap().get(), "1");
    assert!(extra.iter().is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn halves_of_surrogate_pairs_are_kept_and_shown_as_well_as_can_be() {
    let line = r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"cut \ud83d"},{"type":"text","text":"\udf0b \\ud83d \ud83c\udf0b \ud83d\n"}]}}"#;
    let message = Message::parse(line).unwrap();
    assert_same(line, &serde_json::to_string(&message).unwrap());
    let user = message.as_user().unwrap();
    assert_eq!(user.tool_results().next().unwrap().text(), "cut \u{fffd}");
    assert_eq!(user.text(), "\u{fffd} \\ud83d 🌋 \u{fffd}\n");
    for line in [
        r#"{"type":"user","\ud800":1,"\ud801":2,"uuid":"u"}"#,
        r#"{"type":"user","message":{"\ud800":1,"content":"a"}}"#,
        r#"{"type":"assistant","message":{"content":[{"type":"text","\ud800":1}]}}"#,
        r#"{"type":"\ud800"}"#,
        r#"{"type":"system","subtype":"\ud800"}"#,
        r#"{"type":"result","modelUsage":{"\ud800":{}}}"#,
    ] {
        let message = Message::parse(line).unwrap();
        assert_same(line, &serde_json::to_string(&message).unwrap());
    }
}

#[test]
fn numbers_keep_their_digits() {
    for number in [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1",
        "-1",
        "1.0",
        "1.50",
        "1e3",
        "1E+2",
        "1e400",
        "-1e400",
        "1e-400",
        "5e-324",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "0.0053100000000000005",
        "1234567890123456789012345678901234567890",
        "0.1000000000000000055511151231257827021181583404541015625",
    ] {
        let line = format!(
            r#"{{"type":"result","total_cost_usd":{number},"num_turns":{number},"new":{number},"structured_output":[{number}]}}"#
        );
        let message = Message::parse(line.as_str()).unwrap();
        assert_same(&line, &serde_json::to_string(&message).unwrap());
        let result = message.as_result().unwrap();
        assert_eq!(
            result.total_cost_usd(),
            Some(number.parse().unwrap()),
            "a cost is typed however it is written"
        );
        assert_eq!(result.num_turns, number.parse().ok(), "{number}");
    }
    assert_eq!(Number::from(1.5).to_string(), "1.5");
    assert_eq!(Number::from(7).as_u64(), Some(7));
    assert!(serde_json::from_str::<Number>("\"1\"").is_err());
}

#[test]
fn json_is_equal_as_a_value() {
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    assert_eq!(
        json(r#"{"a":[1,"x"],"b":null}"#),
        json(r#"{ "b":null, "a" : [1,"\u0078"] }"#)
    );
    assert_eq!(json(&deep(100_000)), json(&deep(100_000)));
    for (a, b) in [
        ("1", "1.0"),
        ("[1,2]", "[2,1]"),
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        ("null", "false"),
        ("\"a\"", "\"b\""),
    ] {
        assert_ne!(json(a), json(b));
    }
}

#[test]
fn what_is_no_object_is_an_error_that_holds_the_line_and_does_not_show_it() {
    for (line, syntax) in [
        ("", true),
        ("secret", true),
        (r#"{"secret":"#, true),
        (r#"{"secret": secret}"#, true),
        (r#"{"a":1} secret"#, true),
        ("\u{feff}{}", true),
        ("[\"secret\"]", false),
        ("\"secret\"", false),
        ("5", false),
        ("null", false),
        ("[stromboli: line truncated, exceeded 10485760 bytes]", true),
    ] {
        let error = Message::parse(line).unwrap_err();
        assert_eq!(error.line(), line);
        assert_eq!(std::error::Error::source(&error).is_some(), syntax, "{line}");
        let source = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        for shown in [error.to_string(), format!("{error:?}"), source] {
            assert!(!shown.contains("secret"), "{shown}");
        }
        assert!(error.to_string().starts_with(char::is_lowercase) && !error.to_string().ends_with('.'));
        assert_eq!(error.into_line(), line);
    }
}
