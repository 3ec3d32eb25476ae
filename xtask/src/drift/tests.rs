//! What `drift` promises, against the published documents and against contracts with one thing changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::accepted::{self, Accepted};
use super::{Report, parse, version};
use crate::contract;
use crate::glob::fits;

const PUBLISHED: [(&str, &str); 4] = [
    ("swagger-0.4.0.json", include_str!("../../swagger/swagger-0.4.0.json")),
    ("swagger-0.4.3.json", include_str!("../../swagger/swagger-0.4.3.json")),
    ("swagger-0.5.2.json", include_str!("../../swagger/swagger-0.5.2.json")),
    ("swagger-0.5.7.json", include_str!("../../swagger/swagger-0.5.7.json")),
];

struct Fixture {
    contract: Value,
    accepted: Accepted,
    newest: Value,
}

impl Fixture {
    fn load() -> Self {
        let root = crate::root();
        Self {
            contract: contract::load(&root).unwrap(),
            accepted: Accepted::parse(&crate::read(&root.join(accepted::FILE)).unwrap()).unwrap(),
            newest: parse(PUBLISHED[3].1).unwrap(),
        }
    }

    /// The contract as it is, compared with the newest published document.
    fn report(&self) -> Report {
        Report::new(&self.contract, &self.accepted, &self.newest, None)
    }

    /// What is new when the object at `pointer` of the contract is changed.
    fn after(mut self, pointer: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Vec<String> {
        change(self.contract.pointer_mut(pointer).unwrap().as_object_mut().unwrap());
        self.report().new
    }
}

#[test]
fn the_contract_differs_from_the_published_documents_only_where_it_is_meant_to() {
    let fixture = Fixture::load();
    let mut lines = BTreeSet::new();
    for (name, text) in PUBLISHED {
        let version = version::of_argument(name).1;
        assert!(version.is_some(), "{name}");
        let report = Report::new(&fixture.contract, &fixture.accepted, &parse(text).unwrap(), version);
        assert_eq!(report.new, [""; 0], "{name}");
        lines.extend(report.accepted);
    }
    for key in &fixture.accepted.0 {
        assert!(
            lines.iter().any(|line| fits(key, line)),
            "remove this from {}, it fits nothing: {key}",
            accepted::FILE
        );
    }
}

#[test]
fn every_property_that_goes_missing_is_named() {
    let mut fixture = Fixture::load();
    // Only in descriptions of event streams, of which the published documents know nothing (WIRE §13.3).
    let unpublished = ["AgentEvent", "RunStreamEnd"];
    let baseline: BTreeSet<String> = fixture.report().accepted.into_iter().collect();
    let mut named = 0;
    for schema in contract::reachable(&fixture.contract, &fixture.contract["paths"]) {
        let pointer = format!("/components/schemas/{schema}/properties");
        let Some(Value::Object(properties)) = fixture.contract.pointer(&pointer).cloned() else {
            continue;
        };
        for name in properties.keys().filter(|_| !unpublished.contains(&schema.as_str())) {
            let mut without = properties.clone();
            without.remove(name);
            *fixture.contract.pointer_mut(&pointer).unwrap() = Value::Object(without);
            let report = fixture.report();
            let missing = format!(".{name}: missing from openapi.yaml");
            let excess = format!(".{name}: only in openapi.yaml");
            if report.new.iter().any(|line| line.ends_with(&missing)) {
                named += 1;
            } else {
                // Then the published document does not have it, which is one of the accepted lines.
                let now: BTreeSet<String> = report.accepted.into_iter().collect();
                assert!(
                    baseline.difference(&now).any(|line| line.ends_with(&excess)),
                    "{schema}.{name}"
                );
            }
        }
        *fixture.contract.pointer_mut(&pointer).unwrap() = Value::Object(properties);
    }
    assert!(named > 150, "only {named} properties were named");
}

#[test]
fn a_missing_operation_is_named() {
    let new = Fixture::load().after("/paths/~1secrets~1{name}", |path| drop(path.remove("get")));
    assert_eq!(new, ["GET /secrets/{name}: missing from openapi.yaml"]);
}

#[test]
fn a_missing_parameter_is_named() {
    let new = Fixture::load().after("/paths/~1run~1stream/get", |operation| {
        operation["parameters"]
            .as_array_mut()
            .unwrap()
            .retain(|parameter| parameter["name"] != "workdir");
    });
    assert_eq!(new, ["GET /run/stream query workdir: missing from openapi.yaml"]);
}

#[test]
fn a_missing_value_is_named() {
    let new = Fixture::load().after("/components/schemas/AgentStatus", |schema| {
        schema["enum"]
            .as_array_mut()
            .unwrap()
            .retain(|value| value != "generating");
    });
    assert_eq!(
        new,
        ["GET /agents 200[].status: value `generating` missing from openapi.yaml"]
    );
}

#[test]
fn a_changed_type_is_named() {
    let new = Fixture::load().after("/components/schemas/ClaudeOptions/properties/max_turns", |schema| {
        schema.insert("type".into(), json!("string"));
    });
    assert_eq!(
        new,
        ["POST /run request.claude.max_turns: type: published integer, ours string"]
    );
}

#[test]
fn an_extra_property_is_named() {
    let new = Fixture::load().after("/components/schemas/PodmanOptions/properties", |properties| {
        properties.insert("gpus".into(), json!({"type": "string"}));
    });
    assert_eq!(new, ["POST /run request.podman.gpus: only in openapi.yaml"]);
}

#[test]
fn an_extra_operation_is_named_unless_it_came_later() {
    let operation = json!({"responses": {}});
    let new = Fixture::load().after("/paths/~1jobs", |path| drop(path.insert("delete".into(), operation)));
    assert_eq!(new, ["DELETE /jobs: only in openapi.yaml"]);

    let mut fixture = Fixture::load();
    fixture.contract["paths"]["/jobs"]["delete"] = json!({"x-since": "0.6.0", "responses": {}});
    let report = |version| Report::new(&fixture.contract, &fixture.accepted, &fixture.newest, version);
    assert_eq!(report(Some([0, 5, 7])).new, [""; 0]);
    assert_eq!(report(Some([0, 6, 0])).new, ["DELETE /jobs: only in openapi.yaml"]);
    assert_eq!(report(None).new, ["DELETE /jobs: only in openapi.yaml"]);
}

#[test]
fn yaml_is_read_like_json() {
    let yaml = serde_norway::to_string(&parse(PUBLISHED[3].1).unwrap()).unwrap();
    assert!(yaml.contains("\nswagger: '2.0'"), "this is YAML");
    let fixture = Fixture {
        newest: parse(&yaml).unwrap(),
        ..Fixture::load()
    };
    assert_eq!(fixture.report().summary(), Fixture::load().report().summary());
    assert_eq!(fixture.report().new, [""; 0]);
}

#[test]
fn another_kind_of_document_is_refused() {
    for text in [
        "{}",
        "[]",
        "openapi: 3.0.3",
        "swagger: '1.2'",
        "swagger: yes",
        "just text",
    ] {
        assert!(
            parse(text).unwrap_err().contains("not a Swagger 2.0 document"),
            "{text}"
        );
    }
    assert!(parse("{").is_err());
    assert!(parse("swagger: 2.0").is_ok());
}

#[test]
fn the_command_fails_on_a_difference_and_says_what_to_do() {
    let folder = std::env::temp_dir().join(format!("stromboli-drift-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("xtask")).unwrap();
    let root = crate::root();
    let copy = |file: &str| std::fs::copy(root.join(file), folder.join(file)).unwrap();
    copy("openapi.yaml");
    copy(accepted::FILE);
    let swagger = root.join("xtask/swagger/swagger-0.5.7.json");
    let files = [swagger.to_str().unwrap()];
    let before = super::run(&folder, &files);
    let contract = crate::read(&root.join("openapi.yaml")).unwrap();
    std::fs::write(
        folder.join("openapi.yaml"),
        contract.replace("        mcp_configs:\n", "        mcp_config:\n"),
    )
    .unwrap();
    let after = super::run(&folder, &files);
    let absent = super::run(&folder, &["no-such-file.json"]);
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!(before, Ok(()));
    let message = after.unwrap_err();
    assert!(
        message.contains("swagger-0.5.7.json: POST /run request.claude.mcp_configs: missing"),
        "{message}"
    );
    assert!(
        message.contains("swagger-0.5.7.json: POST /run request.claude.mcp_config: only"),
        "{message}"
    );
    assert!(message.contains("xtask/accepted-drift.yaml"), "{message}");
    assert!(absent.unwrap_err().contains("no-such-file.json"));
}
