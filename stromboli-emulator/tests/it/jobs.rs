//! `POST /run/async` and the jobs.

use std::collections::HashSet;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value, json};
use stromboli_emulator::{Answer, Emulator, Run, Step};

use crate::client::{SESSION, delete, get, is_hex16, is_uuid4, post, within};

const NOT_FOUND: &str = r#"{"id":"","status":"error","error":"job not found"}"#;

/// Starts a job and returns its id and session.
async fn start(emulator: &Emulator, body: Value) -> (String, String) {
    let response = post(emulator, "/run/async", body.to_string()).await;
    assert_eq!(response.status, 202);
    let json = response.json();
    let expected = format!(r#"{{"job_id":{},"session_id":{}}}"#, json["job_id"], json["session_id"]);
    assert_eq!(response.body, expected);
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("job_id"), text("session_id"))
}

async fn job(emulator: &Emulator, id: &str) -> Value {
    let response = get(emulator, &format!("/jobs/{id}")).await;
    assert_eq!(response.status, 200);
    response.json()
}

/// The job once its run is over, without what differs from run to run.
async fn ended(emulator: &Emulator, body: Value) -> Value {
    let before = emulator.wait_for(|_| true).await.finished;
    let (id, _) = start(emulator, body).await;
    within(emulator.wait_for(|stats| stats.finished > before)).await;
    let mut job = job(emulator, &id).await;
    let fields = job.as_object_mut().unwrap();
    for name in ["id", "created_at", "updated_at"] {
        fields.remove(name).unwrap();
    }
    job
}

#[tokio::test]
async fn a_job_runs_at_once_and_then_completes() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator
        .on_prompt("ping")
        .lines([r#"{"structured_output":[1]}"#])
        .hold();
    let (id, session) = start(&emulator, json!({"prompt": "ping"})).await;
    assert!(is_hex16(id.strip_prefix("job-").unwrap()));
    assert!(is_uuid4(&session));

    let running = get(&emulator, &format!("/jobs/{id}")).await;
    let json = running.json();
    let expected = format!(
        r#"{{"id":"{id}","status":"running","session_id":"{session}","created_at":{},"updated_at":{}}}"#,
        json["created_at"], json["updated_at"]
    );
    assert_eq!(running.body, expected);

    hold.release();
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let completed = get(&emulator, &format!("/jobs/{id}")).await;
    let json = completed.json();
    let expected = format!(
        r#"{{"id":"{id}","status":"completed","output":"{{\"structured_output\":[1]}}","structured_output":[1],"session_id":"{session}","created_at":{},"updated_at":{}}}"#,
        json["created_at"], json["updated_at"]
    );
    assert_eq!(completed.body, expected);
}

#[tokio::test]
async fn a_crashed_job_keeps_its_output_and_session() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("boom").lines(["half"]).crash(139, "SIGSEGV");
    let body = json!({"prompt": "boom", "claude": {"session_id": SESSION}});
    let info = json!({
        "exit_code": 139,
        "signal": "SIGSEGV",
        "reason": "Process killed by SIGSEGV",
        "partial_output": "half",
    });
    let expected = json!({"status": "crashed", "output": "half", "session_id": SESSION, "crash_info": info});
    assert_eq!(ended(&emulator, body).await, expected);
}

#[tokio::test]
async fn a_failed_job_loses_its_session_and_output() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("bad").fail(1, "what it said");
    let body = json!({"prompt": "bad", "claude": {"session_id": SESSION}});
    let error = "execution failed: exit status 1, output: what it said";
    assert_eq!(
        ended(&emulator, body).await,
        json!({"status": "failed", "error": error})
    );
}

#[tokio::test]
async fn a_job_shows_no_usage() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("u")
        .reply("ok")
        .usage(stromboli_emulator::Usage::default());
    let body = json!({"prompt": "u", "claude": {"session_id": SESSION}});
    let expected = json!({"status": "completed", "output": "ok", "session_id": SESSION});
    assert_eq!(ended(&emulator, body).await, expected);
}

#[tokio::test]
async fn cancelling_flips_the_status_and_the_end_of_the_run_overwrites_it() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let (id, _) = start(&emulator, json!({"prompt": "ping"})).await;

    let cancelled = delete(&emulator, &format!("/jobs/{id}")).await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(cancelled.body, format!(r#"{{"cancelled":true,"job_id":"{id}"}}"#));
    let seen = job(&emulator, &id).await;
    assert_eq!(seen["status"], "cancelled");
    assert!(seen["session_id"].is_string());
    let again = delete(&emulator, &format!("/jobs/{id}")).await;
    assert_eq!(again.status, 409);

    assert_eq!(emulator.stopped(), 0);
    hold.release();
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let overwritten = job(&emulator, &id).await;
    assert_eq!(
        (&overwritten["status"], &overwritten["output"]),
        (&json!("completed"), &json!("pong"))
    );
}

#[tokio::test]
async fn a_job_that_ended_cannot_be_cancelled() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("good").reply("ok");
    emulator.on_prompt("bad").fail(1, "");
    emulator.on_prompt("boom").crash(137, "SIGKILL");
    for (count, prompt) in [(1, "good"), (2, "bad"), (3, "boom")] {
        let (id, _) = start(&emulator, json!({"prompt": prompt})).await;
        within(emulator.wait_for(|stats| stats.finished == count)).await;
        let refused = delete(&emulator, &format!("/jobs/{id}")).await;
        assert_eq!(refused.status, 409);
        let expected =
            r#"{"id":"","status":"error","error":"cannot cancel job (already completed, failed, or cancelled)"}"#;
        assert_eq!(refused.body, expected);
    }
}

#[tokio::test]
async fn an_unknown_job_is_a_404() {
    let emulator = Emulator::start().await.unwrap();
    for response in [
        get(&emulator, "/jobs/none").await,
        delete(&emulator, "/jobs/none").await,
    ] {
        assert_eq!((response.status, response.body.as_str()), (404, NOT_FOUND));
    }
}

#[tokio::test]
async fn the_list_is_an_array_in_random_order() {
    let emulator = Emulator::builder().seed(7).start().await.unwrap();
    assert_eq!(get(&emulator, "/jobs").await.body, r#"{"jobs":[]}"#);
    let mut ids = HashSet::new();
    for number in 1..=6 {
        ids.insert(start(&emulator, json!({"prompt": "hi"})).await.0);
        within(emulator.wait_for(|stats| stats.finished == number)).await;
    }
    let mut orders = HashSet::new();
    for _ in 0..10 {
        let list = get(&emulator, "/jobs").await.json();
        let jobs = list["jobs"].as_array().unwrap();
        assert!(jobs.iter().all(|job| job["output"].is_string()), "outputs are inlined");
        let order: Vec<_> = jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(order.iter().cloned().collect::<HashSet<_>>(), ids);
        orders.insert(order);
    }
    assert!(orders.len() > 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let emulator = Emulator::builder().seed(3).start().await.unwrap();
        seen.insert(start(&emulator, json!({"prompt": "hi"})).await);
    }
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn times_are_whole_seconds_at_the_servers_offset() {
    let cases = [(0, "Z"), (120, "+02:00"), (-210, "-03:30")];
    for (minutes, suffix) in cases {
        let emulator = Emulator::builder().utc_offset_minutes(minutes).start().await.unwrap();
        let earliest = Timestamp::now().as_second();
        let (id, _) = start(&emulator, json!({"prompt": "hi"})).await;
        let job = job(&emulator, &id).await;
        for name in ["created_at", "updated_at"] {
            let time = job[name].as_str().unwrap();
            assert_eq!(time.len(), "2026-05-06T07:08:09".len() + suffix.len(), "{time}");
            assert!(time.ends_with(suffix), "{time}");
            let parsed: Timestamp = time.parse().unwrap();
            assert!((earliest..=Timestamp::now().as_second()).contains(&parsed.as_second()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_gone_an_hour_after_its_last_update() {
    let emulator = Emulator::start().await.unwrap();
    let (id, _) = start(&emulator, json!({"prompt": "hi"})).await;
    emulator.wait_for(|stats| stats.finished == 1).await;
    tokio::time::advance(Duration::from_secs(3599)).await;
    assert_eq!(job(&emulator, &id).await["status"], "completed");
    tokio::time::advance(Duration::from_secs(1)).await;
    let gone = get(&emulator, &format!("/jobs/{id}")).await;
    assert_eq!((gone.status, gone.body.as_str()), (404, NOT_FOUND));
    assert_eq!(get(&emulator, "/jobs").await.body, r#"{"jobs":[]}"#);
}

#[tokio::test]
async fn a_job_ages_with_the_servers_clock() {
    let emulator = Emulator::start().await.unwrap();
    emulator.advance_clock(Duration::from_secs(1_000_000));
    let latest = Timestamp::now().as_second() + 1_000_060;
    let (id, _) = start(&emulator, json!({"prompt": "hi"})).await;
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    let created: Timestamp = job(&emulator, &id).await["created_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((latest - 60..=latest).contains(&created.as_second()), "{created}");
    emulator.advance_clock(Duration::from_secs(3500));
    assert_eq!(job(&emulator, &id).await["status"], "completed");
    emulator.advance_clock(Duration::from_secs(100));
    assert_eq!(get(&emulator, &format!("/jobs/{id}")).await.status, 404);
}

#[tokio::test]
async fn the_time_that_jobs_are_kept_can_be_chosen() {
    let emulator = Emulator::builder().job_ttl(Duration::ZERO).start().await.unwrap();
    let (id, _) = start(&emulator, json!({"prompt": "hi"})).await;
    assert_eq!(get(&emulator, &format!("/jobs/{id}")).await.status, 404);
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
}

#[tokio::test]
async fn a_job_whose_answerer_panics_fails() {
    let at_once = |_: Run| -> Answer { panic!("on purpose") };
    let later = |_: Run| Answer::new(stream::poll_fn(|_| -> Poll<Option<Step>> { panic!("on purpose") }));
    let emulators = [
        Emulator::builder().answerer(at_once).start().await.unwrap(),
        Emulator::builder().answerer(later).start().await.unwrap(),
    ];
    for emulator in emulators {
        let (id, _) = start(&emulator, json!({"prompt": "hi"})).await;
        let mut ended = json!({"status": "running"});
        for _ in 0..1000 {
            if ended["status"] != "running" {
                break;
            }
            ended = job(&emulator, &id).await;
        }
        let text = "execution failed: the answerer panicked";
        assert_eq!((&ended["status"], &ended["error"]), (&json!("failed"), &json!(text)));
        assert_eq!((ended.get("session_id"), emulator.stopped()), (None, 0));
    }
}
