//! One view of an operation for both kinds of documents, Swagger 2.0 and OpenAPI 3.0.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::contract::{object, operations, strings};

/// What a request or a response holds.
pub struct Operation<'a> {
    /// Where it is written, as for everything below.
    pub source: &'a Value,
    /// By `query limit`, `path id` and so on.
    pub parameters: BTreeMap<String, Parameter<'a>>,
    /// At most one, as the key `request`.
    pub request: BTreeMap<String, Body<'a>>,
    /// By status.
    pub responses: BTreeMap<String, Body<'a>>,
}

pub struct Parameter<'a> {
    pub source: &'a Value,
    pub required: bool,
    pub schema: &'a Value,
}

pub struct Body<'a> {
    pub source: &'a Value,
    pub required: bool,
    /// One schema for each media type; none when there is no body.
    pub schemas: Vec<&'a Value>,
}

/// The operations of a document by `POST /run` and so on.
pub fn all(root: &Value) -> BTreeMap<String, Operation<'_>> {
    let base = root["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
    let named = operations(root).into_iter().map(|(path, method, source)| {
        let shared = &root["paths"][path]["parameters"];
        (
            format!("{} {base}{path}", method.to_uppercase()),
            operation(root, shared, source),
        )
    });
    named.collect()
}

/// Follows `$ref`, also through other references. Ends at what is not there, or after a few rounds of a circle.
pub fn follow<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..16 {
        let Some(pointer) = value["$ref"].as_str() else {
            return value;
        };
        value = pointer
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
            .unwrap_or(&Value::Null);
    }
    &Value::Null
}

fn operation<'a>(root: &'a Value, shared: &'a Value, source: &'a Value) -> Operation<'a> {
    let mut found = Operation {
        source,
        parameters: BTreeMap::new(),
        request: BTreeMap::new(),
        responses: BTreeMap::new(),
    };
    // An operation's own parameters replace the shared ones of its path.
    for list in [shared, &source["parameters"]] {
        for source in list.as_array().into_iter().flatten().map(|value| follow(root, value)) {
            let required = source["required"] == true;
            let place = source["in"].as_str().unwrap_or_default();
            let schema = source.get("schema");
            if place == "body" {
                let body = Body {
                    source,
                    required,
                    schemas: schema.into_iter().collect(),
                };
                found.request.insert("request".into(), body);
            } else {
                let name = source["name"].as_str().unwrap_or_default();
                let parameter = Parameter {
                    source,
                    required,
                    schema: schema.unwrap_or(source),
                };
                found.parameters.insert(format!("{place} {name}"), parameter);
            }
        }
    }
    if let Some(source) = source.get("requestBody").map(|value| follow(root, value)) {
        let required = source["required"] == true;
        found.request.insert(
            "request".into(),
            Body {
                source,
                required,
                schemas: content(source),
            },
        );
    }
    for (status, source) in object(&source["responses"]) {
        let source = follow(root, source);
        let schemas = source
            .get("schema")
            .map_or_else(|| content(source), |schema| vec![schema]);
        found.responses.insert(
            status.clone(),
            Body {
                source,
                required: false,
                schemas,
            },
        );
    }
    found
}

fn content(body: &Value) -> Vec<&Value> {
    object(&body["content"])
        .filter_map(|(_, media)| media.get("schema"))
        .collect()
}

/// What a published operation says it answers with on success, unless the contract has that media type too.
pub fn missing_media_types<'a>(
    published_root: &'a Value,
    published: &'a Value,
    contract: &'a Value,
    ours: &'a Value,
) -> Vec<&'a str> {
    let own = published.get("produces").unwrap_or(&published_root["produces"]);
    let successes: Vec<_> = object(&ours["responses"])
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(_, response)| &follow(contract, response)["content"])
        .collect();
    let mut missing = strings(own);
    missing.retain(|media| !successes.iter().any(|content| content.get(media).is_some()));
    missing
}
