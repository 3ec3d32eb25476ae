//! Responses are read and written as serde's derive with `flatten` would do it: the same JSON is taken, with the same
//! result, and the same is refused, in the same words.

// Tests may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changed;
mod owned;
mod twins;

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use stromboli_generated::types;

use changed::{NAMES, ODD, Tree, change, count, nth, tree, write};

/// A kind of response: an example with every field, and what has to hold of any JSON for it.
type Kind = (fn() -> Value, fn(&str) -> bool);

const KINDS: [Kind; 6] = [
    (page, agree::<types::HistoryPage, twins::HistoryPage>),
    (run, agree::<types::RunResponse, twins::RunResponse>),
    (image, agree::<types::ImageDetail, twins::ImageDetail>),
    (health, agree::<types::Health, twins::Health>),
    (jobs, agree::<types::JobList, twins::JobList>),
    (sessions, agree::<types::SessionList, twins::SessionList>),
];

fn page() -> Value {
    json!({"has_more": true, "limit": 50, "offset": 0, "total": 70, "messages": [{
        "uuid": "m-1", "parent_uuid": "m-0", "type": "assistant", "session_id": "s-1",
        "timestamp": "2026-05-06T07:08:09.123Z", "cwd": "/workspace", "git_branch": "main", "version": "2.1.197",
        "permission_mode": "plan",
        "tool_result": {"interrupted": false, "is_image": false, "stderr": "", "stdout": "a"},
        "content": {"role": "assistant", "model": "claude", "message_id": "msg-1", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "Done."}, {"type": "new", "value": 1.50}],
            "usage": {"cache_creation_input_tokens": 1, "cache_read_input_tokens": 2, "input_tokens": 3, "output_tokens": 4}},
    }]})
}

fn run() -> Value {
    json!({"id": "run-1", "status": "completed", "output": "a", "session_id": "s-1", "structured_output": {"a": [1, null]},
        "crash_info": {"exit_code": 137, "partial_output": "a", "reason": "b", "signal": "KILL", "task_completed": false},
        "usage": {"cache_creation_input_tokens": 1, "cache_read_input_tokens": 2, "estimated_cost_usd": 0.5,
            "input_tokens": 3, "model": "claude", "output_tokens": 4, "total_tokens": 5}})
}

fn image() -> Value {
    json!({"compatibility_rank": 1, "compatible": true, "created": "now", "description": "a", "has_claude_cli": true,
        "id": "i-1", "labels": {"a": "b"}, "rank_description": "good", "repository": "r", "size": 9_000_000_000_i64, "tag": "t",
        "tools": ["git"]})
}

fn health() -> Value {
    json!({"name": "stromboli", "status": "ok", "version": "0.5.7",
        "components": [{"name": "podman", "status": "error", "error": "gone"}]})
}

fn jobs() -> Value {
    json!({"jobs": [{"id": "job-1", "status": "running", "created_at": "2026-05-06T07:08:09+02:00", "error": "e",
        "updated_at": "2026-05-06T07:08:09Z", "output": "a", "session_id": "s-1", "structured_output": null,
        "crash_info": {"exit_code": 1}}]})
}

fn sessions() -> Value {
    json!({"sessions": ["s-1", {"id": "s-2", "title": "a"}]})
}

/// Whether `json` is read, after everything is compared.
#[track_caller]
fn agree<A: DeserializeOwned + Serialize + Debug, B: DeserializeOwned + Serialize + Debug>(json: &str) -> bool {
    same(
        json,
        serde_json::from_reader::<_, A>(json.as_bytes()),
        serde_json::from_reader::<_, B>(json.as_bytes()),
    );
    same(
        json,
        serde_json::from_slice::<A>(json.as_bytes()),
        serde_json::from_slice::<B>(json.as_bytes()),
    );
    let client = |json: &str| {
        (
            stromboli_messages::from_slice::<A>(json.as_bytes()),
            stromboli_messages::from_slice(json.as_bytes()),
        )
    };
    let (ours, derived) = client(json);
    same(json, ours, derived as serde_json::Result<B>);
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        same(
            json,
            serde_json::from_value::<A>(value.clone()),
            serde_json::from_value::<B>(value),
        );
    }
    same(json, serde_json::from_str::<A>(json), serde_json::from_str::<B>(json))
}

#[track_caller]
fn same<A: Serialize + Debug, B: Serialize + Debug>(
    json: &str,
    ours: serde_json::Result<A>,
    derived: serde_json::Result<B>,
) -> bool {
    match (ours, derived) {
        (Ok(ours), Ok(derived)) => {
            assert_eq!(format!("{ours:?}"), format!("{derived:?}"), "{json}");
            assert_eq!(
                serde_json::to_string(&ours).unwrap(),
                serde_json::to_string(&derived).unwrap(),
                "{json}"
            );
            let value = |value: serde_json::Result<Value>| value.map_err(|error| error.to_string());
            assert_eq!(
                value(serde_json::to_value(&ours)),
                value(serde_json::to_value(&derived)),
                "{json}"
            );
            true
        }
        (Err(ours), Err(derived)) => {
            // Serde does not say why, and we may.
            if !derived.to_string().contains("untagged") {
                assert_eq!(ours.to_string(), derived.to_string(), "{json}");
            }
            false
        }
        (ours, derived) => panic!("{json}\n{ours:?}\n{derived:?}"),
    }
}

#[test]
fn a_response_with_all_fields_is_read_and_written_the_same() {
    for (example, agree) in KINDS {
        assert!(agree(&example().to_string()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_response_is_read_and_written_as_if_all_were_derived(
        kind in prop::sample::select(&KINDS[..]),
        changes in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..5),
        cut in prop::option::weighted(0.05, any::<prop::sample::Index>()),
    ) {
        let (example, agree) = kind;
        let mut json = tree(example());
        for (what, place, with) in changes {
            change(&mut json, what, place, with);
        }
        let mut json = write(&json);
        if let Some(cut) = cut {
            let end = cut.index(json.len());
            json.truncate(if json.is_char_boundary(end) { end } else { 0 });
        }
        agree(&json);
    }
}

/// Each field by itself: missing, null, twice, and of another type.
#[test]
fn every_field_is_required_and_nullable_as_if_derived() {
    let mut read = 0;
    for (example, agree) in KINDS {
        let whole = tree(example());
        for number in 0..count(&whole) {
            let fields = match nth(&mut whole.clone(), &mut number.clone()) {
                Some(Tree::Object(fields)) => fields.len(),
                _ => continue,
            };
            for (field, odd) in (0..fields).flat_map(|field| (0..ODD.len() + 3).map(move |odd| (field, odd))) {
                let mut json = whole.clone();
                let Some(Tree::Object(fields)) = nth(&mut json, &mut number.clone()) else {
                    unreachable!()
                };
                match odd.checked_sub(3) {
                    Some(odd) => fields[field].1 = Tree::Plain(ODD[odd].to_owned()),
                    None if odd == 0 => drop(fields.remove(field)),
                    None if odd == 1 => fields.push(fields[field].clone()),
                    None => fields[field].0 = NAMES[1].to_owned(),
                }
                read += usize::from(agree(&write(&json)));
            }
        }
    }
    assert!(read > 200, "{read}");
}
