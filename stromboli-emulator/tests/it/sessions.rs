//! `GET /sessions`, `DELETE /sessions/{id}`, and which session a run may have.

use serde_json::{Value, json};
use stromboli_emulator::{Dialect, Emulator};

use crate::client::{Connection, Response, SESSION, delete, get, post, within};

const OTHER: &str = "a3c1d9e4-0b57-4f6e-8a21-5d7c90e3b846";

async fn run(emulator: &Emulator, prompt: &str, claude: Value) -> Response {
    let body = json!({"prompt": prompt, "claude": claude}).to_string();
    post(emulator, "/run", body).await
}

async fn ids(emulator: &Emulator) -> Vec<String> {
    let list = get(emulator, "/sessions").await.json();
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_run_leaves_a_session_and_the_list_is_in_the_order_of_their_names() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(get(&emulator, "/sessions").await.body, r#"{"sessions":[]}"#);
    emulator.on_prompt("bad").fail(1, "no");
    emulator.on_prompt("boom").crash(137, "SIGKILL");
    let mut expected = vec![SESSION.to_owned()];
    for prompt in ["good", "boom"] {
        let json = run(&emulator, prompt, json!({})).await.json();
        expected.push(json["session_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(run(&emulator, "bad", json!({"session_id": SESSION})).await.status, 500);
    let accepted = post(&emulator, "/run/async", r#"{"prompt":"job"}"#).await.json();
    expected.push(accepted["session_id"].as_str().unwrap().to_owned());
    within(emulator.wait_for(|stats| stats.finished == 4)).await;
    get(&emulator, &format!("/run/stream?prompt=stream&session_id={OTHER}")).await;
    expected.push(OTHER.to_owned());
    expected.sort();
    assert_eq!(ids(&emulator).await, expected);
    let list = get(&emulator, "/sessions").await.body;
    let first = format!(r#"{{"sessions":[{{"id":"{}","title":""}},"#, expected[0]);
    assert!(list.starts_with(&first), "{list}");
}

#[tokio::test]
async fn an_agents_session_is_in_the_list_and_has_no_history() {
    let emulator = Emulator::start().await.unwrap();
    let agent = post(&emulator, "/agents", r#"{"prompt":"hi"}"#).await.json();
    let session = agent["session_id"].as_str().unwrap();
    assert_eq!(ids(&emulator).await, [session]);
    let history = get(&emulator, &format!("/sessions/{session}/messages")).await;
    let text = format!(r#"{{"error":"session history not found: {session}"}}"#);
    assert_eq!((history.status, history.body), (404, text));
}

#[tokio::test]
async fn a_run_that_the_server_refuses_leaves_no_session() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"prompt": "hi", "workdir": "relative", "claude": {"session_id": SESSION}});
    assert_eq!(post(&emulator, "/run", body.to_string()).await.status, 500);
    assert_eq!(ids(&emulator).await, [""; 0]);
}

#[tokio::test]
async fn sessions_were_bare_ids_before_0_5_and_null_when_there_were_none() {
    let builder = Emulator::builder().dialect(Dialect::V0_4_3);
    let emulator = builder.start().await.unwrap();
    assert_eq!(get(&emulator, "/sessions").await.body, r#"{"sessions":null}"#);
    emulator.add_session("b", "");
    emulator.add_session("a", "");
    assert_eq!(get(&emulator, "/sessions").await.body, r#"{"sessions":["a","b"]}"#);
}

#[tokio::test]
async fn a_title_is_the_users_last_or_else_the_models_last() {
    let emulator = Emulator::start().await.unwrap();
    let ai = |title: &str| json!({"type": "ai-title", "aiTitle": title}).to_string();
    let custom = |title: &str| json!({"type": "custom-title", "customTitle": title}).to_string();
    emulator.add_session("a", &[ai("first"), ai("second")].join("\n"));
    emulator.add_session("b", &[custom("mine"), ai("its")].join("\n"));
    emulator.add_session("c", "");
    let expected = json!([
        {"id": "a", "title": "second"},
        {"id": "b", "title": "mine"},
        {"id": "c", "title": ""},
    ]);
    assert_eq!(get(&emulator, "/sessions").await.json()["sessions"], expected);
}

#[tokio::test]
async fn a_deleted_session_is_gone_and_its_id_is_free() {
    let emulator = Emulator::start().await.unwrap();
    run(&emulator, "hi", json!({"session_id": SESSION})).await;
    let target = format!("/sessions/{SESSION}");
    let deleted = delete(&emulator, &target).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(deleted.body, format!(r#"{{"success":true,"session_id":"{SESSION}"}}"#));
    assert_eq!(ids(&emulator).await, [""; 0]);
    assert_eq!(get(&emulator, &format!("{target}/messages")).await.status, 404);
    let again = delete(&emulator, &target).await;
    assert_eq!(again.status, 404);
    assert_eq!(
        again.body,
        format!(r#"{{"success":false,"error":"session not found: {SESSION}"}}"#)
    );
    assert_eq!(run(&emulator, "hi", json!({"session_id": SESSION})).await.status, 200);
}

#[tokio::test]
async fn an_id_with_two_dots_is_no_session_to_delete() {
    let emulator = Emulator::start().await.unwrap();
    for id in ["..", "a..b", "%2e%2e"] {
        let refused = delete(&emulator, &format!("/sessions/{id}")).await;
        assert_eq!(refused.status, 400, "{id}");
        assert_eq!(refused.body, r#"{"success":false,"error":"invalid session ID"}"#);
    }
    // It is no pattern either.
    emulator.add_session("a", "");
    assert_eq!(delete(&emulator, "/sessions/*").await.status, 404);
}

#[tokio::test]
async fn a_run_in_a_deleted_session_goes_on_and_leaves_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("hi").reply("done").hold();
    let body = json!({"prompt": "hi", "claude": {"session_id": SESSION}}).to_string();
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", body.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    assert_eq!(delete(&emulator, &format!("/sessions/{SESSION}")).await.status, 200);
    hold.release();
    let response = connection.response("POST").await;
    assert_eq!((response.status, &response.json()["output"]), (200, &json!("done")));
    assert_eq!((ids(&emulator).await, emulator.transcript(SESSION)), (vec![], None));
}

#[tokio::test]
async fn two_runs_of_one_session_do_not_overlap() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("long").reply("done").hold();
    let body = json!({"prompt": "long", "claude": {"session_id": SESSION}}).to_string();
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", body.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;

    let text = format!("session initialization in progress: session {SESSION}; please retry");
    let resume = json!({"session_id": SESSION, "resume": true});
    let refused = run(&emulator, "hi", resume.clone()).await;
    assert_eq!(refused.status, 500);
    assert_eq!(
        refused.body,
        format!(r#"{{"id":"","status":"error","error":"{text}"}}"#)
    );
    let stream = get(&emulator, &format!("/run/stream?prompt=hi&session_id={SESSION}")).await;
    assert_eq!(
        (stream.status, stream.body),
        (200, format!("event: error\ndata: {text}\n\n"))
    );
    let job = post(
        &emulator,
        "/run/async",
        json!({"prompt": "hi", "claude": resume}).to_string(),
    )
    .await;
    let job = format!("/jobs/{}", job.json()["job_id"].as_str().unwrap());
    let failed = loop {
        let job = get(&emulator, &job).await.json();
        if job["status"] != "running" {
            break job;
        }
    };
    assert_eq!((&failed["status"], &failed["error"]), (&json!("failed"), &json!(text)));
    assert_eq!(emulator.executions(), 1);
    assert_eq!(run(&emulator, "hi", json!({"session_id": OTHER})).await.status, 200);

    hold.release();
    assert_eq!(connection.response("POST").await.status, 200);
    assert_eq!(run(&emulator, "hi", resume).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_learns_that_a_run_is_over_can_go_on_with_its_session() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("bad").fail(1, "no");
    // Often, since only chance would show that the job is over a moment before its session is free.
    for prompt in ["good", "bad"].repeat(50) {
        let accepted = post(&emulator, "/run/async", json!({"prompt": prompt}).to_string())
            .await
            .json();
        let target = format!("/jobs/{}", accepted["job_id"].as_str().unwrap());
        while get(&emulator, &target).await.json()["status"] == "running" {}
        let resume = json!({"session_id": accepted["session_id"], "resume": true});
        assert_eq!(run(&emulator, "good", resume).await.status, 200);
    }
}

#[tokio::test]
async fn a_run_that_is_killed_lets_go_of_its_session() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("long").hold();
    let body = json!({"prompt": "long", "claude": {"session_id": SESSION}}).to_string();
    let mut connection = Connection::open(&emulator).await;
    connection.send("POST", "/run", "", body.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    drop(connection);
    within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    let resume = json!({"session_id": SESSION, "resume": true});
    assert_eq!(run(&emulator, "hi", resume).await.status, 200);
}

#[tokio::test]
async fn an_answerer_that_panics_lets_go_of_its_session() {
    let answerer = |run: stromboli_emulator::Run| match run.prompt.as_str() {
        "panic" => panic!("as it was told"),
        _ => stromboli_emulator::Answer::reply(&run, "ok"),
    };
    let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
    assert_eq!(run(&emulator, "panic", json!({"session_id": SESSION})).await.body, "");
    let resume = json!({"session_id": SESSION, "resume": true});
    assert_eq!(run(&emulator, "hi", resume).await.status, 200);
}
