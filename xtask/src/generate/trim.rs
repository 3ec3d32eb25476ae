//! Cuts the contract down to what the generator should see. Pure: a document in, a document out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::contract;

/// What a value must be like beyond its type. Requests are checked by the server and not by us: a type for each bounded
/// string would only stand in the way of what a newer server takes.
const BOUNDS: [&str; 4] = ["minLength", "maxLength", "minimum", "pattern"];

/// The contract without bounds of values, non-2xx responses and the schemas that only those use.
///
/// A typed error response loses its status and headers when the body is not the documented JSON, so every
/// error takes one path instead: the whole response, handed to the wrapper.
pub fn for_generator(contract: &Value) -> Value {
    let mut seen = contract.clone();
    let operations: Vec<(String, String)> = contract::operations(contract)
        .into_iter()
        .map(|(path, method, _)| (path.to_owned(), method.to_owned()))
        .collect();
    for (path, method) in operations {
        if let Some(responses) = seen["paths"][&path][&method]["responses"].as_object_mut() {
            responses.retain(|status, _| status.starts_with('2'));
        }
    }
    seen["components"]["responses"] = json!({});
    let used = contract::reachable(&seen, &seen["paths"]);
    if let Some(schemas) = seen["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| used.contains(name));
    }
    without_bounds(&mut seen);
    contract::sorted(&seen)
}

fn without_bounds(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // A property may have such a name; its value is a schema then.
            members.retain(|name, bound| !BOUNDS.contains(&name.as_str()) || bound.is_object());
            members.values_mut().for_each(without_bounds);
        }
        Value::Array(items) => items.iter_mut().for_each(without_bounds),
        _ => {}
    }
}

/// The object schemas that users build: those which request bodies reach.
pub fn request_types(contract: &Value) -> BTreeSet<String> {
    let bodies: Vec<Value> = contract::operations(contract)
        .iter()
        .map(|(_, _, op)| op["requestBody"].clone())
        .collect();
    objects(contract, contract::reachable(contract, &Value::Array(bodies)))
}

/// The object schemas that users only read.
pub fn response_types(contract: &Value, requests: &BTreeSet<String>) -> BTreeSet<String> {
    let all = objects(contract, contract::reachable(contract, &contract["paths"]));
    all.difference(requests).cloned().collect()
}

fn objects(contract: &Value, names: BTreeSet<String>) -> BTreeSet<String> {
    names
        .into_iter()
        .filter(|n| contract::schema(contract, n)["properties"].is_object())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::SAMPLE;

    fn sample() -> Value {
        contract::parse(SAMPLE).unwrap()
    }

    #[test]
    fn errors_and_their_schemas_are_cut() {
        let seen = for_generator(&sample());
        assert!(seen["paths"]["/run"]["post"]["responses"]["500"].is_null());
        assert!(contract::schema(&seen, "ErrorBody").is_null());
    }

    #[test]
    fn bounds_are_cut_but_not_properties_of_their_names() {
        let schema = |bounds: &str| format!("{{properties: {{pattern: {{type: string{bounds}}}}}}}");
        let document = |bounds: &str| {
            let name = format!("{{in: query, name: a, schema: {{type: integer{bounds}}}}}");
            let body = format!("{{content: {{application/json: {{schema: {}}}}}}}", schema(bounds));
            contract::parse(&format!(
                "{{paths: {{/a: {{post: {{parameters: [{name}], requestBody: {body}}}}}}}}}"
            ))
            .unwrap()
        };
        let bounded = document(", minimum: 1, minLength: 1, maxLength: 9, pattern: a");
        assert_eq!(for_generator(&bounded), for_generator(&document("")));
        let schema = contract::parse(&schema("")).unwrap();
        let seen = for_generator(&bounded);
        let body = &seen["paths"]["/a"]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(body["schema"], schema);
    }

    #[test]
    fn payloads_of_event_streams_stay() {
        assert!(contract::schema(&for_generator(&sample()), "RunStreamEnd").is_object());
    }

    #[test]
    fn what_users_build_and_what_they_read_are_told_apart() {
        let contract = for_generator(&sample());
        let requests = request_types(&contract);
        assert_eq!(requests.iter().collect::<Vec<_>>(), ["ClaudeOptions", "RunRequest"]);
        let responses = response_types(&contract, &requests);
        assert_eq!(responses.iter().collect::<Vec<_>>(), ["Job", "RunStreamEnd"]);
    }
}
