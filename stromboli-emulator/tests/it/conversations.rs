//! Which conversation a run takes part in, by what Claude Code 2.1.197 does with the flags that the server passes on.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{Response, SESSION, get, post, within};

const OTHER: &str = "a3c1d9e4-0b57-4f6e-8a21-5d7c90e3b846";

async fn run(emulator: &Emulator, prompt: &str, claude: Value) -> Response {
    let body = json!({"prompt": prompt, "claude": claude}).to_string();
    post(emulator, "/run", body).await
}

async fn assert_fails(emulator: &Emulator, claude: Value, output: &str) {
    let response = run(emulator, "hi", claude.clone()).await;
    assert_eq!(response.status, 500, "{claude} {}", response.body);
    let expected = format!("execution failed: exit status 1, output: {output}");
    assert_eq!(response.json()["error"], expected, "{claude}");
}

/// What the users of the session's own conversation said.
async fn prompts(emulator: &Emulator, session: &str) -> Vec<String> {
    let page = get(emulator, &format!("/sessions/{session}/messages")).await.json();
    let messages = page["messages"].as_array().cloned().unwrap_or_default().into_iter();
    let users = messages.filter(|message| message["type"] == "user");
    users
        .map(|message| message["content"]["content"][0]["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_conversation_goes_on_when_it_is_resumed() {
    let emulator = Emulator::start().await.unwrap();
    let first = run(&emulator, "one", json!({})).await.json();
    let session = first["session_id"].as_str().unwrap();
    let resume = json!({"session_id": session, "resume": true});
    let second = run(&emulator, "two", resume).await;
    assert_eq!(
        (second.status, &second.json()["session_id"]),
        (200, &first["session_id"])
    );
    assert_eq!(prompts(&emulator, session).await, ["one", "two"]);
}

#[tokio::test]
async fn a_new_conversation_needs_an_id_that_is_new() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"session_id": SESSION});
    assert_eq!(run(&emulator, "one", body.clone()).await.status, 200);
    let text = format!("Error: Session ID {SESSION} is already in use.");
    assert_fails(&emulator, body.clone(), &text).await;
    assert_fails(&emulator, json!({"session_id": SESSION, "no_persistence": true}), &text).await;
    let stream = get(
        &emulator,
        &format!("/run/stream?prompt=hi&session_id={SESSION}&resume=true"),
    )
    .await;
    let failed = "event: error\ndata: execution failed: exit status 1\n\n";
    assert_eq!(stream.body, format!("data: {text}\n\n{failed}"));
    assert_eq!(prompts(&emulator, SESSION).await, ["one"]);
    // The command ran, if only to say that, and came to its end.
    let stats = within(emulator.wait_for(|stats| stats.finished == 4)).await;
    assert_eq!((stats.executions, stats.stopped), (4, 0));
}

#[tokio::test]
async fn a_run_that_was_killed_has_begun_its_conversation() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("boom").crash(137, "SIGKILL");
    let body = json!({"session_id": SESSION});
    assert_eq!(run(&emulator, "boom", body.clone()).await.json()["status"], "crashed");
    assert_fails(
        &emulator,
        body,
        &format!("Error: Session ID {SESSION} is already in use."),
    )
    .await;
    let resume = json!({"session_id": SESSION, "resume": true});
    assert_eq!(run(&emulator, "again", resume).await.status, 200);
    assert_eq!(prompts(&emulator, SESSION).await, ["boom", "again"]);
}

#[tokio::test]
async fn only_uuids_are_ids_of_conversations() {
    let emulator = Emulator::start().await.unwrap();
    let bad = "Error: Invalid session ID. Must be a valid UUID.";
    for id in [
        "mine",
        "7b1f0c3e52d44a869d0bf3c8e6a41297",
        "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a4129g",
    ] {
        assert_fails(&emulator, json!({"session_id": id}), bad).await;
    }
    let unknown = "Error: --resume requires a valid session ID or session title when used with --print. Usage: claude -p \
                   --resume <session-id|title>. Provided value \"mine\" is not a UUID and does not match any session title.";
    assert_fails(&emulator, json!({"session_id": "mine", "resume": true}), unknown).await;
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "7B1F0C3E-52D4-4A86-9D0B-F3C8E6A41297",
    ] {
        assert_eq!(
            run(&emulator, "hi", json!({"session_id": id})).await.status,
            200,
            "{id}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_resumed() {
    let emulator = Emulator::start().await.unwrap();
    let resume = json!({"session_id": SESSION, "resume": true});
    let unknown = format!("No conversation found with session ID: {SESSION}");
    assert_fails(&emulator, resume.clone(), &unknown).await;
    assert_fails(
        &emulator,
        json!({"session_id": SESSION, "resume": true, "continue": true}),
        &unknown,
    )
    .await;
    // That it was tried shows in the list, and makes no difference.
    assert_eq!(get(&emulator, "/sessions").await.json()["sessions"][0]["id"], SESSION);
    assert_fails(&emulator, resume, &unknown).await;
}

#[tokio::test]
async fn without_an_id_there_is_nothing_to_resume_and_a_conversation_begins() {
    let emulator = Emulator::start().await.unwrap();
    for claude in [json!({"resume": true}), json!({"resume": true, "session_id": ""})] {
        let response = run(&emulator, "hi", claude).await;
        let session = response.json()["session_id"].as_str().unwrap().to_owned();
        assert_eq!(prompts(&emulator, &session).await, ["hi"]);
    }
}

#[tokio::test]
async fn a_conversation_belongs_to_its_working_directory() {
    let emulator = Emulator::start().await.unwrap();
    let run_in = async |workdir: &str, claude: Value| {
        let body = json!({"prompt": workdir, "workdir": workdir, "claude": claude});
        post(&emulator, "/run", body.to_string()).await
    };
    let (begin, resume) = (
        json!({"session_id": SESSION}),
        json!({"session_id": SESSION, "resume": true}),
    );
    assert_eq!(run_in("/b", begin.clone()).await.status, 200);
    let elsewhere = run_in("/a", resume.clone()).await;
    assert!(elsewhere.body.contains("No conversation found"), "{}", elsewhere.body);
    assert_eq!(run_in("/b", resume.clone()).await.status, 200);
    assert_eq!(run_in("/a", begin).await.status, 200);
    // The server shows the first that it finds.
    assert_eq!(prompts(&emulator, SESSION).await, ["/a"]);
    // Where a run names no directory, it is the image's own.
    assert_eq!(run_in("/workspace", json!({"session_id": OTHER})).await.status, 200);
    assert_eq!(
        run(&emulator, "hi", json!({"session_id": OTHER, "resume": true}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_session_that_was_put_there_can_be_resumed() {
    let emulator = Emulator::start().await.unwrap();
    let line =
        |cwd: Value| json!({"type": "user", "uuid": "u", "cwd": cwd, "message": {"role": "user", "content": "old"}});
    emulator.add_session(SESSION, &line(json!("/w")).to_string());
    emulator.add_session(OTHER, &line(json!(null)).to_string());
    let body = json!({"prompt": "new", "workdir": "/w", "claude": {"session_id": SESSION, "resume": true}});
    assert_eq!(post(&emulator, "/run", body.to_string()).await.status, 200);
    assert_eq!(prompts(&emulator, SESSION).await, ["old", "new"]);
    let page = get(&emulator, &format!("/sessions/{SESSION}/messages")).await.json();
    assert_eq!(page["messages"][1]["parent_uuid"], "u");
    assert_eq!(
        run(&emulator, "new", json!({"session_id": OTHER, "resume": true}))
            .await
            .status,
        200
    );
    assert_eq!(prompts(&emulator, OTHER).await, ["old", "new"]);
}

#[tokio::test]
async fn continue_needs_resume_or_a_fork_since_the_server_always_names_a_session() {
    let emulator = Emulator::start().await.unwrap();
    let text = "Error: --session-id can only be used with --continue or --resume if --fork-session is also specified.";
    assert_fails(&emulator, json!({"continue": true}), text).await;
    assert_fails(&emulator, json!({"continue": true, "session_id": SESSION}), text).await;
    let fork = json!({"continue": true, "fork_session": true, "session_id": SESSION});
    assert_eq!(run(&emulator, "one", fork).await.status, 200);
    let resume = json!({"continue": true, "resume": true, "session_id": SESSION});
    assert_eq!(run(&emulator, "two", resume).await.status, 200);
    assert_eq!(prompts(&emulator, SESSION).await, ["one", "two"]);
}

#[tokio::test]
async fn a_fork_is_another_conversation_of_the_session_that_the_server_does_not_show() {
    let emulator = Emulator::start().await.unwrap();
    run(&emulator, "one", json!({"session_id": SESSION})).await;
    let mut fork = json!({"session_id": SESSION, "resume": true, "fork_session": true, "output_format": "json"});
    let response = run(&emulator, "two", fork.clone()).await.json();
    assert_eq!(response["session_id"], SESSION);
    let output: Value = serde_json::from_str(response["output"].as_str().unwrap()).unwrap();
    let forked = output["session_id"].as_str().unwrap();
    assert_ne!(forked, SESSION);
    assert_eq!(prompts(&emulator, SESSION).await, ["one"]);
    assert_eq!(
        get(&emulator, &format!("/sessions/{forked}/messages")).await.status,
        404
    );
    // The latest conversation is the fork; continuing it leaves the original alone.
    run(
        &emulator,
        "three",
        json!({"session_id": SESSION, "resume": true, "continue": true}),
    )
    .await;
    assert_eq!(prompts(&emulator, SESSION).await, ["one"]);
    // Without continue it is the original again, and that is the latest then.
    fork["fork_session"] = json!(false);
    run(&emulator, "four", fork.clone()).await;
    fork["continue"] = json!(true);
    run(&emulator, "five", fork).await;
    assert_eq!(prompts(&emulator, SESSION).await, ["one", "four", "five"]);
    // A fork of nothing is the conversation itself.
    assert_eq!(
        run(&emulator, "hi", json!({"session_id": OTHER, "fork_session": true}))
            .await
            .status,
        200
    );
    assert_eq!(prompts(&emulator, OTHER).await, ["hi"]);
}

#[tokio::test]
async fn the_latest_conversation_is_that_of_the_working_directory() {
    let emulator = Emulator::start().await.unwrap();
    let run_in = async |prompt: &str, workdir: &str, claude: Value| {
        let body = json!({"prompt": prompt, "workdir": workdir, "claude": claude});
        assert_eq!(post(&emulator, "/run", body.to_string()).await.status, 200);
    };
    run_in("one", "/a", json!({"session_id": SESSION})).await;
    run_in("two", "/b", json!({"session_id": SESSION})).await;
    run_in(
        "three",
        "/a",
        json!({"session_id": SESSION, "resume": true, "continue": true}),
    )
    .await;
    assert_eq!(prompts(&emulator, SESSION).await, ["one", "three"]);
}

#[tokio::test]
async fn a_fork_knows_what_was_said_before() {
    let emulator = Emulator::start().await.unwrap();
    // The file of the fork comes first by name, so that the pattern finds it.
    let late = "ffffffff-52d4-4a86-9d0b-f3c8e6a41297";
    run(&emulator, "one", json!({"session_id": late})).await;
    run(
        &emulator,
        "two",
        json!({"session_id": late, "resume": true, "fork_session": true}),
    )
    .await;
    assert_eq!(prompts(&emulator, "*").await, ["one", "two"]);
    let page = get(&emulator, "/sessions/*/messages").await.json();
    let messages = page["messages"].as_array().unwrap();
    let own = get(&emulator, &format!("/sessions/{late}/messages")).await.json();
    assert_eq!(messages[0]["uuid"], own["messages"][0]["uuid"]);
    let sessions: Vec<_> = messages.iter().map(|message| &message["session_id"]).collect();
    assert!(
        sessions.iter().all(|id| **id == *sessions[0] && **id != late),
        "{sessions:?}"
    );
    assert_eq!(messages[2]["parent_uuid"], messages[1]["uuid"]);
}

#[tokio::test]
async fn what_is_not_to_be_kept_is_not_written() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"session_id": SESSION, "no_persistence": true});
    assert_eq!(run(&emulator, "one", body.clone()).await.status, 200);
    assert_eq!(get(&emulator, "/sessions").await.json()["sessions"][0]["id"], SESSION);
    assert_eq!(
        get(&emulator, &format!("/sessions/{SESSION}/messages")).await.status,
        404
    );
    // The id is still free, and a conversation that is there stays as it is.
    assert_eq!(run(&emulator, "two", json!({"session_id": SESSION})).await.status, 200);
    let unkept = json!({"session_id": SESSION, "no_persistence": true, "resume": true});
    assert_eq!(run(&emulator, "three", unkept.clone()).await.status, 200);
    assert_eq!(prompts(&emulator, SESSION).await, ["two"]);
    // Nor does a fork begin that could be the latest conversation.
    let mut fork = unkept;
    fork["fork_session"] = json!(true);
    assert_eq!(run(&emulator, "four", fork).await.status, 200);
    run(
        &emulator,
        "five",
        json!({"session_id": SESSION, "resume": true, "continue": true}),
    )
    .await;
    assert_eq!(prompts(&emulator, SESSION).await, ["two", "five"]);
}
