//! What real Claude Code printed, told whole and with holes.

use std::fs;
use std::path::Path;

use stromboli_messages::{Message, System};

use super::*;

/// The events that a server sends of the lines that the command printed: each turn begins with an `init`.
fn events(text: &str) -> Vec<AgentEvent> {
    let mut events = Vec::new();
    let mut turn = 0;
    let mut is_in_turn = false;
    for line in text.lines() {
        let message = Message::parse(line).unwrap();
        if !is_in_turn && matches!(message, Message::System(System::Init(_))) {
            turn += 1;
            is_in_turn = true;
            events.push(event(turn, AgentEventKind::TurnStart));
        }
        let is_result = message.as_result().is_some();
        let kind = AgentEventKind::Message(message);
        events.push(if is_in_turn {
            event(turn, kind)
        } else {
            AgentEvent::of(kind)
        });
        if is_in_turn && is_result {
            is_in_turn = false;
            events.push(event(turn, AgentEventKind::TurnEnd));
        }
    }
    events
}

fn event(turn: u32, kind: AgentEventKind) -> AgentEvent {
    AgentEvent {
        turn_id: Some(format!("turn-{turn}")),
        ..AgentEvent::of(kind)
    }
}

fn holes<'a>(events: impl IntoIterator<Item = &'a AgentEvent>) -> usize {
    let mut continuity = Continuity::between_turns();
    events
        .into_iter()
        .filter(|event| continuity.has_hole_before(event))
        .count()
}

/// Each recording by its name.
fn recordings() -> Vec<(String, Vec<AgentEvent>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stromboli-messages/tests/vectors/live");
    let mut files: Vec<_> = ["2.1.197", "2.1.329"]
        .iter()
        .flat_map(|version| fs::read_dir(folder.join(version)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let name = |path: &Path| path.strip_prefix(&folder).unwrap().display().to_string();
    files
        .iter()
        .map(|path| (name(path), events(&fs::read_to_string(path).unwrap())))
        .collect()
}

#[test]
fn nothing_that_the_command_prints_is_taken_for_a_hole() {
    let recordings = recordings();
    assert!(recordings.len() > 100);
    for (name, events) in recordings {
        let mut continuity = Continuity::between_turns();
        for (number, event) in events.iter().enumerate() {
            assert!(!continuity.has_hole_before(event), "{name}: event {number}, {event:?}");
        }
    }
}

#[test]
fn a_hole_that_cuts_an_answer_or_a_turn_in_two_is_seen_once() {
    let (name, events) = recordings()
        .into_iter()
        .find(|(name, _)| name.ends_with("197/text-deltas.jsonl"))
        .unwrap();
    let inside = |event: &AgentEvent| match &event.kind {
        AgentEventKind::Message(message) => message.as_stream_event().is_some(),
        _ => false,
    };
    let first = events.iter().position(inside).unwrap();
    let last = events.iter().rposition(inside).unwrap();
    // From after the first of its words to any of its later events.
    for from in first + 3..last {
        for to in from + 1..=last {
            let cuts_the_answer = events[from..to].iter().any(inside) && inside(&events[to]);
            if cuts_the_answer {
                let with_hole = events[..from].iter().chain(&events[to..]);
                assert_eq!(holes(with_hole), 1, "{name}: {from}..{to} of {}", events.len());
            }
        }
    }
}

#[test]
fn most_holes_in_what_the_command_prints_are_seen() {
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let (mut seen, mut all) = (0, 0);
    for (_, events) in recordings() {
        for _ in 0..20 {
            // The server drops the oldest of 32 or more.
            if events.len() < 36 {
                continue;
            }
            let from = random.usize(1..events.len() - 34);
            let to = random.usize(from + 1..events.len() - 32);
            all += 1;
            seen += usize::from(holes(events[..from].iter().chain(&events[to..])) > 0);
        }
    }
    assert!(all > 300, "{all}");
    // The others begin and end where one line may follow the other: between two answers, or before the first.
    assert!(seen * 10 > all * 7, "{seen} of {all}");
}

fn line(turn: u32) -> AgentEvent {
    event(turn, AgentEventKind::Line("no message".to_owned()))
}

#[test]
fn turns_begin_end_and_stand_apart() {
    let start = || event(1, AgentEventKind::TurnStart);
    let end = || event(1, AgentEventKind::TurnEnd);
    let result = || {
        event(
            1,
            AgentEventKind::Message(Message::parse(r#"{"type":"result"}"#).unwrap()),
        )
    };
    let between = || AgentEvent::of(AgentEventKind::Line(String::new()));
    for (events, expected) in [
        (vec![between(), start(), line(1), result(), end(), between()], 0),
        (vec![line(1)], 1),
        (vec![end()], 1),
        (vec![start(), end()], 1),
        (vec![start(), result(), event(2, AgentEventKind::TurnEnd)], 1),
        (vec![start(), result(), event(2, AgentEventKind::TurnStart)], 1),
        (vec![start(), line(2)], 1),
        (vec![start(), between()], 1),
        (
            vec![
                start(),
                event(1, AgentEventKind::Stderr(String::new())),
                AgentEvent::of(AgentEventKind::Exited(None)),
            ],
            0,
        ),
    ] {
        assert_eq!(holes(&events), expected, "{events:?}");
    }
}

#[test]
fn a_stream_opened_at_any_time_begins_anywhere() {
    for first in [
        line(1),
        event(1, AgentEventKind::TurnEnd),
        event(1, AgentEventKind::TurnStart),
    ] {
        assert!(!Continuity::anywhere().has_hole_before(&first));
    }
}

#[test]
fn before_a_turn_only_that_turn_counts() {
    for (first, is_hole) in [
        (line(1), true),
        (event(1, AgentEventKind::TurnEnd), true),
        (event(1, AgentEventKind::TurnStart), false),
    ] {
        let mut continuity = Continuity::before("turn-1");
        assert!(!continuity.has_hole_before(&line(7)));
        assert_eq!(continuity.has_hole_before(&first), is_hole);
    }
}
