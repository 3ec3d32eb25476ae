//! What a schema says about the values it describes, with references, `allOf` and `oneOf` resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::operation::follow;
use super::version::{self, Version};
use crate::contract::{object, strings};

/// The facts about a schema that are compared. What a document does not say stays empty: Swagger 2.0 has neither
/// `nullable` nor alternatives, and the published documents have neither formats nor bounds.
#[derive(Default)]
pub struct Shape<'a> {
    /// More than one for alternatives, none when any JSON value fits.
    pub types: BTreeSet<&'a str>,
    pub format: Option<&'a str>,
    /// The named values; empty when none are named.
    pub values: BTreeSet<String>,
    /// Whether values that are not named fit too.
    pub open: bool,
    pub properties: BTreeMap<String, &'a Value>,
    pub required: BTreeSet<&'a str>,
    pub items: Option<&'a Value>,
    /// The values of a map with arbitrary keys.
    pub map: Option<&'a Value>,
}

impl<'a> Shape<'a> {
    /// The shape of values that fit one of `schemas`, without alternatives that came after version `at`.
    pub fn of(root: &'a Value, schemas: &[&'a Value], at: Option<Version>) -> Self {
        either(root, schemas, at, 0)
    }
}

/// Whether an item of ours came after the published document's version. No version is the newest.
pub fn is_later(root: &Value, item: &Value, at: Option<Version>) -> bool {
    since(root, item)
        .and_then(version::parse)
        .zip(at)
        .is_some_and(|(since, at)| since > at)
}

/// The version that an item, or the schema it refers to, came with.
pub fn since<'a>(root: &'a Value, item: &'a Value) -> Option<&'a str> {
    item["x-since"]
        .as_str()
        .or_else(|| follow(root, item)["x-since"].as_str())
}

/// The schema behind references and behind an `allOf` of one, which is how OpenAPI 3.0 describes a reference.
pub fn core<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = follow(root, schema);
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) => follow(root, only),
        _ => schema,
    }
}

/// Schemas nest alternatives a few levels deep; only a circle of `allOf` goes on for ever.
const MAX_DEPTH: u8 = 16;

fn either<'a>(root: &'a Value, schemas: &[&'a Value], at: Option<Version>, depth: u8) -> Shape<'a> {
    let mut shapes = schemas.iter().map(|schema| one(root, schema, at, depth));
    let mut all = shapes.next().unwrap_or_default();
    for shape in shapes {
        if all.types.is_empty() || shape.types.is_empty() {
            all.types.clear();
        } else {
            all.types.extend(shape.types);
        }
        all.required.retain(|name| shape.required.contains(name));
        for (name, property) in shape.properties {
            all.properties.entry(name).or_insert(property);
        }
        all.values.extend(shape.values);
        all.open |= shape.open;
        all.format = all.format.or(shape.format);
        all.items = all.items.or(shape.items);
        all.map = all.map.or(shape.map);
    }
    all
}

fn one<'a>(root: &'a Value, schema: &'a Value, at: Option<Version>, depth: u8) -> Shape<'a> {
    let schema = follow(root, schema);
    let mut shape = plain(schema);
    if depth == MAX_DEPTH {
        return shape;
    }
    let list = |key: &str| schema[key].as_array().into_iter().flatten().collect::<Vec<_>>();
    let mut parts: Vec<_> = list("allOf")
        .into_iter()
        .map(|part| one(root, part, at, depth + 1))
        .collect();
    for key in ["oneOf", "anyOf"] {
        let alternatives = list(key)
            .into_iter()
            .filter(|part| !is_later(root, part, at))
            .collect::<Vec<_>>();
        if !alternatives.is_empty() {
            parts.push(either(root, &alternatives, at, depth + 1));
        }
    }
    for part in parts {
        shape.types.extend(part.types);
        shape.properties.extend(part.properties);
        shape.required.extend(part.required);
        shape.values.extend(part.values);
        shape.open |= part.open;
        shape.format = shape.format.or(part.format);
        shape.items = shape.items.or(part.items);
        shape.map = shape.map.or(part.map);
    }
    shape
}

/// What a schema says itself.
fn plain(schema: &Value) -> Shape<'_> {
    let mut types: BTreeSet<&str> = schema["type"]
        .as_str()
        .into_iter()
        .chain(strings(&schema["type"]))
        .collect();
    if types.is_empty() && schema.get("properties").is_some() {
        types.insert("object");
    }
    let named = |key: &str| schema[key].as_array().into_iter().flatten().map(text);
    Shape {
        types,
        format: schema["format"].as_str(),
        values: named("enum").chain(named("x-extensible-enum")).collect(),
        open: schema.get("x-extensible-enum").is_some(),
        properties: object(&schema["properties"])
            .map(|(name, property)| (name.clone(), property))
            .collect(),
        required: strings(&schema["required"]).into_iter().collect(),
        items: schema.get("items"),
        map: schema
            .get("additionalProperties")
            .filter(|values| **values != Value::Bool(false)),
    }
}

/// A value of an enum as a person writes it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
