//! Recorded messages become turns, whichever way they come.

use serde_json::{Value, json};
use stromboli_messages::{Accumulator, Block, Message, Outcome, Turn};

use crate::vectors::{STREAMS, messages};

/// Feeds all messages and gives the turns that end.
pub(crate) fn turns(messages: impl IntoIterator<Item = Message>) -> Vec<Turn> {
    let mut accumulator = Accumulator::new();
    messages
        .into_iter()
        .filter_map(|message| accumulator.push(message))
        .collect()
}

/// What the turn's blocks say; a tool use by its name and input.
pub(crate) fn blocks(turn: &Turn) -> Vec<String> {
    let show = |block: &Block| match block {
        Block::Text(block) => block.text().into_owned(),
        Block::Thinking(block) => format!("({})", block.thinking.as_deref().unwrap_or_default()),
        Block::ToolUse(block) => format!(
            "{}{}",
            block.name.as_deref().unwrap(),
            block.input.as_ref().unwrap().get()
        ),
        other => panic!("{other:?}"),
    };
    turn.blocks().map(show).collect()
}

#[test]
fn recorded_deltas_say_the_same_as_the_lines_beside_them() {
    for name in ["text-partial", "bash-tool"] {
        let of_lines = |message: &Message| !matches!(message, Message::StreamEvent(_));
        let of_events = |message: &Message| !matches!(message, Message::Assistant(_));
        let without_result = |message: &Message| !matches!(message, Message::Result(_));
        let from = |keep: &dyn Fn(&Message) -> bool| {
            let mut accumulator = Accumulator::new();
            for message in messages(name)
                .into_iter()
                .filter(|message| keep(message))
                .filter(without_result)
            {
                assert_eq!(accumulator.push(message), None);
            }
            accumulator.finish().unwrap()
        };
        let (lines, events, both) = (from(&of_lines), from(&of_events), from(&|_| true));
        let result = messages(name).pop().unwrap();
        assert_eq!(lines.text(), result.as_result().unwrap().text(), "{name}");
        for other in [&events, &both] {
            assert_eq!(other.text(), lines.text(), "{name}");
            // The input of a tool is written with other spaces than in the full line, so compare as values.
            assert!(lines.blocks().eq(other.blocks()), "{name}");
            assert_eq!(other.tool_calls().count(), lines.tool_calls().count());
        }
        // What only events know: why the model stopped, and the final usage.
        let message = both.main.messages.last().unwrap();
        assert_eq!(message.stop_reason.as_ref().unwrap().as_str(), "end_turn");
        assert_eq!(message.usage.as_ref().unwrap().output_tokens, Some(42));
        assert_eq!(message.usage.as_ref().unwrap().input_tokens, Some(120));
    }
}

#[test]
fn every_recorded_stream_is_a_turn_for_each_of_its_results() {
    for name in STREAMS {
        let results = messages(name)
            .iter()
            .filter(|message| message.as_result().is_some())
            .count();
        let turns = turns(messages(name));
        assert_eq!(turns.len(), results, "{name}");
        for turn in turns {
            let result = turn.result.as_ref().unwrap();
            assert_eq!(
                Some(turn.text().as_ref()),
                result.result.as_deref().or(Some("")),
                "{name}"
            );
            assert_eq!(turn.usage(), result.usage());
            assert_eq!(turn.outcome(), Some(result.outcome()));
            assert!(turn.tool_calls().all(|call| call.result.is_some()), "{name}");
        }
    }
}

#[test]
fn a_tool_call_has_its_answer_in_both_shapes() {
    let turn = turns(messages("bash-tool")).remove(0);
    let call = turn.tool_calls().next().unwrap();
    assert_eq!(call.tool_use.name.as_deref(), Some("Bash"));
    assert_eq!(
        call.tool_use.input.as_ref().unwrap().to_value().unwrap()["command"],
        "echo hi"
    );
    assert_eq!(call.result.unwrap().text(), "hi");
    assert_eq!(call.tool_use_result.unwrap().to_value().unwrap()["stdout"], "hi");
    assert_eq!(blocks(&turn)[0], "I'll run it.");
}

#[test]
fn a_turn_says_what_was_denied_and_how_it_ended() {
    let turn = turns(messages("permission-denied")).remove(0);
    assert_eq!(turn.permission_denials()[0].tool_name.as_deref(), Some("Write"));
    assert!(turn.tool_calls().next().unwrap().result.unwrap().is_error());
    assert_eq!(turns(messages("max-turns"))[0].outcome(), Some(Outcome::MaxTurns));
    let failed = turns(messages("api-error-400")).remove(0);
    assert_eq!(failed.outcome(), Some(Outcome::ApiError { status: Some(400) }));
    assert!(failed.text().starts_with("Prompt is too long"));
}

#[test]
fn the_cost_is_the_latest_and_never_a_sum() {
    let costs: Vec<_> = turns(messages("two-turns")).iter().map(Turn::total_cost_usd).collect();
    assert_eq!(costs, [Some(0.0026550000000000002), Some(0.0053100000000000005)]);
}

#[test]
fn structured_output_is_of_the_result_or_promoted_from_the_tool() {
    let whole = turns(messages("structured")).remove(0);
    assert_eq!(
        whole.structured::<Value>().unwrap(),
        json!({"summary": "ok", "score": 7})
    );
    let mut messages = messages("structured");
    for message in &mut messages {
        if let Message::Result(result) = message {
            assert!(result.structured_output.take().is_some());
        }
    }
    let promoted = turns(messages).remove(0);
    assert_eq!(promoted.result.as_ref().unwrap().structured_output, None);
    assert_eq!(
        promoted.structured_output().unwrap().to_value().unwrap(),
        json!({"summary": "ok", "score": 7})
    );
}

#[test]
fn what_is_pushed_by_reference_counts_the_same() {
    for name in STREAMS {
        let messages = messages(name);
        let mut accumulator = Accumulator::new();
        let by_reference: Vec<_> = messages
            .iter()
            .filter_map(|message| accumulator.push(message))
            .collect();
        assert_eq!(by_reference, turns(messages), "{name}");
    }
}
