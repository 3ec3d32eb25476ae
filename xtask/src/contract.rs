//! Reads `openapi.yaml` and answers questions about its structure. Knows nothing of Rust code.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

/// The HTTP methods that a path item can hold.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
const SCHEMA_PREFIX: &str = "#/components/schemas/";

/// Loads the contract of the repository at `root`.
pub fn load(root: &Path) -> Result<Value, String> {
    parse(&crate::read(&root.join("openapi.yaml"))?).map_err(|e| format!("openapi.yaml: {e}"))
}

/// Parses YAML or JSON (which is YAML).
pub fn parse(text: &str) -> Result<Value, String> {
    serde_norway::from_str(text).map_err(|e| e.to_string())
}

/// Every operation as (path, method, operation), in the document's order.
pub fn operations(contract: &Value) -> Vec<(&str, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in object(&contract["paths"]) {
        for (method, operation) in object(item) {
            if METHODS.contains(&method.as_str()) {
                found.push((path.as_str(), method.as_str(), operation));
            }
        }
    }
    found
}

/// A component schema by name.
pub fn schema<'a>(contract: &'a Value, name: &str) -> &'a Value {
    &contract["components"]["schemas"][name]
}

/// The entries of an object; none for anything else.
pub fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The strings of an array; none for anything else.
pub fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect()
}

/// The values that a string schema names, whether the set is closed (`enum`) or open (`x-extensible-enum`).
pub fn known_values(schema: &Value) -> Vec<&str> {
    let closed = strings(&schema["enum"]);
    if closed.is_empty() {
        strings(&schema["x-extensible-enum"])
    } else {
        closed
    }
}

/// The names of all component schemas that `value` refers to, directly or through other components.
pub fn reachable(contract: &Value, value: &Value) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut todo = Vec::new();
    references(value, &mut todo);
    while let Some(target) = todo.pop() {
        if seen.insert(target) {
            let pointed = target.strip_prefix('#').and_then(|pointer| contract.pointer(pointer));
            references(pointed.unwrap_or(&Value::Null), &mut todo);
        }
    }
    seen.into_iter()
        .filter_map(|target| target.strip_prefix(SCHEMA_PREFIX))
        .map(str::to_owned)
        .collect()
}

/// The same document with every object's keys in order, so that output does not depend on how maps are built.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "
paths:
  /a: {get: {operationId: a_get, x: {$ref: '#/components/schemas/A'}}, parameters: []}
components:
  schemas:
    A: {properties: {b: {items: {$ref: '#/components/schemas/B'}}}}
    B: {properties: {a: {$ref: '#/components/schemas/A'}}}
    C: {type: string, x-extensible-enum: [x, y]}
";

    #[test]
    fn references_are_followed_through_other_schemas_and_cycles() {
        let contract = parse(SAMPLE).unwrap();
        let names: Vec<_> = reachable(&contract, &contract["paths"]).into_iter().collect();
        assert_eq!(names, ["A", "B"]);
    }

    #[test]
    fn only_methods_are_operations() {
        let contract = parse(SAMPLE).unwrap();
        let found: Vec<_> = operations(&contract)
            .iter()
            .map(|(p, m, _)| format!("{m} {p}"))
            .collect();
        assert_eq!(found, ["get /a"]);
    }

    #[test]
    fn open_sets_of_values_are_known_values_too() {
        let contract = parse(SAMPLE).unwrap();
        assert_eq!(known_values(schema(&contract, "C")), ["x", "y"]);
    }
}
