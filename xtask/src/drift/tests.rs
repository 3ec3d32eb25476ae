//! What `drift` promises, against the published documents and against contracts with one thing changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::accepted::{self, Accepted};
use super::{Report, STREAMS, parse, version};
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
    streams: Value,
    newest: Value,
}

impl Fixture {
    fn load() -> Self {
        let root = crate::root();
        Self {
            contract: contract::load(&root).unwrap(),
            accepted: Accepted::parse(&crate::read(&root.join(accepted::FILE)).unwrap()).unwrap(),
            streams: contract::parse(&crate::read(&root.join(STREAMS)).unwrap()).unwrap(),
            newest: parse(PUBLISHED[3].1).unwrap(),
        }
    }

    /// The contract as it is, compared with the newest published document and with what that does not say.
    fn report(&self) -> Report {
        let mut report = Report::new(&self.contract, &self.accepted, &self.newest, None);
        let own = self.report_of_contract();
        report.new.extend(own.new);
        report.accepted.extend(own.accepted);
        report
    }

    fn report_of_contract(&self) -> Report {
        Report::of_contract(&self.contract, &self.accepted, &self.streams)
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
    let own = fixture.report_of_contract();
    assert_eq!(own.new, [""; 0]);
    let mut lines = BTreeSet::from_iter(own.accepted);
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
    let baseline: BTreeSet<String> = fixture.report().accepted.into_iter().collect();
    let mut named = 0;
    for schema in contract::reachable(&fixture.contract, &fixture.contract["paths"]) {
        let pointer = format!("/components/schemas/{schema}/properties");
        let Some(Value::Object(properties)) = fixture.contract.pointer(&pointer).cloned() else {
            continue;
        };
        for name in properties.keys() {
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
fn a_success_that_gets_the_body_of_a_failure_is_named() {
    for (path, method, status, schema) in [
        ("/run", "post", "200", "RunErrorBody"),
        ("/sessions", "get", "200", "SessionListError"),
        ("/secrets", "get", "200", "SecretListError"),
        ("/secrets", "post", "201", "FailureBody"),
        ("/secrets/{name}", "delete", "200", "FailureBody"),
    ] {
        let pointer = format!(
            "/paths/{}/{method}/responses/{status}/content/application~1json/schema",
            path.replace('/', "~1")
        );
        let new = Fixture::load().after(&pointer, |body| {
            body.insert("$ref".into(), json!(format!("#/components/schemas/{schema}")));
        });
        let line = format!(
            "{} {path} {status}: a success whose body requires `error`",
            method.to_uppercase()
        );
        assert!(new.contains(&line), "{new:?}");
    }
}

#[test]
fn a_loss_that_is_accepted_in_failures_is_named_in_successes() {
    let new = Fixture::load().after("/paths/~1run/post/responses/200/content/application~1json", |body| {
        body["schema"] = json!({"$ref": "#/components/schemas/RunErrorBody"});
    });
    let lost = ["output", "session_id", "structured_output", "usage", "crash_info"];
    for property in lost {
        let line = format!("POST /run 200.{property}: missing from openapi.yaml");
        assert!(new.contains(&line), "{new:?}");
    }
}

#[test]
fn what_a_stream_loses_is_named() {
    let events = "/paths/~1run~1stream/get/responses/200/content/text~1event-stream/x-sse-events";
    assert_eq!(
        Fixture::load().after(events, |events| drop(events.remove("error"))),
        ["GET /run/stream event error: missing from openapi.yaml"]
    );
    assert_eq!(
        Fixture::load().after("/components/schemas/RunStreamEnd/properties/status", |status| {
            *status = Map::from_iter([("type".into(), json!("integer"))]);
        }),
        [
            "GET /run/stream event done.status: type: published string, ours integer",
            "GET /run/stream event done.status: value `completed` missing from openapi.yaml",
            "GET /run/stream event done.status: value `crashed` missing from openapi.yaml",
        ]
    );
    assert_eq!(
        Fixture::load().after("/components/schemas/RunStreamEnd/properties/crash_info", |info| {
            info.remove("x-since");
        }),
        ["GET /run/stream event done.crash_info: x-since: published 0.4.3, ours none"]
    );
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
    let operation = json!({"security": [], "responses": {}});
    let new = Fixture::load().after("/paths/~1jobs", |path| drop(path.insert("delete".into(), operation)));
    assert_eq!(new, ["DELETE /jobs: only in openapi.yaml"]);

    let mut fixture = Fixture::load();
    fixture.contract["paths"]["/jobs"]["delete"] = json!({"x-since": "0.6.0", "security": [], "responses": {}});
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
    copy(STREAMS);
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
