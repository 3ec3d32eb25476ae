//! How the JSON of `POST /run` is read, and the texts of what cannot be.

use serde_json::json;
use stromboli_emulator::Emulator;

use crate::client::post;

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
