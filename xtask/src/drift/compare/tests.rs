//! The rules of the comparison, each on documents of one operation.

use serde_json::{Value, json};

use super::differences;
use crate::drift::version;

/// What is new in a contract with one operation `GET /a`, compared with a document that has it too.
fn found(published: &Value, ours: &Value, version: &str) -> Vec<String> {
    let published = json!({"swagger": "2.0", "paths": {"/a": {"get": published}}});
    let ours = json!({"paths": {"/a": {"get": ours}}});
    differences(&ours, &published, version::parse(version))
}

/// The same, for the schemas of a response.
fn schemas(published: &Value, ours: &Value) -> Vec<String> {
    let published = json!({"responses": {"200": {"schema": published}}});
    let ours = json!({"responses": {"200": {"content": {"application/json": {"schema": ours}}}}});
    found(&published, &ours, "")
}

#[test]
fn a_wrong_x_since_is_named() {
    let published = json!({"parameters": [{"in": "query", "name": "q", "type": "string"}], "responses": {}});
    let ours = json!({
        "parameters": [{"in": "query", "name": "q", "x-since": "0.5.0", "schema": {"type": "string"}}],
        "responses": {},
    });
    let expected = ["GET /a query q: x-since 0.5.0, but published before"];
    assert_eq!(found(&published, &ours, "0.4.3"), expected);
    assert_eq!(found(&published, &ours, "0.5.0"), [""; 0]);

    let body = |property: &Value| json!({"type": "object", "properties": {"a": property}});
    let published = json!({"responses": {"200": {"schema": body(&json!({"type": "string"}))}}});
    let ours = body(&json!({"type": "string", "x-since": "0.5.0"}));
    let ours = json!({"responses": {"200": {"content": {"application/json": {"schema": ours}}}}});
    assert_eq!(
        found(&published, &ours, "0.4.3"),
        ["GET /a 200.a: x-since 0.5.0, but published before"]
    );
}

#[test]
fn required_means_more_in_requests_than_in_responses() {
    let body = |required: &[&str]| json!({"type": "object", "required": required, "properties": {"a": {}}});
    assert_eq!(schemas(&body(&[]), &body(&["a"])), [""; 0]);
    assert_eq!(
        schemas(&body(&["a"]), &body(&[])),
        ["GET /a 200.a: required: published yes, ours no"]
    );

    let published = |required: &[&str]| json!({"parameters": [{"in": "body", "name": "x", "schema": body(required)}]});
    let ours = |required: &[&str]| json!({"requestBody": {"content": {"a/b": {"schema": body(required)}}}});
    assert_eq!(
        found(&published(&[]), &ours(&["a"]), ""),
        ["GET /a request.a: required: published no, ours yes"]
    );
    assert_eq!(
        found(&published(&["a"]), &ours(&[]), ""),
        ["GET /a request.a: required: published yes, ours no"]
    );
}

#[test]
fn an_open_set_of_values_is_a_string_that_says_more() {
    let open = json!({"type": "string", "x-extensible-enum": ["a", "b"]});
    let closed = json!({"type": "string", "enum": ["a", "b"]});
    let string = json!({"type": "string"});
    assert_eq!(schemas(&string, &open), [""; 0]);
    assert_eq!(schemas(&closed, &open), [""; 0]);
    assert_eq!(
        schemas(&string, &closed),
        ["GET /a 200: values: published any, ours a, b"]
    );
    let expected = ["a", "b"].map(|value| format!("GET /a 200: value `{value}` missing from openapi.yaml"));
    assert_eq!(schemas(&closed, &string), expected);
    assert_eq!(
        schemas(&json!({"type": "string", "enum": ["a"]}), &open),
        ["GET /a 200: value `b` only in openapi.yaml"]
    );
}

#[test]
fn items_and_map_values_are_compared() {
    let list = |item: &str| json!({"type": "array", "items": {"type": item}});
    let map = |value: &str| json!({"type": "object", "additionalProperties": {"type": value}});
    assert_eq!(
        schemas(&list("string"), &list("integer")),
        ["GET /a 200[]: type: published string, ours integer"]
    );
    assert_eq!(
        schemas(&map("string"), &map("integer")),
        ["GET /a 200{}: type: published string, ours integer"]
    );
    assert_eq!(
        schemas(&map("string"), &json!({"type": "object"})),
        ["GET /a 200{}: missing from openapi.yaml"]
    );
}

#[test]
fn what_only_openapi_can_say_is_no_difference() {
    let published = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}});
    let ours = json!({"type": "object", "properties": {
        "a": {"allOf": [{"type": "integer", "format": "int64"}], "nullable": true, "minimum": 1},
        "b": {"type": "string", "format": "go-duration"},
    }});
    assert_eq!(schemas(&published, &ours), [""; 0]);
}

#[test]
fn alternatives_are_compared_as_their_union() {
    let ours = json!({"oneOf": [
        {"type": "string"},
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "integer"}, "c": {"type": "string"}}},
    ]});
    let published = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
    assert_eq!(
        schemas(&published, &ours),
        [
            "GET /a 200: type: published object, ours object|string",
            "GET /a 200.c: only in openapi.yaml"
        ]
    );
}

#[test]
fn an_alternative_that_came_later_does_not_count_before() {
    let ours = json!({"oneOf": [{"type": "object", "x-since": "0.5.0", "properties": {"a": {}}}, {"type": "string"}]});
    let published = json!({"responses": {"200": {"schema": {"type": "string"}}}});
    let ours = json!({"responses": {"200": {"content": {"application/json": {"schema": ours}}}}});
    assert_eq!(found(&published, &ours, "0.4.3"), [""; 0]);
    assert_eq!(
        found(&published, &ours, "0.5.0"),
        ["GET /a 200: type: published string, ours object|string"]
    );
}

#[test]
fn a_body_that_only_one_side_has_is_named() {
    let with = json!({"responses": {"200": {"schema": {"type": "string"}}}});
    let without = json!({"responses": {"200": {}}});
    let ours = json!({"responses": {"200": {"content": {"text/plain": {"schema": {"type": "string"}}}}}});
    assert_eq!(
        found(&with, &without, ""),
        ["GET /a 200: body missing from openapi.yaml"]
    );
    assert_eq!(found(&without, &ours, ""), ["GET /a 200: body only in openapi.yaml"]);
}

#[test]
fn a_media_type_that_only_the_server_names_is_named() {
    let published = json!({"produces": ["text/event-stream"], "responses": {"200": {"schema": {"type": "string"}}}});
    let ours = |media: &str| json!({"responses": {"200": {"content": {media: {"schema": {"type": "string"}}}}}});
    assert_eq!(found(&published, &ours("text/event-stream"), ""), [""; 0]);
    assert_eq!(
        found(&published, &ours("application/json"), ""),
        ["GET /a success as text/event-stream: missing from openapi.yaml"]
    );
}

#[test]
fn schemas_that_contain_themselves_are_compared_once() {
    let mut published = json!({"swagger": "2.0", "definitions": {"x.T": {"type": "object", "properties": {
        "next": {"$ref": "#/definitions/x.T"}, "old": {"type": "string"}}}}});
    let mut ours = json!({"components": {"schemas": {"T": {"type": "object", "properties": {
        "next": {"allOf": [{"$ref": "#/components/schemas/T"}]}}}}}});
    published["paths"]["/a"]["get"]["responses"]["200"]["schema"]["$ref"] = json!("#/definitions/x.T");
    ours["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] =
        json!("#/components/schemas/T");
    assert_eq!(
        differences(&ours, &published, None),
        ["GET /a 200.old: missing from openapi.yaml"]
    );
}

#[test]
fn a_circle_of_references_ends() {
    let circle = json!({"$ref": "#/paths/~1a/get/responses/200/schema"});
    let new = schemas(&circle, &json!({"type": "string"}));
    assert_eq!(new, ["GET /a 200: type: published any, ours string"]);
}
