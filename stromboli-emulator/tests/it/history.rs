//! `GET /sessions/{id}/messages` and `GET /sessions/{id}/messages/{uuid}`: how the server reads a transcript.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{Response, get};

const RECORDED: &str = include_str!("recorded/structured-session.jsonl");
const ID: &str = "7fbebdaa-c4bf-4a4e-a827-a875a5fb4b84";

async fn with_session(lines: &[String]) -> Emulator {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_session("s", &lines.join("\n"));
    emulator
}

async fn messages(emulator: &Emulator, query: &str) -> Response {
    get(emulator, &format!("/sessions/s/messages{query}")).await
}

/// The one message that the server makes of this line.
async fn message(line: Value) -> Value {
    let emulator = with_session(&[line.to_string()]).await;
    let page = messages(&emulator, "").await.json();
    assert_eq!(page["total"], 1, "{line}");
    page["messages"][0].clone()
}

fn numbered(number: usize) -> String {
    json!({"type": "user", "uuid": format!("m-{number}")}).to_string()
}

#[tokio::test]
async fn a_recorded_transcript_reads_as_the_server_reads_it() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_session(ID, RECORDED);
    let page = get(&emulator, &format!("/sessions/{ID}/messages")).await.json();
    let types: Vec<_> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["type"])
        .collect();
    // Nine lines: the queue's two are filtered out, and the result of a tool that is a string cannot be read.
    assert_eq!(
        types,
        [
            "user",
            "attachment",
            "attachment",
            "assistant",
            "attachment",
            "last-prompt"
        ]
    );
    assert_eq!(page["total"], 6);
    let user = json!({
        "uuid": "3ae1d824-63e5-417b-bd79-c22d27fe018f",
        "type": "user",
        "session_id": ID,
        "timestamp": "2026-11-20T11:52:17.625Z",
        "cwd": "/workspace",
        "git_branch": "HEAD",
        "version": "2.1.197",
        "permission_mode": "default",
        "content": {"role": "user", "content": [{"type": "text", "text": "SCENARIO-STRUCT"}]},
    });
    assert_eq!(page["messages"][0], user);
    let input = json!({"summary": "ok", "score": 7});
    let assistant = json!({
        "uuid": "3efb73d6-9844-4440-a09b-43c54512a872",
        "parent_uuid": "b55accd5-c516-4cfe-9e0d-da5572e4b842",
        "type": "assistant",
        "session_id": ID,
        "timestamp": "2026-11-20T11:52:17.677Z",
        "cwd": "/workspace",
        "git_branch": "HEAD",
        "version": "2.1.197",
        "content": {
            "role": "assistant",
            "model": "claude-sonnet-5",
            "message_id": "msg_000000000000000000006893",
            "content": [{"type": "tool_use", "id": "toolu_00006893", "name": "StructuredOutput", "input": input}],
            "stop_reason": "tool_use",
            "usage": {
                "input_tokens": 120,
                "output_tokens": 42,
                "cache_creation_input_tokens": 300,
                "cache_read_input_tokens": 1800,
            },
        },
    });
    assert_eq!(page["messages"][3], assistant);
}

#[tokio::test]
async fn a_page_says_where_it_is() {
    let lines: Vec<_> = (0..250).map(numbered).collect();
    let emulator = with_session(&lines).await;
    let cases = [
        ("", 0_i64, 50, 50, true),
        ("?offset=10&limit=20", 10, 20, 20, true),
        ("?offset=230&limit=20", 230, 20, 20, false),
        ("?offset=240&limit=20", 240, 20, 10, false),
        ("?offset=250", 250, 50, 0, false),
        ("?offset=9223372036854775807", 9_223_372_036_854_775_807, 50, 0, false),
        ("?limit=200", 0, 200, 200, true),
        ("?limit=201", 0, 200, 200, true),
        ("?limit=9223372036854775807&offset=%2B1", 1, 200, 200, true),
        ("?offset=-1&limit=-1", 0, 50, 50, true),
        ("?offset=x&limit=0", 0, 50, 50, true),
        ("?offset=1.5&limit=1e2", 0, 50, 50, true),
        ("?offset=9223372036854775808&limit=+7", 0, 50, 50, true),
        ("?offset=&limit=", 0, 50, 50, true),
        ("?offset=3&offset=4", 3, 50, 50, true),
    ];
    for (query, offset, limit, count, has_more) in cases {
        let response = messages(&emulator, query).await;
        assert_eq!(response.status, 200, "{query}");
        let page = response.json();
        let items = page["messages"].as_array().unwrap();
        assert_eq!(items.len(), count, "{query}");
        if let Some(first) = items.first() {
            assert_eq!(first["uuid"], format!("m-{offset}"), "{query}");
        }
        let rest = [&page["total"], &page["offset"], &page["limit"], &page["has_more"]];
        let expected = [json!(250), json!(offset), json!(limit), json!(has_more)];
        assert_eq!(rest.map(Clone::clone), expected, "{query}");
    }
}

#[tokio::test]
async fn a_transcript_without_messages_has_null_for_them() {
    let queue = json!({"type": "queue-operation", "operation": "enqueue", "content": "hi"}).to_string();
    for lines in [vec![], vec![queue, "no json".to_owned(), String::new()]] {
        let emulator = with_session(&lines).await;
        let page = messages(&emulator, "").await;
        let empty = r#"{"messages":null,"total":0,"offset":0,"limit":50,"has_more":false}"#;
        assert_eq!((page.status, page.body.as_str()), (200, empty));
        let page = messages(&emulator, "?offset=5&limit=500").await;
        let empty = r#"{"messages":null,"total":0,"offset":5,"limit":200,"has_more":false}"#;
        assert_eq!(page.body, empty);
    }
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_skipped_and_not_counted() {
    let bad = [
        json!({"type": "user", "uuid": "x", "toolUseResult": "a string"}).to_string(),
        json!({"type": "user", "uuid": "x", "toolUseResult": ["a list"]}).to_string(),
        json!({"type": "user", "uuid": "x", "toolUseResult": {"stdout": 1}}).to_string(),
        json!({"type": "user", "uuid": 1}).to_string(),
        json!({"type": ["user"], "uuid": "x"}).to_string(),
        json!({"type": "user", "uuid": "x", "message": "a string"}).to_string(),
        json!({"type": "user", "uuid": "x", "message": {"usage": {"input_tokens": 1.5}}}).to_string(),
        json!({"type": "user", "uuid": "x", "message": []}).to_string(),
        r#"["x"]"#.to_owned(),
        "[]".to_owned(),
        r#"{"type":"user""#.to_owned(),
    ];
    let mut lines = vec![numbered(0)];
    lines.extend(bad);
    lines.push(numbered(1));
    let emulator = with_session(&lines).await;
    let page = messages(&emulator, "").await.json();
    let uuids: Vec<_> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["uuid"])
        .collect();
    assert_eq!(uuids, ["m-0", "m-1"]);
    assert_eq!(page["total"], 2);
    assert_eq!(get(&emulator, "/sessions/s/messages/x").await.status, 404);
}

#[tokio::test]
async fn what_a_line_does_not_say_is_left_out_or_empty() {
    let line = json!({"type": "summary", "summary": "short", "timestamp": "2026-11-20T11:52:17.620Z"});
    let emulator = with_session(&[line.to_string(), "{}".to_owned()]).await;
    let page = messages(&emulator, "").await;
    let expected = r#"{"messages":[{"uuid":"","type":"summary","session_id":"","timestamp":"2026-11-20T11:52:17.62Z","content":{"role":"","content":null}},"#;
    assert!(page.body.starts_with(expected), "{}", page.body);
    let nulls = json!({
        "type": "user", "uuid": null, "parentUuid": null, "sessionId": null, "cwd": null, "message": null,
        "toolUseResult": null, "timestamp": "2026-11-20T11:52:17Z",
    });
    let expected = json!({
        "uuid": "", "type": "user", "session_id": "", "timestamp": "2026-11-20T11:52:17Z",
        "content": {"role": "", "content": null},
    });
    assert_eq!(message(nulls).await, expected);
}

#[tokio::test]
async fn a_line_without_a_time_has_the_servers_with_its_offset() {
    let builder = Emulator::builder().utc_offset_minutes(120);
    let emulator = builder.start().await.unwrap();
    emulator.add_session("s", r#"{"type":"user"}"#);
    let before = jiff::Timestamp::now();
    let page = messages(&emulator, "").await.json();
    let time = page["messages"][0]["timestamp"].as_str().unwrap().to_owned();
    assert!(time.ends_with("+02:00") && time.contains('.'), "{time}");
    let time: jiff::Timestamp = time.parse().unwrap();
    assert!(before <= time && time <= jiff::Timestamp::now());
}

#[tokio::test]
async fn blocks_keep_what_the_server_knows_of_them() {
    let blocks = json!([
        {"type": "text", "text": "<b>", "citations": []},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls", "n": 1.0, "deep": {"a": [null]}}},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {}},
        {"type": "tool_result", "tool_use_id": "t", "content": "out", "is_error": false},
        {"type": "tool_result", "tool_use_id": "t", "is_error": true},
        {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
        {},
    ]);
    let emulator = with_session(&[json!({"type": "user", "message": {"content": blocks}}).to_string()]).await;
    let page = messages(&emulator, "").await;
    let expected = [
        r#"{"type":"text","text":"\u003cb\u003e"}"#,
        r#"{"type":"thinking"}"#,
        r#"{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls","deep":{"a":[null]},"n":1}}"#,
        r#"{"type":"tool_use","id":"t","name":"Bash"}"#,
        r#"{"type":"tool_result","tool_use_id":"t","content":"out"}"#,
        r#"{"type":"tool_result","tool_use_id":"t","is_error":true}"#,
        r#"{"type":"image"}"#,
        r#"{"type":""}"#,
    ];
    let expected = format!(r#""content":{{"role":"","content":[{}]}}"#, expected.join(","));
    assert!(page.body.contains(&expected), "{}", page.body);
}

#[tokio::test]
async fn all_blocks_are_lost_when_one_does_not_fit() {
    let text = json!({"type": "text", "text": "hi"});
    let misfits = [
        json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "out"}]}),
        json!({"type": "tool_use", "input": "text"}),
        json!({"type": "text", "text": 1}),
        json!("text"),
        json!(["text", "hi"]),
    ];
    for misfit in misfits {
        let line = json!({"type": "user", "message": {"role": "user", "content": [text, misfit]}});
        let content = json!({"role": "user", "content": null});
        assert_eq!(message(line).await["content"], content, "{misfit}");
    }
    for (content, expected) in [
        (json!("hi"), json!([text])),
        (json!([]), json!([])),
        (json!(7), json!(null)),
        (json!({"type": "text"}), json!(null)),
        (json!(null), json!(null)),
    ] {
        let line = json!({"type": "user", "message": {"role": "user", "content": content}});
        assert_eq!(message(line).await["content"]["content"], expected, "{content}");
    }
}

#[tokio::test]
async fn a_tools_result_is_there_in_the_servers_names() {
    let result = json!({"stdout": "hi", "stderr": "", "interrupted": true, "isImage": true, "noOutputExpected": false});
    let line = json!({"type": "user", "toolUseResult": result});
    let expected = json!({"stdout": "hi", "interrupted": true, "is_image": true});
    assert_eq!(message(line).await["tool_result"], expected);
    let other = json!({"type": "user", "toolUseResult": {"file": {"path": "/x"}}});
    assert_eq!(message(other).await["tool_result"], json!({}));
    assert_eq!(message(json!({"type": "user"})).await.get("tool_result"), None);
}

#[tokio::test]
async fn one_message_is_found_by_its_uuid() {
    let emulator = with_session(&[numbered(1), numbered(2)]).await;
    let found = get(&emulator, "/sessions/s/messages/m-2").await;
    assert_eq!(found.status, 200);
    assert_eq!(
        (
            &found.json()["message"]["uuid"],
            found.json().as_object().unwrap().len()
        ),
        (&json!("m-2"), 1)
    );
    let missing = get(&emulator, "/sessions/s/messages/m-3").await;
    assert_eq!(
        (missing.status, missing.body.as_str()),
        (404, r#"{"error":"message not found: m-3"}"#)
    );
}

#[tokio::test]
async fn a_session_without_a_transcript_has_no_history() {
    let emulator = Emulator::start().await.unwrap();
    for id in ["none", "..", "a..b"] {
        for target in [format!("/sessions/{id}/messages"), format!("/sessions/{id}/messages/m")] {
            let missing = get(&emulator, &target).await;
            let text = format!(r#"{{"error":"session history not found: {id}"}}"#);
            assert_eq!((missing.status, missing.body), (404, text), "{target}");
        }
    }
}

#[tokio::test]
async fn an_id_is_a_pattern() {
    let emulator = Emulator::start().await.unwrap();
    for id in ["cat", "cot", "dog"] {
        emulator.add_session(id, &json!({"type": "user", "uuid": id}).to_string());
    }
    let cases = [
        ("*", "cat"),
        ("c%3ft", "cat"),
        ("c[o-z]t", "cot"),
        ("[%5Ec]*", "dog"),
        ("d*", "dog"),
        ("c%5Cot", "cot"),
    ];
    for (pattern, uuid) in cases {
        let page = get(&emulator, &format!("/sessions/{pattern}/messages")).await.json();
        assert_eq!(page["messages"][0]["uuid"], uuid, "{pattern}");
        assert_eq!(
            get(&emulator, &format!("/sessions/{pattern}/messages/{uuid}"))
                .await
                .status,
            200
        );
    }
    for number in (10..40).rev() {
        let id = format!("many-{number}");
        emulator.add_session(&id, &json!({"type": "user", "uuid": id}).to_string());
    }
    let page = get(&emulator, "/sessions/many-*/messages").await.json();
    assert_eq!(page["messages"][0]["uuid"], "many-10");
    let missing = get(&emulator, "/sessions/x*/messages").await;
    assert_eq!(
        (missing.status, missing.body.as_str()),
        (404, r#"{"error":"session history not found: x*"}"#)
    );
    let bad = get(&emulator, "/sessions/[/messages").await;
    assert_eq!(
        (bad.status, bad.body.as_str()),
        (500, r#"{"error":"syntax error in pattern"}"#)
    );
}

#[tokio::test]
async fn a_line_above_10_mib_breaks_the_whole_history() {
    let line = |size: usize| {
        let empty = json!({"type": "user", "uuid": ""}).to_string();
        json!({"type": "user", "uuid": "x".repeat(size - empty.len())}).to_string()
    };
    let emulator = Emulator::start().await.unwrap();
    emulator.add_session("s", &line((10 << 20) - 1));
    assert_eq!(messages(&emulator, "?offset=1").await.json()["total"], 1);
    emulator.add_session("s", &[numbered(0), line(10 << 20)].join("\n"));
    for target in ["/sessions/s/messages", "/sessions/s/messages/m-0"] {
        let broken = get(&emulator, target).await;
        let text = r#"{"error":"bufio.Scanner: token too long"}"#;
        assert_eq!((broken.status, broken.body.as_str()), (500, text));
    }
}
