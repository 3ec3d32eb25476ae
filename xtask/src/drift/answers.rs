//! What operations answer with, whichever documents are compared. The published ones list the answers of no check of
//! tokens and rates (WIRE §13.1), and type a failure as a success with one member more (WIRE §2), so
//! `accepted-drift.yaml` accepts both everywhere. Here is what keeps them where they belong.

use serde_json::Value;

use super::operation::{self, Operation};
use super::shape::Shape;

/// One line for each answer that cannot be right.
pub fn problems(contract: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, operation) in operation::all(contract) {
        found.extend(statuses(contract, &name, &operation));
        found.extend(bodies(contract, &name, &operation));
    }
    found
}

/// Protected operations are rate limited and check tokens, those about tokens only check them, others do neither.
fn statuses(contract: &Value, name: &str, operation: &Operation<'_>) -> Vec<String> {
    let id = operation.source["operationId"].as_str().unwrap_or_default();
    let security = operation.source.get("security").unwrap_or(&contract["security"]);
    let about_tokens = id.starts_with("auth_");
    let limited = !about_tokens && security.as_array().is_some_and(|schemes| !schemes.is_empty());
    let tokens = (limited || about_tokens, "the operation checks tokens");
    let rates = (limited, "the operation is rate limited");
    let mut found = Vec::new();
    for (status, (expected, condition)) in [("401", tokens), ("429", rates), ("503", tokens)] {
        match (expected, operation.responses.contains_key(status)) {
            (true, false) => found.push(format!("{name} {status}: missing from openapi.yaml, but {condition}")),
            (false, true) => found.push(format!("{name} {status}: unexpected unless {condition}")),
            _ => {}
        }
    }
    found
}

/// The JSON body of a failure always has an `error`, that of a success never must.
fn bodies(contract: &Value, name: &str, operation: &Operation<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (status, body) in &operation.responses {
        let Some(schema) = body.source["content"]["application/json"].get("schema") else {
            continue;
        };
        let fails = Shape::of(contract, &[schema], None).required.contains("error");
        match (status.starts_with('2'), fails) {
            (true, true) => found.push(format!("{name} {status}: a success whose body requires `error`")),
            (false, false) => found.push(format!(
                "{name} {status}: a failure whose body does not require `error`"
            )),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::contract;

    fn load() -> Value {
        contract::load(&crate::root()).unwrap()
    }

    fn after(pointer: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Vec<String> {
        let mut contract = load();
        change(contract.pointer_mut(pointer).unwrap().as_object_mut().unwrap());
        problems(&contract)
    }

    #[test]
    fn the_contract_has_no_such_problem() {
        assert_eq!(after("", |_| {}), [""; 0]);
    }

    #[test]
    fn an_answer_of_a_check_that_goes_missing_is_named() {
        let contract = load();
        let mut protected = 0;
        for (path, method, _) in contract::operations(&contract) {
            if path.starts_with("/auth/") || path == "/health" {
                continue;
            }
            protected += 1;
            for status in ["401", "429", "503"] {
                let mut without = contract.clone();
                let responses = &mut without["paths"][path][method]["responses"];
                assert!(responses.as_object_mut().unwrap().remove(status).is_some());
                let found = problems(&without);
                let expected = format!("{} {path} {status}: missing", method.to_uppercase());
                assert!(found.len() == 1 && found[0].starts_with(&expected), "{found:?}");
            }
        }
        assert_eq!(protected, contract::operations(&contract).len() - 5);
        assert_eq!(
            after("/paths/~1run/post/responses", |responses| drop(responses.remove("401"))),
            ["POST /run 401: missing from openapi.yaml, but the operation checks tokens"]
        );
        assert_eq!(
            after("/paths/~1auth~1validate/get/responses", |responses| drop(
                responses.remove("401")
            )),
            ["GET /auth/validate 401: missing from openapi.yaml, but the operation checks tokens"]
        );
    }

    #[test]
    fn an_answer_of_a_check_that_does_not_happen_is_named() {
        let limited = json!({"$ref": "#/components/responses/RateLimited"});
        let add = |pointer: &str, status: &str| {
            after(pointer, |responses| {
                assert!(responses.insert(status.into(), limited.clone()).is_none());
            })
        };
        let refresh = "/paths/~1auth~1refresh/post/responses";
        let line = "unexpected unless the operation is rate limited";
        assert_eq!(add(refresh, "429"), [format!("POST /auth/refresh 429: {line}")]);
        let token = "/paths/~1auth~1token/post/responses";
        assert_eq!(add(token, "429"), [format!("POST /auth/token 429: {line}")]);
        let health = "/paths/~1health/get/responses";
        assert_eq!(add(health, "429"), [format!("GET /health 429: {line}")]);
        let line = "unexpected unless the operation checks tokens";
        assert_eq!(add(health, "401"), [format!("GET /health 401: {line}")]);

        let found = after("/paths/~1jobs/get", |operation| {
            operation.insert("security".into(), json!([]));
        });
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn a_body_of_the_wrong_kind_is_named() {
        let body = |status: &str, schema: &str| {
            let schema = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
            let pointer = format!("/paths/~1secrets/get/responses/{status}/content");
            after(&pointer, |content| {
                content.insert("application/json".into(), schema);
            })
        };
        assert_eq!(
            body("200", "SecretListError"),
            ["GET /secrets 200: a success whose body requires `error`"]
        );
        assert_eq!(
            body("500", "SecretList"),
            ["GET /secrets 500: a failure whose body does not require `error`"]
        );
    }
}
