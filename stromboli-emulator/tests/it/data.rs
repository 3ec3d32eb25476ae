//! A data directory: what is still there when another emulator opens it, and who may open it.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use stromboli_emulator::{Builder, Emulator, Usage};

use crate::client::{Connection, SESSION, delete, get, post, within};
use crate::receiver::Receiver;

mod killed;

/// A directory that is there for one test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(test: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("stromboli-emulator-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Self(dir)
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.0
    }

    fn file(&self) -> PathBuf {
        self.0.join("emulator.redb")
    }

    fn builder(&self) -> Builder {
        Emulator::builder().data(&self.0)
    }

    async fn start(&self) -> Emulator {
        self.builder().start().await.unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn run(emulator: &Emulator, body: Value) -> Value {
    let answer = post(emulator, "/run", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// The messages of a history but for the lines without a time of their own, which get that of the request.
async fn said(emulator: &Emulator, history: &str) -> Vec<Value> {
    let mut messages = get(emulator, history).await.json()["messages"].take();
    let messages = messages.as_array_mut().unwrap();
    messages.retain(|message| message["uuid"] != "");
    std::mem::take(messages)
}

async fn job(emulator: &Emulator, prompt: &str) -> String {
    let accepted = post(emulator, "/run/async", json!({"prompt": prompt}).to_string()).await;
    assert_eq!(accepted.status, 202);
    accepted.json()["job_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn secrets_outlive_the_process_and_their_values_stay_secret() {
    let dir = Dir::new("secrets");
    let emulator = dir.start().await;
    for name in ["kept", "deleted"] {
        let secret = json!({"name": name, "value": "hush"}).to_string();
        assert_eq!(post(&emulator, "/secrets", secret).await.status, 201);
    }
    assert_eq!(delete(&emulator, "/secrets/deleted").await.status, 200);
    assert_eq!(delete(&emulator, "/secrets/claude-credentials").await.status, 200);
    let before = get(&emulator, "/secrets/kept").await.body;
    drop(emulator);
    let emulator = dir.start().await;
    assert_eq!(get(&emulator, "/secrets/kept").await.body, before);
    assert_eq!(emulator.secret("kept").as_deref(), Some("hush"));
    let list = get(&emulator, "/secrets").await;
    let names: Vec<_> = list.json()["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].clone())
        .collect();
    assert_eq!(names, ["kept"]);
    assert!(!list.body.contains("hush") && !before.contains("hush"));
}

#[tokio::test]
async fn conversations_outlive_the_process_word_by_word_and_go_on() {
    let dir = Dir::new("sessions");
    let emulator = dir.start().await;
    let usage = Usage {
        input_tokens: 7,
        ..Usage::default()
    };
    emulator.on_prompt("one").usage(usage).reply("first");
    let model = json!({"prompt": "one", "claude": {"session_id": SESSION, "model": "sonnet"}});
    run(&emulator, model).await;
    let again = |prompt: &str| json!({"prompt": prompt, "claude": {"session_id": SESSION, "resume": true}});
    run(&emulator, again("two")).await;
    let fork = json!({"prompt": "fork", "claude": {"session_id": SESSION, "resume": true, "fork_session": true}});
    run(&emulator, fork).await;
    let other = "11111111-52d4-4a86-9d0b-f3c8e6a41297";
    emulator.add_session(other, r#"{"type":"custom-title","customTitle":"mine"}"#);
    let gone = "22222222-52d4-4a86-9d0b-f3c8e6a41297";
    run(&emulator, json!({"prompt": "gone", "claude": {"session_id": gone}})).await;
    assert_eq!(delete(&emulator, &format!("/sessions/{gone}")).await.status, 200);
    let list = get(&emulator, "/sessions").await.body;
    let history = format!("/sessions/{SESSION}/messages");
    let (messages, transcript) = (said(&emulator, &history).await, emulator.transcript(SESSION));
    drop(emulator);

    let emulator = dir.start().await;
    assert_eq!(get(&emulator, "/sessions").await.body, list);
    assert_eq!(said(&emulator, &history).await, messages);
    assert_eq!(messages.len(), 4);
    assert_eq!(emulator.transcript(SESSION), transcript);
    assert!(emulator.transcript(other).unwrap().contains("mine"));
    assert_eq!(emulator.transcript(gone), None);
    // The latest conversation is still the fork.
    let latest = json!({"prompt": "more", "claude": {"session_id": SESSION, "resume": true, "continue": true}});
    run(&emulator, latest).await;
    assert_eq!(emulator.transcript(SESSION), transcript);
    let answer = run(&emulator, again("three")).await;
    assert_eq!(answer["usage"]["input_tokens"], 7);
    let longer = emulator.transcript(SESSION).unwrap();
    assert!(longer.len() > transcript.as_ref().unwrap().len() && longer.starts_with(transcript.as_ref().unwrap()));
    drop(emulator);
    assert_eq!(dir.start().await.transcript(SESSION), Some(longer));
}

#[tokio::test]
async fn an_answered_run_does_not_come_back_after_its_session_was_deleted_in_the_middle() {
    let dir = Dir::new("deleted");
    let emulator = dir.start().await;
    let hold = emulator.on_prompt("slow").reply("done").hold();
    let mut connection = Connection::open(&emulator).await;
    let body = json!({"prompt": "slow", "claude": {"session_id": SESSION}}).to_string();
    connection.send("POST", "/run", "", body.as_bytes()).await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    assert_eq!(delete(&emulator, &format!("/sessions/{SESSION}")).await.status, 200);
    hold.release();
    assert_eq!(connection.response("POST").await.status, 200);
    drop(emulator);
    let sessions = get(&dir.start().await, "/sessions").await;
    assert_eq!(sessions.body, r#"{"sessions":[]}"#);
}

#[tokio::test]
async fn jobs_outlive_the_process_and_one_that_ran_has_failed() {
    let dir = Dir::new("jobs");
    let emulator = dir.start().await;
    emulator.on_prompt("crash").lines(["working"]).crash(137, "SIGKILL");
    let _hold = emulator.on_prompt("slow").hold();
    let ended = [job(&emulator, "quick").await, job(&emulator, "crash").await];
    within(emulator.wait_for(|stats| stats.finished == 2)).await;
    let running = job(&emulator, "slow").await;
    let cancelled = job(&emulator, "slow").await;
    assert_eq!(delete(&emulator, &format!("/jobs/{cancelled}")).await.status, 200);
    let mut before = Vec::new();
    for id in ended.iter().chain([&cancelled]) {
        before.push(get(&emulator, &format!("/jobs/{id}")).await.body);
    }
    drop(emulator);
    for _ in 0..2 {
        let emulator = dir.start().await;
        for (id, before) in ended.iter().chain([&cancelled]).zip(&before) {
            assert_eq!(&get(&emulator, &format!("/jobs/{id}")).await.body, before);
        }
        let failed = get(&emulator, &format!("/jobs/{running}")).await.json();
        let text = "job interrupted: the emulator was stopped while it ran";
        assert_eq!((&failed["status"], &failed["error"]), (&json!("failed"), &json!(text)));
        assert_eq!(
            get(&emulator, "/jobs").await.json()["jobs"].as_array().unwrap().len(),
            4
        );
    }
    // They are forgotten as ever.
    let emulator = dir.start().await;
    emulator.advance_clock(Duration::from_secs(3601));
    assert_eq!(get(&emulator, "/jobs").await.body, r#"{"jobs":[]}"#);
    drop(emulator);
    assert_eq!(get(&dir.start().await, "/jobs").await.body, r#"{"jobs":[]}"#);
}

#[tokio::test]
async fn a_webhook_tells_of_a_job_that_is_on_disk() {
    let dir = Dir::new("webhook");
    let receiver = Receiver::start().await;
    let emulator = dir.start().await;
    let body = json!({"prompt": "hi", "webhook_url": receiver.url("/hook")}).to_string();
    let accepted = post(&emulator, "/run/async", body).await.json();
    let report = receiver.answer(200, "").await;
    assert!(report.body.contains("completed"), "{}", report.body);
    drop(emulator);
    let path = format!("/jobs/{}", accepted["job_id"].as_str().unwrap());
    assert_eq!(get(&dir.start().await, &path).await.json()["status"], "completed");
}

#[tokio::test]
async fn a_seed_gives_other_ids_after_a_restart() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let dir = Dir::new("seed");
        for _ in 0..2 {
            let emulator = dir.builder().seed(7).start().await.unwrap();
            ids.push(job(&emulator, "hi").await);
        }
    }
    assert_eq!(ids[..2], ids[2..]);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_directory_is_one_emulators_until_that_is_dropped() {
    let dir = Dir::new("busy");
    let emulator = dir.start().await;
    let error = dir.builder().start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    assert!(
        error
            .to_string()
            .ends_with("emulator.redb: another emulator has it open"),
        "{error}"
    );
    drop(emulator);
    dir.start().await;
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_as_it_is() {
    let dir = Dir::new("corrupt");
    drop(dir.start().await);
    let whole = std::fs::read(dir.file()).unwrap();
    let mut torn = whole.clone();
    torn[..512].fill(0xa5);
    let mut holes = whole.clone();
    holes[4096..].fill(0);
    let cut = whole[..whole.len() / 3].to_vec();
    for (what, bytes) in [
        ("text", b"hello".to_vec()),
        ("noise", vec![7; 10_000]),
        ("torn", torn),
        ("holes", holes),
        ("cut", cut),
    ] {
        std::fs::write(dir.file(), &bytes).unwrap();
        let error = dir.builder().start().await.err();
        let error = error.unwrap_or_else(|| panic!("{what} was opened"));
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{what}: {error}");
        assert!(std::fs::read(dir.file()).unwrap() == bytes, "{what} was changed");
        assert!(error.to_string().contains("emulator.redb: "), "{what}: {error}");
        assert!(
            error.to_string().ends_with("; remove it to begin anew"),
            "{what}: {error}"
        );
    }
    std::fs::write(dir.file(), whole).unwrap();
    dir.start().await;
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused() {
    let dir = Dir::new("unwritable");
    std::fs::write(dir.path(), "a file").unwrap();
    let error = dir.builder().start().await.unwrap_err();
    let path = dir.path().display().to_string();
    assert!(error.to_string().starts_with(&path), "{error}");
    std::fs::remove_file(dir.path()).unwrap();
    std::fs::create_dir_all(dir.file()).unwrap();
    let error = dir.builder().start().await.unwrap_err();
    assert!(error.to_string().starts_with(&path), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let dir = Dir::new("mode");
    let _emulator = dir.start().await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dir.path()), mode(&dir.file())), (0o700, 0o600));
}
