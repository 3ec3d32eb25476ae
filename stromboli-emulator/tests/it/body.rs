//! How the JSON of `POST /run` is read, and the texts of what cannot be.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use stromboli_emulator::{Answer, Emulator, Run};

use crate::client::{SESSION, post};

/// The text behind `Invalid request: `.
async fn refusal(emulator: &Emulator, body: impl AsRef<[u8]>) -> String {
    let response = post(emulator, "/run", body).await;
    assert_eq!(response.status, 400, "{}", response.body);
    let json = response.json();
    let error = json["error"].as_str().unwrap();
    error.strip_prefix("Invalid request: ").unwrap().to_owned()
}

#[tokio::test]
async fn an_unknown_field_is_ignored_whatever_it_holds() {
    let emulator = Emulator::start().await.unwrap();
    let deep = "[".repeat(200) + &"]".repeat(200);
    for stranger in [
        deep.as_str(),
        "1e999",
        "-1e-999",
        r#""\ud800""#,
        "123456789012345678901234567890",
    ] {
        let body = format!(r#"{{"new":{stranger},"prompt":"hi","claude":{{"new":{stranger}}}}}"#);
        assert_eq!(post(&emulator, "/run", body).await.status, 200, "{stranger}");
    }
}

#[tokio::test]
async fn of_two_wrong_fields_the_first_in_the_body_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let unmarshal = "json: cannot unmarshal";
    let cases = [
        (
            r#"{"workdir":1,"prompt":2}"#,
            "number into Go struct field RunRequest.workdir of type string",
        ),
        (
            r#"{"prompt":2,"claude":[]}"#,
            "number into Go struct field RunRequest.prompt of type string",
        ),
        (
            r#"{"podman":{"memory":true,"cpus":1},"claude":1}"#,
            "bool into Go struct field PodmanOptions.podman.memory of type string",
        ),
    ];
    for (body, text) in cases {
        assert_eq!(refusal(&emulator, body).await, format!("{unmarshal} {text}"));
    }
}

#[tokio::test]
async fn a_number_that_does_not_fit_is_quoted_as_it_was_written() {
    let emulator = Emulator::start().await.unwrap();
    let field = "into Go struct field ClaudeOptions.claude.max_turns of type int";
    for number in ["123456789012345678901234567890", "1e3", "1.50", "-9223372036854775809"] {
        let body = format!(r#"{{"prompt":"hi","claude":{{"max_turns":{number}}}}}"#);
        let text = format!("json: cannot unmarshal number {number} {field}");
        assert_eq!(refusal(&emulator, body).await, text);
    }
    let text = refusal(&emulator, r#"{"prompt":"hi","claude":{"max_budget_usd":1e999}}"#).await;
    let field = "into Go struct field ClaudeOptions.claude.max_budget_usd of type float64";
    assert_eq!(text, format!("json: cannot unmarshal number 1e999 {field}"));
}

#[tokio::test]
async fn a_wrong_byte_is_named_as_go_names_it() {
    let emulator = Emulator::start().await.unwrap();
    let cases: [(&[u8], &str); 5] = [
        (b"\x01", r"'\x01' looking for beginning of value"),
        (b"\xff", "'ÿ' looking for beginning of value"),
        (b"{'prompt':1}", r"'\'' looking for beginning of object key string"),
        (b"{\"prompt\":\"a\nb\"}", r"'\n' in string literal"),
        (b"{\"prompt\":\"hi\" 1}", "'1' after object key:value pair"),
    ];
    for (body, text) in cases {
        assert_eq!(refusal(&emulator, body).await, format!("invalid character {text}"));
    }
}

#[tokio::test]
async fn control_characters_in_texts_are_escaped_as_go_escapes_them() {
    let emulator = Emulator::builder().allow_image("python").start().await.unwrap();
    let podman = [
        (
            json!({"image": "a\u{1}\u{7f}é"}),
            r#"image validation failed: image "a\x01\x7fé" not in allowed patterns"#,
        ),
        (
            json!({"timeout": "1é"}),
            r#"invalid timeout duration: time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#,
        ),
    ];
    for (podman, text) in podman {
        let body = json!({"prompt": "hi", "podman": podman}).to_string();
        let response = post(&emulator, "/run", body).await;
        assert_eq!((response.status, &response.json()["error"]), (500, &json!(text)));
    }
}

#[tokio::test]
async fn every_option_is_read_and_has_its_type() {
    let seen: Arc<Mutex<Option<Run>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let answerer = move |run: Run| {
        *keep.lock().unwrap() = Some(run);
        Answer::lines(["ok"])
    };
    let emulator = Emulator::builder()
        .answerer(answerer)
        .allow_volume("/")
        .start()
        .await
        .unwrap();
    let texts = "model fallback_model effort system_prompt append_system_prompt permission_mode input_format \
                 output_format json_schema agent settings prompt_caching_ttl bedrock_service_tier debug";
    let flags = "no_persistence dangerously_skip_permissions allow_dangerously_skip_permissions \
                 include_partial_messages replay_user_messages strict_mcp_config enable_powershell_tool verbose \
                 disable_slash_commands fork_session";
    let lists = "tools allowed_tools disallowed_tools mcp_configs add_dirs plugin_dirs files setting_sources betas";
    let all = |names: &'static str, value: Value| names.split_whitespace().map(move |name| (name, value.clone()));
    let claude: Map<String, Value> = all(texts, json!("any"))
        .chain(all(flags, json!(true)))
        .chain(all(lists, json!(["a", ""])))
        .chain([
            ("max_budget_usd", json!(0.001)),
            ("max_turns", json!(0)),
            ("agents", json!({"a": [1, {"b": null}]})),
            ("session_id", json!(SESSION)),
            ("resume", json!(false)),
            ("continue", json!(false)),
        ])
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let podman = json!({
        "image": "a", "volumes": ["/a:/b"], "secrets_env": {}, "timeout": "1h", "memory": "1g", "cpus": "2",
        "cpu_shares": 3, "lifecycle": {"on_create_command": ["a"], "post_create": ["b"], "post_start": ["c"],
        "hooks_timeout": "1m"}, "environment": {"type": "", "path": "p", "service": "s", "build_timeout": "1m"},
    });
    let body = json!({"prompt": "hi", "claude": claude, "podman": podman});
    let answer = post(&emulator, "/run", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let run = seen.lock().unwrap().take().unwrap();
    assert_eq!(
        (run.claude, run.podman),
        (Value::Object(claude.clone()), podman.clone())
    );
    let podman = podman.as_object().unwrap();
    for (group, name) in claude
        .keys()
        .map(|name| ("claude", name))
        .chain(podman.keys().map(|name| ("podman", name)))
    {
        // A list of a list is of no option's type.
        let body = json!({"prompt": "hi", group: {name: [[]]}});
        let refused = post(&emulator, "/run", body.to_string()).await;
        assert_eq!(refused.status, 400, "{name}");
        assert!(refused.body.contains(&format!("{group}.{name}")), "{}", refused.body);
    }
}
