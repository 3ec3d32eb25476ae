//! All operations of the contract: what each sends, and what it makes of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use stromboli::{AgentRequest, Client, ErrorKind, Token};

use crate::calls::{IDS, call};
use crate::support::{DONE, Reply, Server, chunk, within};

const TIME: &str = "2026-05-06T10:00:00.5Z";

/// What one operation sends and is answered.
struct Exchange {
    method: &'static str,
    target: &'static str,
    body: Option<Value>,
    status: u16,
    /// No body, or events, where it is null.
    answer: Value,
}

fn exchange(method: &'static str, target: &'static str, status: u16, answer: Value) -> Exchange {
    Exchange {
        method,
        target,
        body: None,
        status,
        answer,
    }
}

impl Exchange {
    fn sending(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }
}

fn tokens() -> Value {
    json!({"access_token": "a.b.c", "refresh_token": "d.e.f", "token_type": "bearer", "expires_in": 86400})
}

fn run_request() -> Value {
    json!({"prompt": "hi", "claude": {"model": "opus", "max_turns": 3}})
}

fn job(status: &str) -> Value {
    let crash = json!({
        "exit_code": 137, "signal": "killed", "reason": "oom", "partial_output": "...x", "task_completed": true,
    });
    json!({
        "id": "job-1", "status": status, "output": "o", "error": "e", "session_id": "s-1", "crash_info": crash,
        "structured_output": [1], "created_at": TIME, "updated_at": TIME,
    })
}

fn message() -> Value {
    let usage = json!({
        "input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4,
    });
    let blocks = json!([
        {"type": "text", "text": "t"},
        {"type": "tool_use", "id": "u-1", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_result", "tool_use_id": "u-1", "content": "c", "is_error": true},
        {"type": "brand_new"},
    ]);
    json!({
        "uuid": "m-1", "parent_uuid": "m-0", "type": "brand_new", "session_id": "s-1", "timestamp": TIME, "cwd": "/w",
        "git_branch": "main", "version": "2.0", "permission_mode": "plan",
        "content": {
            "role": "assistant", "model": "m", "message_id": "msg-1", "content": blocks, "stop_reason": "end_turn",
            "usage": usage,
        },
        "tool_result": {"stdout": "o", "stderr": "e", "interrupted": true, "is_image": true},
    })
}

fn image() -> Value {
    json!({
        "id": "sha256:abc", "repository": "python", "tag": "3.12", "size": 3_000_000_000_i64, "created": TIME,
        "compatibility_rank": 3, "compatible": true, "tools": ["pip"], "has_claude_cli": true, "description": "d",
    })
}

fn image_detail() -> Value {
    let mut detail = image();
    detail["labels"] = json!({"maintainer": "me"});
    detail["rank_description"] = json!("good");
    detail
}

fn agent() -> Value {
    json!({
        "id": "agent-1", "session_id": "s-1", "status": "generating", "created_at": TIME, "last_activity_at": TIME,
        "idle_timeout_seconds": 60, "idle_timeout_disabled": true, "turns_completed": 2, "exit_error": "exit status 1",
    })
}

fn exchange_of(id: &str) -> Exchange {
    let secret = json!({"id": "abc", "name": "token", "created_at": "10 days ago"});
    match id {
        "auth_token" => exchange("POST", "/auth/token", 200, tokens()).sending(json!({"client_id": "ci"})),
        "auth_refresh" => exchange("POST", "/auth/refresh", 200, tokens()).sending(json!({"refresh_token": "r.e.f"})),
        "auth_validate" => {
            let info = json!({"valid": true, "subject": "ci", "expires_at": 1_778_155_200});
            exchange("GET", "/auth/validate", 200, info)
        }
        "auth_logout" => {
            let answer = json!({"success": true, "message": "token invalidated"});
            exchange("POST", "/auth/logout", 200, answer)
        }
        "run_sync" => {
            let usage = json!({
                "model": "opus", "input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3,
                "cache_read_input_tokens": 4, "total_tokens": 10, "estimated_cost_usd": 0.5,
            });
            let answer = json!({
                "id": "run-1", "status": "crashed", "output": "o", "structured_output": {"a": 1}, "session_id": "s-1",
                "usage": usage, "crash_info": {"exit_code": 1},
            });
            exchange("POST", "/run", 200, answer).sending(run_request())
        }
        "run_async" => {
            let mut request = run_request();
            request["webhook_url"] = json!("http://hook");
            let answer = json!({"job_id": "job-1", "session_id": "s-1"});
            exchange("POST", "/run/async", 202, answer).sending(request)
        }
        "run_stream" => {
            let target = "/run/stream?prompt=a+%26+b&session_id=s-1&workdir=%2Fw";
            exchange("GET", target, 200, Value::Null)
        }
        "jobs_list" => exchange("GET", "/jobs", 200, json!({"jobs": [job("crashed"), job("brand_new")]})),
        "job_get" => exchange("GET", "/jobs/job-1", 200, job("failed")),
        "job_cancel" => exchange(
            "DELETE",
            "/jobs/job-1",
            200,
            json!({"cancelled": true, "job_id": "job-1"}),
        ),
        "sessions_list" => {
            let answer = json!({"sessions": [{"id": "s-1", "title": "t"}, {"id": "s-2"}]});
            exchange("GET", "/sessions", 200, answer)
        }
        "session_destroy" => {
            let answer = json!({"success": true, "session_id": "s-1"});
            exchange("DELETE", "/sessions/s-1", 200, answer)
        }
        "session_messages" => {
            let answer = json!({"messages": [message()], "total": 22, "offset": 20, "limit": 10, "has_more": true});
            exchange("GET", "/sessions/s-1/messages?limit=10&offset=20", 200, answer)
        }
        "session_message" => {
            let target = "/sessions/s%2F1/messages/m%201";
            exchange("GET", target, 200, json!({"message": message()}))
        }
        "secrets_list" => exchange("GET", "/secrets", 200, json!({"secrets": [secret]})),
        "secret_create" => {
            let request = json!({"name": "token", "value": "v\"1"});
            exchange("POST", "/secrets", 201, json!({"success": true, "name": "token"})).sending(request)
        }
        "secret_get" => exchange("GET", "/secrets/token", 200, secret),
        "secret_delete" => {
            let answer = json!({"success": true, "name": "token"});
            exchange("DELETE", "/secrets/token", 200, answer)
        }
        "images_list" => exchange("GET", "/images", 200, json!({"images": [image()]})),
        "image_get" => exchange("GET", "/images/a%2Fb:3@x", 200, image_detail()),
        "images_search" => {
            let result = json!({
                "index": "docker.io", "name": "n", "description": "d", "stars": 1, "official": true, "automated": true,
            });
            let target = "/images/search?limit=5&no_trunc=true&q=py";
            exchange("GET", target, 200, json!({"results": [result]}))
        }
        "image_pull" => {
            let request = json!({"image": "a/b:3", "platform": "linux/arm64", "quiet": true});
            let answer = json!({"success": true, "image_id": "sha256:abc", "image": "a/b:3"});
            exchange("POST", "/images/pull", 200, answer).sending(request)
        }
        "agents_list" => exchange("GET", "/agents", 200, json!([agent()])),
        "agent_create" => {
            let request = json!({"prompt": "hi", "idle_timeout_seconds": 60});
            exchange("POST", "/agents", 201, agent()).sending(request)
        }
        "agent_get" => exchange("GET", "/agents/agent-1", 200, agent()),
        "agent_send" => {
            let answer = json!({"turn_id": "turn-1"});
            exchange("POST", "/agents/agent-1/send", 202, answer).sending(json!({"prompt": "go on"}))
        }
        "agent_stream" => exchange("GET", "/agents/agent-1/stream", 200, Value::Null),
        "agent_stop" => exchange("DELETE", "/agents/agent-1", 204, Value::Null),
        "health" => {
            let component = json!({"name": "podman", "status": "error", "error": "e"});
            let answer =
                json!({"status": "degraded", "name": "stromboli", "version": "dev", "components": [component]});
            exchange("GET", "/health", 200, answer)
        }
        "claude_status" => {
            let answer = json!({"configured": true, "message": "Claude is configured"});
            exchange("GET", "/claude/status", 200, answer)
        }
        _ => unreachable!("{id}"),
    }
}

/// The answer's bytes, and what the call must give.
fn answer_of(id: &str, exchange: &Exchange) -> (Vec<u8>, Value) {
    let events = |events: &str, value| ([Reply::events(), chunk(events)].concat(), value);
    match id {
        "run_stream" => events(&format!("data: pong\n\n{DONE}"), json!("pong")),
        "agent_stream" => events("event: closed\ndata: {}\n\n", json!(200)),
        "agent_stop" => (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Value::Null),
        _ => {
            let reply = Reply::new(exchange.status).json(exchange.answer.to_string());
            (reply.bytes(), exchange.answer.clone())
        }
    }
}

#[tokio::test]
async fn every_operation_sends_what_the_contract_says_and_decodes_all_of_the_answer() {
    for id in IDS {
        let exchange = exchange_of(id);
        let (answer, value) = answer_of(id, &exchange);
        let server = Server::once(answer).await;
        let builder = Client::builder(format!("{}/base/", server.url()));
        let builder = builder.token(Token::new("abc").unwrap()).user_agent("my-app/1.0");

        let decoded = call(&builder.build().unwrap(), id).await.expect(id);
        assert_eq!(decoded, value, "{id}");

        let request = server.only_request();
        assert_eq!(request.method, exchange.method, "{id}");
        assert_eq!(request.target, format!("/base{}", exchange.target), "{id}");
        assert_eq!(request.header("authorization"), Some("Bearer abc"), "{id}");
        assert_eq!(request.header("user-agent"), Some("my-app/1.0"), "{id}");
        let bodiless_answer = ["run_stream", "agent_stream", "agent_stop"].contains(&id);
        let accept = if bodiless_answer { "*/*" } else { "application/json" };
        assert_eq!(request.header("accept"), Some(accept), "{id}");
        match exchange.body {
            Some(body) => {
                assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), body, "{id}");
                assert_eq!(request.header("content-type"), Some("application/json"), "{id}");
            }
            None => {
                assert!(request.body.is_empty(), "{id}");
                assert_eq!(request.header("content-type"), None, "{id}");
            }
        }
    }
}

#[test]
fn every_operation_of_the_contract_is_here_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
    let contract = fs::read_to_string(path).unwrap();
    let ids: BTreeSet<_> = contract
        .lines()
        .filter_map(|line| line.trim().strip_prefix("operationId: "))
        .collect();
    assert_eq!(BTreeSet::from(IDS), ids);
    assert_eq!(ids.len(), IDS.len());
}

#[test]
fn no_two_operations_send_the_same() {
    let mut seen = BTreeMap::new();
    for id in IDS {
        let Exchange { method, target, .. } = exchange_of(id);
        assert_eq!(seen.insert((method, target), id), None, "{id}");
    }
}

#[tokio::test]
async fn sessions_of_every_server_version_are_read() {
    for (answer, expected) in [
        (r#"{"sessions":["s-1","s-2"]}"#, vec![("s-1", None), ("s-2", None)]),
        (r#"{"sessions":null}"#, vec![]),
        (r#"{"sessions":[]}"#, vec![]),
        (
            r#"{"sessions":[{"id":"s-1","title":""},{"id":"s-2"}]}"#,
            vec![("s-1", Some("")), ("s-2", None)],
        ),
    ] {
        let server = Server::once(Reply::new(200).json(answer).bytes()).await;
        let client = Client::new(server.url()).unwrap();
        let sessions = within(client.sessions().list()).await.unwrap();
        let read: Vec<_> = sessions.iter().map(|s| (s.id.as_str(), s.title.as_deref())).collect();
        assert_eq!(read, expected, "{answer}");
    }
}

#[tokio::test]
async fn what_is_left_open_is_not_sent() {
    let server = Server::answering(|request| {
        let answer = match request.path() {
            "/images/search" => json!({"results": []}),
            "/images/pull" => json!({"success": true, "image": "busybox"}),
            "/agents" => agent(),
            _ => json!({"messages": [], "total": 0, "offset": 0, "limit": 50, "has_more": false}),
        };
        let status = if request.path() == "/agents" { 201 } else { 200 };
        Reply::new(status).json(answer.to_string()).bytes()
    })
    .await;
    let client = Client::new(server.url()).unwrap();
    within(client.images().search("py")).await.unwrap();
    within(client.images().pull("busybox")).await.unwrap();
    within(client.agents().spawn(AgentRequest::new())).await.unwrap();
    within(client.session("s-1").messages().page()).await.unwrap();
    let requests = server.requests();
    let sent: Vec<_> = requests
        .iter()
        .map(|r| (r.target.as_str(), std::str::from_utf8(&r.body).unwrap()))
        .collect();
    assert_eq!(
        sent,
        [
            ("/images/search?q=py", ""),
            ("/images/pull", r#"{"image":"busybox"}"#),
            ("/agents", "{}"),
            ("/sessions/s-1/messages", ""),
        ]
    );
}

#[tokio::test]
async fn an_id_that_would_make_another_path_is_refused_before_anything_is_sent() {
    let server = Server::once("").await;
    let client = Client::new(server.url()).unwrap();
    for id in ["", ".", ".."] {
        let (session, agent) = (client.session(id), client.agent(id));
        let errors = [
            within(session.destroy()).await.unwrap_err(),
            within(session.messages().page()).await.unwrap_err(),
            within(session.messages().stream().try_next()).await.unwrap_err(),
            within(session.message("m-1")).await.unwrap_err(),
            within(client.session("s-1").message(id)).await.unwrap_err(),
            within(client.secrets().create(id, stromboli::Secret::new("v")))
                .await
                .unwrap_err(),
            within(client.secrets().get(id)).await.unwrap_err(),
            within(client.secrets().delete(id)).await.unwrap_err(),
            within(client.images().get(id)).await.unwrap_err(),
            within(agent.get()).await.unwrap_err(),
            within(agent.send("hi")).await.unwrap_err(),
            within(agent.stop()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                (error.kind(), error.attempts()),
                (ErrorKind::InvalidInput, 0),
                "{error}"
            );
        }
    }
    assert_eq!(server.connections(), 0);
}
