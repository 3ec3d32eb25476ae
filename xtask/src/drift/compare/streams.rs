//! The events of streams. The published documents know a stream only as a string, and the shapes of its events not at
//! all (WIRE §13.3), so `openapi.yaml` is compared with a small document of our own that stands for them.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::{Comparison, Role};
use crate::contract::object;
use crate::drift::operation;

/// What the events of `contract` say otherwise than `expected`, in lines like those about published documents.
pub fn differences(contract: &Value, expected: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        contract,
        published: expected,
        at: None,
        exact: true,
        compared: HashSet::new(),
        found: Vec::new(),
    };
    let streams = object(&expected["streams"]).map(|(operation, events)| (operation.clone(), events));
    let expected = events(streams);
    let streams = operation::all(contract).into_iter().flat_map(|(name, operation)| {
        object(&operation.source["responses"])
            .flat_map(|(_, response)| object(&operation::follow(contract, response)["content"]))
            .map(|(_, media)| (name.clone(), &media["x-sse-events"]))
            .collect::<Vec<_>>()
    });
    let ours = events(streams);
    for (place, expected, ours) in comparison.matched("", &expected, &ours, |event| event) {
        comparison.event(&place, expected, ours);
    }
    comparison.found
}

/// The data of each event by `GET /run/stream event done` and so on: a schema, or the word `text`.
fn events<'a>(streams: impl Iterator<Item = (String, &'a Value)>) -> BTreeMap<String, &'a Value> {
    let named = streams.flat_map(|(operation, events)| {
        object(events).map(move |(event, data)| (format!("{operation} event {event}"), data))
    });
    named.collect()
}

impl<'a> Comparison<'a> {
    fn event(&mut self, place: &str, expected: &'a Value, ours: &'a Value) {
        if expected.is_object() && ours.is_object() {
            self.schema(place, &[expected], &[ours], Role::Success);
        } else if expected != ours {
            let [expected, ours] = [expected, ours].map(|data| data.as_str().unwrap_or("a schema"));
            self.report(place, &format!("data: published {expected}, ours {ours}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(ours: &Value) -> Vec<String> {
        let expected = json!({
            "streams": {"GET /a": {"end": {"$ref": "#/definitions/End"}, "line": "text"}},
            "definitions": {"End": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"},
                "why": {"type": "string", "x-since": "0.5.0"},
            }}},
        });
        let media = json!({"schema": {"type": "string"}, "x-sse-events": ours});
        let responses = json!({"200": {"content": {"text/event-stream": media}}});
        differences(&json!({"paths": {"/a": {"get": {"responses": responses}}}}), &expected)
    }

    fn end(required: &[&str], since: &str) -> Value {
        json!({"type": "object", "required": required, "properties": {
            "id": {"type": "string"}, "why": {"type": "string", "x-since": since}}})
    }

    #[test]
    fn events_that_are_as_expected_are_no_difference() {
        assert_eq!(found(&json!({"end": end(&["id"], "0.5.0"), "line": "text"})), [""; 0]);
    }

    #[test]
    fn an_event_that_only_one_side_has_is_named() {
        assert_eq!(
            found(&json!({"end": end(&["id"], "0.5.0"), "other": "text"})),
            [
                "GET /a event line: missing from openapi.yaml",
                "GET /a event other: only in openapi.yaml"
            ]
        );
    }

    #[test]
    fn text_is_no_schema() {
        assert_eq!(
            found(&json!({"end": "text", "line": {"type": "string"}})),
            [
                "GET /a event end: data: published a schema, ours text",
                "GET /a event line: data: published text, ours a schema"
            ]
        );
    }

    #[test]
    fn versions_and_required_members_are_compared_exactly() {
        assert_eq!(
            found(&json!({"end": end(&["why"], "0.4.3"), "line": "text"})),
            [
                "GET /a event end.id: required: published yes, ours no",
                "GET /a event end.why: required: published no, ours yes",
                "GET /a event end.why: x-since: published 0.5.0, ours 0.4.3",
            ]
        );
    }
}
