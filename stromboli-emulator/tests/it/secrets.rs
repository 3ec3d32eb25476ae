//! `/secrets`, and the runs that ask for them.

use std::time::Duration;

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{Response, delete, get, post, within};

async fn create(emulator: &Emulator, name: &str, value: &str) -> Response {
    post(emulator, "/secrets", json!({"name": name, "value": value}).to_string()).await
}

async fn run_with(emulator: &Emulator, secrets: Value) -> Response {
    let body = json!({"prompt": "hi", "podman": {"secrets_env": secrets}});
    post(emulator, "/run", body.to_string()).await
}

#[tokio::test]
async fn a_secret_is_made_listed_looked_up_and_deleted() {
    let emulator = Emulator::start().await.unwrap();
    let created = create(&emulator, "deploy-key", "hush").await;
    assert_eq!(
        (created.status, created.body.as_str()),
        (201, r#"{"success":true,"name":"deploy-key"}"#)
    );
    let list = get(&emulator, "/secrets").await;
    assert_eq!(list.status, 200);
    let secrets = list.json()["secrets"].as_array().unwrap().clone();
    let names: Vec<_> = secrets.iter().map(|secret| &secret["name"]).collect();
    assert_eq!(names, ["claude-credentials", "deploy-key"]);
    let id = secrets[1]["id"].as_str().unwrap();
    assert!(id.len() == 25 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    let found = get(&emulator, "/secrets/deploy-key").await;
    assert_eq!(found.status, 200);
    let info = found.json();
    let expected = format!(
        r#"{{"id":"{id}","name":"deploy-key","created_at":{}}}"#,
        info["created_at"]
    );
    assert_eq!(found.body, expected);
    let deleted = delete(&emulator, "/secrets/deploy-key").await;
    assert_eq!(
        (deleted.status, deleted.body.as_str()),
        (200, r#"{"success":true,"name":"deploy-key"}"#)
    );
    assert_eq!(get(&emulator, "/secrets/deploy-key").await.status, 404);
    assert_eq!(create(&emulator, "deploy-key", "again").await.status, 201);
}

#[tokio::test]
async fn the_list_says_how_long_ago_and_a_look_says_when() {
    let emulator = Emulator::builder().utc_offset_minutes(-90).start().await.unwrap();
    let before = jiff::Timestamp::now();
    create(&emulator, "s", "v").await;
    let created = async || get(&emulator, "/secrets").await.json()["secrets"][1]["created_at"].clone();
    assert_eq!(created().await, "Less than a second ago");
    let when = get(&emulator, "/secrets/s").await.json()["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(when.ends_with("-01:30") && when.contains('.'), "{when}");
    let when: jiff::Timestamp = when.parse().unwrap();
    assert!(before <= when && when <= jiff::Timestamp::now());
    emulator.advance_clock(Duration::from_secs(10 * 24 * 3600));
    assert_eq!(created().await, "10 days ago");
}

#[tokio::test]
async fn a_name_is_given_once() {
    let emulator = Emulator::start().await.unwrap();
    create(&emulator, "s", "first").await;
    for name in ["s", "claude-credentials"] {
        let taken = create(&emulator, name, "second").await;
        let text = format!(r#"{{"success":false,"name":"{name}","error":"secret already exists"}}"#);
        assert_eq!((taken.status, taken.body), (409, text));
    }
    assert_eq!(emulator.secret("s").as_deref(), Some("first"));
}

#[tokio::test]
async fn values_do_not_come_back() {
    let emulator = Emulator::start().await.unwrap();
    create(&emulator, "s", "hush-hush").await;
    for target in ["/secrets", "/secrets/s"] {
        assert!(!get(&emulator, target).await.body.contains("hush"), "{target}");
    }
    assert!(!create(&emulator, "s", "hush").await.body.contains("hush"));
    assert!(!delete(&emulator, "/secrets/s").await.body.contains("hush"));
    get(&emulator, "/run/stream?prompt=hush").await;
    let requests = format!("{:?}", emulator.requests());
    assert!(
        requests.contains("/run/stream") && !requests.contains("hush"),
        "{requests}"
    );
    assert_eq!(emulator.secret("s"), None);
}

#[tokio::test]
async fn a_secret_needs_a_name_and_a_value() {
    let emulator = Emulator::start().await.unwrap();
    let required = |field: &str| {
        let key = format!("Key: 'CreateSecretRequest.{field}'");
        format!("{key} Error:Field validation for '{field}' failed on the 'required' tag")
    };
    let both = format!("{}\n{}", required("Name"), required("Value"));
    let string = "json: cannot unmarshal number into Go struct field CreateSecretRequest.name of type string";
    let whole = "json: cannot unmarshal array into Go value of type api.CreateSecretRequest";
    let cases = [
        ("", "EOF"),
        ("{}", &both),
        ("null", &both),
        (r#"{"name":"","value":""}"#, &both),
        (r#"{"name":"s"}"#, &required("Value")),
        (r#"{"value":"v"}"#, &required("Name")),
        (r#"{"name":1}"#, string),
        ("[]", whole),
        ("{", "unexpected EOF"),
    ];
    for (body, error) in cases {
        let refused = post(&emulator, "/secrets", body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(refused.json(), json!({"success": false, "error": error}), "{body}");
    }
}

#[tokio::test]
async fn names_and_values_have_limits() {
    let emulator = Emulator::start().await.unwrap();
    let longest = "n".repeat(253);
    for name in [&longest, "a-B_9", "-"] {
        assert_eq!(create(&emulator, name, "v").await.status, 201, "{name}");
    }
    for name in [&*"n".repeat(254), "a b", "a.b", "é", "a/b", "a\"b"] {
        let refused = create(&emulator, name, "v").await;
        let prefix = format!("secrets: create {name:?}: validation error: ");
        assert_eq!(refused.status, 400, "{name}");
        let json = refused.json();
        assert!(json["error"].as_str().unwrap().starts_with(&prefix), "{json}");
        assert_eq!((&json["success"], json.get("name")), (&json!(false), None));
    }
    assert_eq!(create(&emulator, "largest", &"v".repeat(1 << 20)).await.status, 201);
    let larger = create(&emulator, "larger", &"v".repeat((1 << 20) + 1)).await;
    assert_eq!(larger.status, 400);
    assert!(
        larger
            .body
            .contains("secrets: create \\\"larger\\\": validation error: "),
        "{}",
        larger.body
    );
}

#[tokio::test]
async fn what_is_not_there_or_has_no_name_is_refused_in_two_shapes() {
    let emulator = Emulator::start().await.unwrap();
    let missing = get(&emulator, "/secrets/none").await;
    assert_eq!(
        (missing.status, missing.body.as_str()),
        (404, r#"{"error":"secret not found"}"#)
    );
    let missing = delete(&emulator, "/secrets/none").await;
    let text = r#"{"success":false,"name":"none","error":"secret not found"}"#;
    assert_eq!((missing.status, missing.body.as_str()), (404, text));
    let bad = get(&emulator, "/secrets/a.b").await;
    let text = r#"{"error":"validation error: invalid secret name"}"#;
    assert_eq!((bad.status, bad.body.as_str()), (400, text));
    let bad = delete(&emulator, "/secrets/a.b").await;
    let text = r#"{"success":false,"name":"a.b","error":"validation error: invalid secret name"}"#;
    assert_eq!((bad.status, bad.body.as_str()), (400, text));
    assert_eq!(get(&emulator, "/secrets/a%2Fb").await.body, "404 page not found");
}

#[tokio::test]
async fn without_podman_each_call_fails_in_its_own_shape() {
    let builder = Emulator::builder().degraded("podman", "cannot connect to Podman");
    let emulator = builder.start().await.unwrap();
    let answers = [
        (
            get(&emulator, "/secrets").await,
            r#"{"secrets":null,"error":"failed to list secrets"}"#,
        ),
        (
            create(&emulator, "s", "v").await,
            r#"{"success":false,"error":"failed to create secret"}"#,
        ),
        (
            get(&emulator, "/secrets/s").await,
            r#"{"error":"internal server error"}"#,
        ),
        (
            delete(&emulator, "/secrets/s").await,
            r#"{"success":false,"name":"s","error":"failed to delete secret"}"#,
        ),
    ];
    for (response, body) in answers {
        assert_eq!((response.status, response.body.as_str()), (500, body));
    }
    let run = run_with(&emulator, json!({})).await;
    let text = "execution failed: exit status 125, output: cannot connect to Podman";
    assert_eq!((run.status, &run.json()["error"]), (500, &json!(text)));
}

#[tokio::test]
async fn a_run_gets_only_secrets_that_are_there() {
    let emulator = Emulator::start().await.unwrap();
    create(&emulator, "s", "v").await;
    assert_eq!(run_with(&emulator, json!({"A": "s", "B": "s"})).await.status, 200);
    let refused = run_with(&emulator, json!({"A": "s", "B": "none"})).await;
    let text = "execution failed: exit status 125, output: Error: no secret with name or id \"none\": no such secret";
    assert_eq!((refused.status, &refused.json()["error"]), (500, &json!(text)));
    // Podman fails before Claude Code could begin a conversation.
    let stats = within(emulator.wait_for(|stats| stats.finished == 2)).await;
    assert_eq!(stats.executions, 2);
    let sessions = get(&emulator, "/sessions").await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
    delete(&emulator, "/secrets/claude-credentials").await;
    let refused = run_with(&emulator, json!({})).await;
    assert!(refused.body.contains("no such secret"), "{}", refused.body);
}
