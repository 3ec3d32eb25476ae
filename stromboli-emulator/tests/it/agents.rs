//! `/agents`: what is answered to whom.

use jiff::Timestamp;
use serde_json::{Value, json};
use stromboli_emulator::{Dialect, Emulator};

use crate::client::{Response, delete, get, is_uuid4, post, request, within};
use crate::events::{Events, look, puppet, send, start};

fn is_id(value: &Value, prefix: &str) -> bool {
    value.as_str().unwrap().strip_prefix(prefix).is_some_and(is_uuid4)
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Whether it is an error of kind A with this text.
fn assert_error(response: &Response, status: u16, text: &str) {
    assert_eq!(response.status, status, "{}", response.body);
    assert_eq!(response.json(), json!({ "error": text }));
    let json = Some("application/json; charset=utf-8");
    assert_eq!(response.header("content-type"), json);
}

#[tokio::test]
async fn a_new_agent_is_starting() {
    let emulator = Emulator::builder().utc_offset_minutes(120).start().await.unwrap();
    let response = post(&emulator, "/agents", "{}").await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(response.header("location"), None);
    let agent = response.json();
    assert!(is_id(&agent["id"], "agent-"));
    assert!(is_id(&agent["session_id"], ""));
    let created = agent["created_at"].as_str().unwrap();
    assert!(created.ends_with("+02:00") && created.contains('.'), "{created}");
    let expected = json!({
        "id": agent["id"],
        "session_id": agent["session_id"],
        "status": "starting",
        "created_at": created,
        "last_activity_at": created,
        "idle_timeout_seconds": 1800,
        "turns_completed": 0,
    });
    assert_eq!(agent, expected);
    let order = ["id", "session_id", "status", "created_at", "last_activity_at"];
    let places = order.map(|name| response.body.find(&format!("\"{name}\"")).unwrap());
    assert!(places.is_sorted());
    assert_eq!(look(&emulator, agent["id"].as_str().unwrap()).await, agent);
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn an_agent_with_a_prompt_is_generating_from_the_beginning() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("pong");
    let response = post(&emulator, "/agents", r#"{"prompt":"ping"}"#).await;
    assert_eq!(
        (response.status, &response.json()["status"]),
        (201, &json!("generating"))
    );
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let agent = look(&emulator, response.json()["id"].as_str().unwrap()).await;
    assert_eq!(
        (&agent["status"], &agent["turns_completed"]),
        (&json!("idle"), &json!(1))
    );
    assert_eq!(emulator.executions(), 1);
}

#[tokio::test]
async fn what_becomes_of_a_first_prompt_is_not_told() {
    let emulator = Emulator::start().await.unwrap();
    let response = post(&emulator, "/agents", r#"{"prompt":" \n"}"#).await;
    assert_eq!((response.status, &response.json()["status"]), (201, &json!("starting")));
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn an_idle_timeout_can_be_chosen_and_disabled() {
    let emulator = Emulator::start().await.unwrap();
    let cases = [
        (json!({"idle_timeout_seconds": 7}), 7, None),
        (json!({"idle_timeout_seconds": 0}), 1800, None),
        (
            json!({"idle_timeout_seconds": null, "disable_idle_timeout": false}),
            1800,
            None,
        ),
        (json!({"disable_idle_timeout": true}), 1800, Some(true)),
        (
            json!({"idle_timeout_seconds": 7, "disable_idle_timeout": true}),
            7,
            Some(true),
        ),
        (json!({"idle_timeout_seconds": i64::MAX}), i64::MAX, None),
    ];
    for (body, seconds, disabled) in cases {
        let agent = look(&emulator, &start(&emulator, body.clone()).await).await;
        assert_eq!(agent["idle_timeout_seconds"], json!(seconds), "{body}");
        let disabled = disabled.map(Value::Bool);
        assert_eq!(agent.get("idle_timeout_disabled"), disabled.as_ref(), "{body}");
    }
}

#[tokio::test]
async fn a_request_for_an_agent_that_cannot_be_read_is_a_400() {
    let emulator = Emulator::start().await.unwrap();
    let unmarshal = |what: &str, field: &str, go_type: &str| {
        format!("json: cannot unmarshal {what} into Go struct field {field} of type {go_type}")
    };
    let cases = [
        ("", "EOF".to_owned()),
        ("{", "unexpected EOF".to_owned()),
        (
            "agent",
            "invalid character 'a' looking for beginning of value".to_owned(),
        ),
        (
            "[]",
            "json: cannot unmarshal array into Go value of type agent.CreateRequest".to_owned(),
        ),
        (r#"{"prompt":1}"#, unmarshal("number", "CreateRequest.prompt", "string")),
        (
            r#"{"idle_timeout_seconds":"1"}"#,
            unmarshal("string", "CreateRequest.idle_timeout_seconds", "int"),
        ),
        (
            r#"{"idle_timeout_seconds":1.5}"#,
            unmarshal("number 1.5", "CreateRequest.idle_timeout_seconds", "int"),
        ),
        (
            r#"{"disable_idle_timeout":1}"#,
            unmarshal("number", "CreateRequest.disable_idle_timeout", "bool"),
        ),
        (
            r#"{"claude":"opus"}"#,
            unmarshal("string", "CreateRequest.claude", "types.ClaudeOptions"),
        ),
        (
            r#"{"claude":{"model":1}}"#,
            unmarshal("number", "ClaudeOptions.claude.model", "string"),
        ),
        (
            r#"{"idle_timeout_seconds":-1}"#,
            "agent: invalid request: idle_timeout_seconds must be non-negative".to_owned(),
        ),
    ];
    for (body, text) in cases {
        assert_error(&post(&emulator, "/agents", body).await, 400, &text);
    }
    assert_eq!(get(&emulator, "/agents").await.body, "[]");
}

#[tokio::test]
async fn podman_options_and_credentials_are_not_looked_at() {
    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    start(&emulator, json!({"podman": 1, "workdir": "not/../valid"})).await;
}

#[tokio::test]
async fn agents_are_listed_in_a_bare_array_in_random_order() {
    let emulator = Emulator::builder().seed(1).start().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(start(&emulator, json!({})).await);
    }
    let mut orders = Vec::new();
    for _ in 0..8 {
        let list = get(&emulator, "/agents").await;
        assert_eq!(list.status, 200);
        let list: Vec<Value> = serde_json::from_str(&list.body).unwrap();
        let order: Vec<_> = list
            .iter()
            .map(|agent| agent["id"].as_str().unwrap().to_owned())
            .collect();
        orders.push(order);
    }
    assert!(orders.iter().any(|order| *order != orders[0]));
    for mut order in orders {
        order.sort();
        ids.sort();
        assert_eq!(order, ids);
    }
}

#[tokio::test]
async fn an_unknown_agent_is_a_404() {
    let emulator = Emulator::start().await.unwrap();
    let cases = [
        ("GET", "/agents/agent-x", ""),
        ("DELETE", "/agents/agent-x", ""),
        ("GET", "/agents/agent-x/stream", ""),
        ("POST", "/agents/agent-x/send", r#"{"prompt":" "}"#),
    ];
    for (method, target, body) in cases {
        let response = request(&emulator, method, target, "", body.as_bytes()).await;
        assert_error(&response, 404, "agent: not found");
    }
}

#[tokio::test]
async fn a_send_that_cannot_be_read_is_a_400_also_for_an_unknown_agent() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let required = "Key: 'SendAgentRequest.Prompt' Error:Field validation for 'Prompt' failed on the 'required' tag";
    let cases = [
        ("", "EOF"),
        ("{}", required),
        (r#"{"prompt":""}"#, required),
        (
            r#"{"prompt":[]}"#,
            "json: cannot unmarshal array into Go struct field SendAgentRequest.prompt of type string",
        ),
    ];
    for (body, text) in cases {
        for id in [agent.as_str(), "agent-x"] {
            assert_error(&post(&emulator, &format!("/agents/{id}/send"), body).await, 400, text);
        }
    }
}

#[tokio::test]
async fn a_blank_prompt_is_a_400() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    for blank in [" ", "\t\r\n", "\u{a0}\u{2003}\u{85}"] {
        let body = json!({"prompt": blank}).to_string();
        let response = post(&emulator, &format!("/agents/{agent}/send"), body).await;
        assert_error(&response, 400, "agent: invalid request: prompt is required");
    }
    assert_eq!(look(&emulator, &agent).await["status"], "starting");
}

#[tokio::test]
async fn a_starting_agent_takes_a_prompt_and_a_busy_one_does_not() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let agent = start(&emulator, json!({})).await;
    let turn = send(&emulator, &agent, "ping").await;
    assert!(is_id(&json!(turn), "turn-"));
    let busy = look(&emulator, &agent).await;
    assert_eq!(busy["status"], "generating");
    assert!(time(&busy["last_activity_at"]) > time(&busy["created_at"]));
    let refused = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"ping"}"#).await;
    assert_error(&refused, 409, "agent: a turn is already in progress");
    hold.release();
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let idle = look(&emulator, &agent).await;
    assert_eq!((&idle["status"], &idle["turns_completed"]), (&json!("idle"), &json!(1)));
    assert!(time(&idle["last_activity_at"]) > time(&busy["last_activity_at"]));
    assert_ne!(send(&emulator, &agent, "ping").await, turn);
    assert_eq!(emulator.executions(), 2);
}

#[tokio::test]
async fn an_exited_agent_is_listed_and_takes_nothing_until_it_is_deleted() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("die").lines(["half"]).crash(137, "SIGKILL");
    let agent = start(&emulator, json!({"prompt": "die"})).await;
    within(emulator.wait_for(|stats| stats.agents == 0)).await;
    let exited = look(&emulator, &agent).await;
    assert_eq!(
        (&exited["status"], &exited["exit_error"]),
        (&json!("exited"), &json!("exit status 137"))
    );
    let refused = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"ping"}"#).await;
    assert_error(&refused, 410, "agent: process has exited");
    assert_eq!(get(&emulator, "/agents").await.json()[0]["id"], agent.as_str());
    assert_eq!(delete(&emulator, &format!("/agents/{agent}")).await.status, 204);
    assert_eq!(get(&emulator, "/agents").await.body, "[]");
    let refused = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"ping"}"#).await;
    assert_error(&refused, 404, "agent: not found");
}

#[tokio::test]
async fn a_process_that_does_not_read_makes_a_send_a_500() {
    let (answerer, mut puppets) = puppet();
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let puppet = puppets.recv().await.unwrap();
    drop(puppet.agent.prompts);
    let failed = post(&emulator, &format!("/agents/{agent}/send"), r#"{"prompt":"hi"}"#).await;
    assert_error(&failed, 500, "agent: write stdin: broken pipe");
    let turn = events.next().await;
    let error = events.next().await;
    assert_eq!((turn.name.as_str(), error.name.as_str()), ("turn_start", "error"));
    assert_eq!(error.data["error"], "agent: write stdin: broken pipe");
    assert_eq!(error.data["turn_id"], turn.data["turn_id"]);
    assert_eq!(look(&emulator, &agent).await["status"], "idle");
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_process_that_does_not_start_is_a_500() {
    let emulator = Emulator::builder()
        .answerer(crate::events::Broken)
        .start()
        .await
        .unwrap();
    let failed = post(&emulator, "/agents", "{}").await;
    assert_error(&failed, 500, "agent: spawn: agent: start: no such file");
    assert_eq!(get(&emulator, "/agents").await.body, "[]");
    assert_eq!(emulator.wait_for(|_| true).await.agents, 0);
}

#[tokio::test]
async fn a_stopped_agent_is_a_204_without_a_body() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let stopped = delete(&emulator, &format!("/agents/{agent}")).await;
    assert_eq!(stopped.status, 204);
    assert_eq!(stopped.header_names(), ["date", "x-request-id"]);
    assert_error(
        &delete(&emulator, &format!("/agents/{agent}")).await,
        404,
        "agent: not found",
    );
}

#[tokio::test]
async fn other_methods_and_older_servers_know_no_agents() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({})).await;
    let old = Emulator::builder().dialect(Dialect::V0_4_3).start().await.unwrap();
    let cases = [
        (&emulator, "PUT", "/agents".to_owned()),
        (&emulator, "DELETE", "/agents".to_owned()),
        (&emulator, "GET", format!("/agents/{agent}/send")),
        (&emulator, "POST", format!("/agents/{agent}/stream")),
        (&emulator, "GET", format!("/agents/{agent}/other")),
        (&old, "POST", "/agents".to_owned()),
        (&old, "GET", "/agents".to_owned()),
        (&old, "GET", "/agents/".to_owned()),
        (&old, "GET", "/agents/a/stream".to_owned()),
        (&old, "DELETE", "/agents/a".to_owned()),
    ];
    for (emulator, method, target) in cases {
        let response = request(emulator, method, &target, "", b"{}").await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (404, "404 page not found"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn agents_need_a_token_when_others_do() {
    let emulator = Emulator::builder().api_token("t").start().await.unwrap();
    for (method, target) in [
        ("POST", "/agents"),
        ("GET", "/agents"),
        ("GET", "/agents/a"),
        ("DELETE", "/agents/a"),
        ("POST", "/agents/a/send"),
        ("GET", "/agents/a/stream"),
    ] {
        let refused = request(&emulator, method, target, "", b"{}").await;
        assert_error(&refused, 401, "missing authorization header");
    }
}

#[tokio::test]
async fn the_requests_of_agents_are_kept() {
    let emulator = Emulator::start().await.unwrap();
    let agent = start(&emulator, json!({"workdir": "/w"})).await;
    send(&emulator, &agent, "hi").await;
    let requests = emulator.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| (request.method.as_str(), request.target.clone(), request.body.as_ref()))
        .collect();
    let expected: [(_, _, &[u8]); 2] = [
        ("POST", "/agents".to_owned(), br#"{"workdir":"/w"}"#),
        ("POST", format!("/agents/{agent}/send"), br#"{"prompt":"hi"}"#),
    ];
    assert_eq!(seen, expected);
}
