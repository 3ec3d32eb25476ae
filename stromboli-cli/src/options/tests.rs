use serde_json::json;
use stromboli::{ClaudeOptions, PodmanOptions, RunRequest};

use super::*;

fn claude(assignments: &[&str]) -> Result<Value, Failure> {
    let mut draft = Draft::<ClaudeOptions>::new("--claude", None);
    assignments.iter().try_for_each(|assignment| draft.assign(assignment))?;
    Ok(serde_json::to_value(draft.build()?).unwrap())
}

fn podman(assignments: &[&str]) -> Value {
    let mut draft = Draft::<PodmanOptions>::new("--podman", None);
    assignments
        .iter()
        .for_each(|assignment| draft.assign(assignment).unwrap());
    serde_json::to_value(draft.build().unwrap()).unwrap()
}

#[test]
fn a_value_is_json_if_that_fits_and_else_text() {
    for (assignments, value) in [
        (&["model=sonnet"][..], json!({"model": "sonnet"})),
        (&["max_turns=3"], json!({"max_turns": 3})),
        (&["verbose=true"], json!({"verbose": true})),
        (&["system_prompt=3"], json!({"system_prompt": "3"})),
        (
            &["json_schema={\"type\":\"object\"}"],
            json!({"json_schema": "{\"type\":\"object\"}"}),
        ),
        (&["tools=[\"Read\"]"], json!({"tools": ["Read"]})),
        (
            &["tools=Read", "tools=Bash(a,b)"],
            json!({"tools": ["Read", "Bash(a,b)"]}),
        ),
        (&[], json!(null)),
    ] {
        assert_eq!(claude(assignments).unwrap(), value);
    }
    assert_eq!(podman(&["cpus=2"]), json!({"cpus": "2"}));
    assert_eq!(podman(&["secrets_env.TOKEN=t"]), json!({"secrets_env": {"TOKEN": "t"}}));
    assert_eq!(
        podman(&[
            "lifecycle.post_start=a",
            "lifecycle.post_start=b",
            "lifecycle.hooks_timeout=5m"
        ]),
        json!({"lifecycle": {"post_start": ["a", "b"], "hooks_timeout": "5m"}})
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    for (assignment, clause) in [
        (
            "max_turns=many",
            "--claude max_turns cannot be many: invalid type: string \"many\", expected i32",
        ),
        ("verbose", "--claude verbose has no value"),
        ("modle=opus", "--claude has no key `modle`"),
    ] {
        match claude(&[assignment]).unwrap_err() {
            Failure::Usage(complaint) => assert_eq!(complaint.clause, clause),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_list_on_the_command_line_replaces_that_of_the_file() {
    let file = json!({"tools": ["Read"], "model": "opus"});
    let mut draft = Draft::<ClaudeOptions>::new("--claude", file.as_object().cloned());
    draft.assign("tools=Bash").unwrap();
    draft.set("model", Some("haiku")).unwrap();
    let options = serde_json::to_value(draft.build().unwrap()).unwrap();
    assert_eq!(options, json!({"tools": ["Bash"], "model": "haiku"}));
}

/// The keys below a schema of the contract, nested objects with dots.
fn contract(schema: &str) -> Vec<String> {
    let text = include_str!("../../../openapi.yaml");
    let (_, schema) = text.split_once(&format!("\n    {schema}:\n")).unwrap();
    let (_, properties) = schema.split_once("\n      properties:\n").unwrap();
    let lines = properties
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("        "));
    let names = lines.filter(|line| !line.starts_with("         ") && line.ends_with(':'));
    names.map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
}

#[test]
fn every_field_of_the_contract_is_reachable() {
    for (shape, schema, prefix, least) in [
        (Shape::of::<ClaudeOptions>(), "ClaudeOptions", "", 30),
        (Shape::of::<PodmanOptions>(), "PodmanOptions", "", 9),
        (Shape::of::<PodmanOptions>(), "LifecycleHooks", "lifecycle.", 4),
        (Shape::of::<PodmanOptions>(), "ComposeEnvironment", "environment.", 4),
        (Shape::of::<RunRequest>(), "RunRequest", "", 5),
    ] {
        let (keys, contract) = (shape.keys(), contract(schema));
        assert!(contract.len() >= least, "{schema}: {contract:?}");
        for name in contract {
            assert!(
                keys.contains(&format!("{prefix}{name}")),
                "{schema} has {name}, which nothing sets"
            );
        }
    }
}
