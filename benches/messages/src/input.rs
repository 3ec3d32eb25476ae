//! What is read: recorded lines, and long turns and pages made in the form of recorded ones.

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
/// Lines that only add some words, for each answer.
const DELTAS: usize = 60;

/// What is read in one piece or line by line.
pub struct Input {
    pub name: &'static str,
    pub kind: Kind,
    /// Made when it is needed: Valgrind would take its time for all of them.
    make: fn() -> Vec<String>,
    /// The most time and instructions beside a tree of values.
    pub beside_value: f64,
    /// The most beside the struct; None where the struct passes over most of what is there.
    pub beside_struct: Option<f64>,
    /// The most bytes allocated beside the struct.
    pub bytes: Option<f64>,
}

/// What reading takes at most beside a tree of values, and beside the struct.
const VALUE: f64 = 0.6;
const STRUCT: f64 = 1.3;
/// Of a string as long as the line there is nothing to leave out: the struct takes as long as the tree. We keep the line
/// as well, and so it is copied once more.
const ONE_STRING: f64 = 1.3;
/// Of a page with code in it, most is to undo escapes, which the tree, the struct and we do alike: the struct takes 0.75 of
/// the tree's instructions.
const ESCAPES: f64 = 0.8;

/// Text is copied once, out of the body. The rest is fields that the struct passes over.
const PAGE_BYTES: f64 = 1.2;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lines,
    Page,
}

/// Everything that is measured.
pub const INPUTS: [Input; 6] = [
    Input {
        name: "recorded lines",
        kind: Kind::Lines,
        make: recorded,
        beside_value: VALUE,
        // Each session starts with a line of some eighty names, of which the struct takes none.
        beside_struct: None,
        bytes: None,
    },
    Input {
        name: "recorded lines without starts",
        kind: Kind::Lines,
        make: || {
            let mut lines = recorded();
            lines.retain(|line| !line.contains(r#""subtype":"init""#));
            lines
        },
        beside_value: VALUE,
        beside_struct: Some(STRUCT),
        bytes: None,
    },
    Input {
        name: "turn of 10 MB",
        kind: Kind::Lines,
        make: turn,
        beside_value: VALUE,
        beside_struct: Some(STRUCT),
        bytes: None,
    },
    Input {
        name: "line of 10 MB, one text",
        kind: Kind::Lines,
        make: || vec![assistant(&text(TURN))],
        beside_value: ONE_STRING,
        beside_struct: Some(STRUCT),
        bytes: Some(1.1),
    },
    Input {
        name: "page of 200 messages, 1 MB",
        kind: Kind::Page,
        make: || vec![page(said)],
        beside_value: ESCAPES,
        beside_struct: Some(STRUCT),
        bytes: Some(PAGE_BYTES),
    },
    Input {
        name: "page of 200 messages, 1 MB, texts alone",
        kind: Kind::Page,
        make: || vec![page(|_| text(PAGE / MESSAGES - 500))],
        beside_value: VALUE,
        beside_struct: Some(STRUCT),
        bytes: Some(PAGE_BYTES),
    },
];

fn recorded() -> Vec<String> {
    RECORDED
        .iter()
        .flat_map(|file| file.lines())
        .map(str::to_owned)
        .collect()
}

impl Input {
    pub fn documents(&self) -> Vec<String> {
        (self.make)()
    }
}

/// At least so many bytes of a text.
fn filled(text: &str, bytes: usize) -> String {
    text.repeat(bytes.div_ceil(text.len()))
}

/// Lines of code, with what JSON has to escape.
fn code(bytes: usize) -> String {
    filled(
        r#"    if name == \"main\" {\n        return Some(value);\n    }\n"#,
        bytes,
    )
}

fn text(bytes: usize) -> String {
    let words = filled("the quick brown fox jumps over the lazy dog ", bytes);
    format!(r#"{{"type":"text","text":"{words}"}}"#)
}

/// Blocks as they take turns in a session: what the model says, a tool's input, a tool's answer.
fn said(number: usize) -> String {
    let id = format!("toolu_{number:08}");
    match number % 3 {
        0 => text(800),
        1 => format!(
            r#"{{"type":"tool_use","id":"{id}","name":"Edit","input":{{"file_path":"/workspace/src/main.rs","new_string":"{}","old_string":"{}","replace_all":false}}}}"#,
            code(2_400),
            code(1_600),
        ),
        _ => format!(
            r#"{{"type":"tool_result","tool_use_id":"{id}","content":"{}"}}"#,
            code(8_500)
        ),
    }
}

fn assistant(block: &str) -> String {
    format!(
        r#"{{"type":"assistant","message":{{"id":"msg_000000000000000000006891","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{block}],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":120,"output_tokens":1,"cache_creation_input_tokens":300,"cache_read_input_tokens":1800}},"context_management":null}},"parent_tool_use_id":null,"session_id":"{SESSION}","uuid":"3edc834f-4913-4160-9294-dd0dacced077"}}"#
    )
}

/// What a tool answered, said twice as in every recorded line: to the model, and in the tool's own form.
fn answer(number: usize) -> String {
    let output = code(8_500);
    format!(
        r#"{{"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"toolu_{number:08}","type":"tool_result","content":"{output}","is_error":false}}]}},"parent_tool_use_id":null,"session_id":"{SESSION}","uuid":"fb3edc5c-e582-4c87-89a0-b8d8cc8e04c9","timestamp":"2026-11-20T11:50:39.522Z","tool_use_result":{{"stdout":"{output}","stderr":"","interrupted":false,"isImage":false,"noOutputExpected":false}}}}"#
    )
}

/// An answer word by word and then whole, a tool's use and what it answered, again and again.
fn turn() -> Vec<String> {
    let delta = format!(
        r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"quick brown "}}}},"session_id":"{SESSION}","parent_tool_use_id":null,"uuid":"e4398449-db1a-4166-b7a2-df840acb4220"}}"#
    );
    let mut lines = Vec::new();
    let mut bytes = 0;
    for number in 0.. {
        let round = lines.len();
        lines.extend(std::iter::repeat_n(delta.clone(), DELTAS));
        lines.extend([assistant(&said(0)), assistant(&said(1)), answer(number)]);
        bytes += lines.iter().skip(round).map(String::len).sum::<usize>();
        if bytes >= TURN {
            break;
        }
    }
    lines
}

/// As a server writes it: the order of the fields is its own.
fn page(block: fn(usize) -> String) -> String {
    let message = |number: usize| {
        let block = block(number);
        let kind = if block.contains("tool_result") {
            "user"
        } else {
            "assistant"
        };
        format!(
            r#"{{"uuid":"{number:08}-5e58-45b1-937f-ddb8d3de5810","parent_uuid":"{number:08}-4e58-45b1-937f-ddb8d3de5810","type":"{kind}","session_id":"{SESSION}","timestamp":"2026-05-06T07:08:09.123Z","cwd":"/workspace","git_branch":"main","version":"2.1.197","content":{{"role":"{kind}","model":"claude-sonnet-5","message_id":"msg_{number:08}","content":[{block}],"usage":{{"input_tokens":120,"output_tokens":42}}}}}}"#
        )
    };
    let messages: Vec<String> = (0..MESSAGES).map(message).collect();
    format!(
        r#"{{"messages":[{}],"total":5000,"limit":{MESSAGES},"offset":0,"has_more":true}}"#,
        messages.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_as_large_as_their_names_say() {
        for input in INPUTS {
            let bytes: usize = input.documents().iter().map(String::len).sum();
            match input.name {
                name if name.contains("10 MB") => assert!((10_000_000..10_100_000).contains(&bytes), "{name}: {bytes}"),
                name if name.contains("1 MB") => assert!((900_000..1_150_000).contains(&bytes), "{name}: {bytes}"),
                name => assert!(bytes > 20_000, "{name}: {bytes}"),
            }
        }
    }
}
