//! `/agents`: what is answered, and the statuses.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{delete, get, is_uuid4, post, within};
use crate::events::{Events, look, names, send, start};

fn is_id(value: &Value, prefix: &str) -> bool {
    let text = value.as_str().unwrap();
    text.strip_prefix(prefix).is_some_and(is_uuid4)
}

#[tokio::test]
async fn a_new_agent_is_starting() {
    let emulator = Emulator::builder().utc_offset_minutes(120).start().await.unwrap();
    let response = post(&emulator, "/agents", "{}").await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
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
    let order = [
        "id",
        "session_id",
        "status",
        "created_at",
        "last_activity_at",
        "idle_timeout_seconds",
    ];
    let places = order.map(|name| response.body.find(&format!("\"{name}\"")).unwrap());
    assert!(places.is_sorted());
    assert_eq!(look(&emulator, agent["id"].as_str().unwrap()).await, agent);
}

#[tokio::test]
async fn a_turn_has_a_start_its_output_and_an_end() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").reply("pong");
    let agent = start(&emulator, json!({})).await;
    let mut events = Events::open(&emulator, &agent).await;
    let turn = send(&emulator, &agent, "ping").await;
    assert!(is_id(&Value::from(turn.as_str()), "turn-"));
    let turn_events = events.until("turn_end").await;
    assert!(turn_events.iter().all(|event| event.data["turn_id"] == turn.as_str()));
    let names = names(&turn_events);
    assert_eq!((names[0], names[names.len() - 1]), ("turn_start", "turn_end"));
    assert!(names[1..names.len() - 1].iter().all(|name| *name == "output"));
    let result = turn_events[turn_events.len() - 2].message();
    assert_eq!((&result["type"], &result["result"]), (&json!("result"), &json!("pong")));
    let snapshot = look(&emulator, &agent).await;
    assert_eq!(
        (&snapshot["status"], &snapshot["turns_completed"]),
        (&json!("idle"), &json!(1))
    );
    assert_eq!(emulator.executions(), 1);

    assert_eq!(delete(&emulator, &format!("/agents/{agent}")).await.status, 204);
    let exited = events.next().await;
    assert_eq!(exited.name, "exited");
    assert_eq!(exited.data.get("error"), None);
    assert_eq!(events.next().await.name, "closed");
    assert!(events.is_over().await);
    assert_eq!(get(&emulator, &format!("/agents/{agent}")).await.status, 404);
    within(emulator.wait_for(|stats| stats.agents == 0 && stats.subscribers == 0)).await;
}
