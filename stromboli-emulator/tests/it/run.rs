//! `POST /run`.

use serde_json::{Value, json};
use stromboli_emulator::{Emulator, Usage};

use crate::client::{SESSION, is_hex16, is_uuid4, post, request};

async fn run(emulator: &Emulator, body: Value) -> Value {
    let response = post(emulator, "/run", body.to_string()).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

#[tokio::test]
async fn a_run_answers_with_its_output() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("pong");
    let response = post(&emulator, "/run", r#"{"prompt":"ping"}"#).await;
    assert_eq!(response.status, 200);
    let json = response.json();
    assert!(is_hex16(json["id"].as_str().unwrap().strip_prefix("run-").unwrap()));
    assert!(is_uuid4(json["session_id"].as_str().unwrap()));
    let (id, session) = (&json["id"], &json["session_id"]);
    let expected = format!(r#"{{"id":{id},"status":"completed","output":"pong","session_id":{session}}}"#);
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn the_callers_session_is_kept() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"prompt": "hi", "claude": {"session_id": SESSION}});
    assert_eq!(run(&emulator, body).await["session_id"], SESSION);
    let body = json!({"prompt": "hi", "claude": {"session_id": ""}});
    assert!(is_uuid4(run(&emulator, body).await["session_id"].as_str().unwrap()));
}

#[tokio::test]
async fn output_is_trimmed_and_left_out_when_empty() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("padded")
        .lines(["", "  one", "two\r", "", "three  ", ""]);
    emulator.on_prompt("blank").lines(["", " "]);
    let padded = run(&emulator, json!({"prompt": "padded"})).await;
    assert_eq!(padded["output"], "one\ntwo\r\n\nthree");
    let blank = run(&emulator, json!({"prompt": "blank"})).await;
    let fields: Vec<_> = blank.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["id", "session_id", "status"]);
}

#[tokio::test]
async fn a_crash_is_a_200_with_crash_info() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("boom")
        .lines(["half a", "thought"])
        .crash(137, "SIGKILL");
    let response = post(&emulator, "/run", r#"{"prompt":"boom"}"#).await;
    assert_eq!(response.status, 200);
    let json = response.json();
    let expected = format!(
        r#"{{"id":{},"status":"crashed","output":"half a\nthought","session_id":{},"crash_info":{{"exit_code":137,"signal":"SIGKILL","reason":"Process killed by SIGKILL","partial_output":"half a\nthought"}}}}"#,
        json["id"], json["session_id"]
    );
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn what_is_unknown_of_a_crash_is_left_out() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("boom").crash(0, "");
    let crashed = run(&emulator, json!({"prompt": "boom"})).await;
    assert_eq!(crashed["crash_info"], json!({}));
    assert_eq!(crashed.get("output"), None);
}

#[tokio::test]
async fn a_crash_quotes_the_last_2000_characters() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("exact").lines(["é".repeat(2000)]).crash(1, "");
    emulator
        .on_prompt("longer")
        .lines([format!("x{}", "é".repeat(2000))])
        .crash(1, "");
    let exact = run(&emulator, json!({"prompt": "exact"})).await;
    assert_eq!(exact["crash_info"]["partial_output"], "é".repeat(2000));
    let longer = run(&emulator, json!({"prompt": "longer"})).await;
    assert_eq!(
        longer["crash_info"]["partial_output"],
        format!("...{}", "é".repeat(2000))
    );
}

#[tokio::test]
async fn a_timeout_is_a_crash_by_kill() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("slow").hold();
    let body = json!({"prompt": "slow", "podman": {"timeout": "1ms"}});
    let crashed = run(&emulator, body).await;
    assert_eq!(crashed["status"], "crashed");
    let info = json!({"exit_code": 137, "signal": "killed", "reason": "Process killed by killed"});
    assert_eq!(crashed["crash_info"], info);
}

#[tokio::test]
async fn a_timeout_of_nothing_is_over_before_the_answer() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ready").lines(["a line"]);
    for timeout in ["0", "0s", "-1h"] {
        let body = json!({"prompt": "ready", "podman": {"timeout": timeout}});
        let json = post(&emulator, "/run", body.to_string()).await.json();
        assert_eq!((&json["status"], json.get("output")), (&json!("crashed"), None));
        let killed = json!({"exit_code": 137, "signal": "killed", "reason": "Process killed by killed"});
        assert_eq!(json["crash_info"], killed, "{timeout}");
    }
}

#[tokio::test]
async fn a_run_without_a_timeout_has_the_servers() {
    let builder = Emulator::builder().run_timeout(std::time::Duration::ZERO);
    let emulator = builder.start().await.unwrap();
    let _hold = emulator.on_prompt("slow").hold();
    let crashed = run(&emulator, json!({"prompt": "slow"})).await;
    assert_eq!(crashed["status"], "crashed");
}

#[tokio::test]
async fn an_exit_status_is_a_500_with_the_output_in_its_text() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("bad").fail(2, "error: unknown option\nsee --help\n");
    let response = post(&emulator, "/run", r#"{"prompt":"bad"}"#).await;
    assert_eq!(response.status, 500);
    let expected = r#"{"id":"","status":"error","error":"execution failed: exit status 2, output: error: unknown option\nsee --help"}"#;
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_400() {
    let emulator = Emulator::start().await.unwrap();
    let required = "Key: 'RunRequest.Prompt' Error:Field validation for 'Prompt' failed on the 'required' tag";
    let cases = [
        ("", "EOF"),
        ("{\"prompt\":\"h", "unexpected EOF"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("{}", required),
        ("null", required),
        ("{\"prompt\":\"\"}", required),
        ("{\"prompt\":null,\"claude\":null}", required),
        (
            "[]",
            "json: cannot unmarshal array into Go value of type api.RunRequest",
        ),
        (
            "{\"prompt\":1}",
            "json: cannot unmarshal number into Go struct field RunRequest.prompt of type string",
        ),
        (
            "{\"prompt\":\"p\",\"claude\":{\"resume\":\"yes\"}}",
            "json: cannot unmarshal string into Go struct field ClaudeOptions.claude.resume of type bool",
        ),
        (
            "{\"prompt\":\"p\",\"podman\":[]}",
            "json: cannot unmarshal array into Go struct field RunRequest.podman of type types.PodmanOptions",
        ),
    ];
    for target in ["/run", "/run/async"] {
        for (body, text) in cases {
            let response = post(&emulator, target, body).await;
            assert_eq!(response.status, 400, "{body}");
            let expected = format!(r#"{{"id":"","status":"error","error":"Invalid request: {text}"}}"#);
            assert_eq!(response.body, expected, "{body}");
        }
    }
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_body_is_read_as_leniently_as_go_reads_it() {
    let emulator = Emulator::start().await.unwrap();
    let bodies: [&[u8]; 5] = [
        b" {\"prompt\":\"hi\"}",
        b"{\"prompt\":\"hi\"} }{ rest",
        b"{\"prompt\":\"hi\",\"unknown\":{\"deep\":[1]},\"claude\":{\"unknown\":1},\"webhook_url\":\"not a url\"}",
        b"{\"PROMPT\":\"\xff\"}",
        b"{\"prompt\":\" \",\"claude\":{\"max_turns\":null,\"max_budget_usd\":0,\"tools\":[]}}",
    ];
    for body in bodies {
        for content_type in ["", "Content-Type: text/csv\r\n"] {
            let response = request(&emulator, "POST", "/run", content_type, body).await;
            assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn a_chunked_body_is_a_body() {
    use tokio::io::AsyncWriteExt;

    let emulator = Emulator::start().await.unwrap();
    let mut connection = crate::client::Connection::open(&emulator).await;
    let request = "POST /run HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\
                   9\r\n{\"prompt\"\r\n6\r\n:\"hi\"}\r\n0\r\n\r\n";
    connection.socket.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(connection.response("POST").await.status, 200);
    assert_eq!(emulator.requests()[0].body, "{\"prompt\":\"hi\"}");
}

#[tokio::test]
async fn without_credentials_a_readable_request_is_a_503() {
    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    for target in ["/run", "/run/async"] {
        assert_eq!(post(&emulator, target, "").await.status, 400);
        let response = post(&emulator, target, r#"{"prompt":"hi"}"#).await;
        assert_eq!(response.status, 503);
        let expected = r#"{"id":"","status":"error","error":"Claude not configured. Run 'make claude-setup' first"}"#;
        assert_eq!(response.body, expected);
    }
}

#[tokio::test]
async fn structured_output_is_taken_from_output_that_is_one_json_object() {
    let emulator = Emulator::start().await.unwrap();
    let cases = [
        (
            vec![r#"{"structured_output":{"a":[1]},"x":1}"#],
            Some(json!({"a": [1]})),
        ),
        (vec!["", r#"  {"structured_output":"text"}"#], Some(json!("text"))),
        (vec!["{", r#""structured_output":false}"#], Some(json!(false))),
        (vec![r#"{"structured_output":null}"#], None),
        (vec![r#"{"other":1}"#], None),
        (vec![r#"[{"structured_output":1}]"#], None),
        (vec!["warning", r#"{"structured_output":1}"#], None),
    ];
    for (lines, expected) in cases {
        emulator.on_prompt("json").lines(lines.clone());
        let response = run(&emulator, json!({"prompt": "json"})).await;
        assert_eq!(response.get("structured_output"), expected.as_ref(), "{lines:?}");
        assert_eq!(response["output"], lines.join("\n").trim());
    }
}

#[tokio::test]
async fn usage_is_flat_with_totals_and_a_cost() {
    let emulator = Emulator::start().await.unwrap();
    let usage = Usage {
        model: Some("claude-sonnet-5".to_owned()),
        input_tokens: 120,
        output_tokens: 42,
        cache_creation_input_tokens: 300,
        cache_read_input_tokens: 1800,
    };
    emulator.on_prompt("sonnet").reply("ok").usage(usage.clone());
    emulator.on_prompt("unknown").reply("ok").usage(Usage {
        model: Some("gpt".to_owned()),
        ..usage.clone()
    });
    emulator
        .on_prompt("none")
        .reply("ok")
        .usage(Usage { model: None, ..usage });
    let counts = r#""input_tokens":120,"output_tokens":42,"cache_creation_input_tokens":300,"cache_read_input_tokens":1800,"total_tokens":2262"#;
    let cases = [
        (
            "sonnet",
            format!(r#"{{"model":"claude-sonnet-5",{counts},"estimated_cost_usd":0.002655}}"#),
        ),
        (
            "unknown",
            format!(r#"{{"model":"gpt",{counts},"estimated_cost_usd":0}}"#),
        ),
        ("none", format!(r#"{{{counts},"estimated_cost_usd":0}}"#)),
    ];
    for (prompt, usage) in cases {
        let response = post(&emulator, "/run", json!({"prompt": prompt}).to_string()).await;
        assert!(
            response.body.contains(&format!(r#""usage":{usage}"#)),
            "{}",
            response.body
        );
    }
}
