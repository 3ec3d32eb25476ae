//! Runs in the background: `Client::start`, `Client::job` and what a handle can do.

use serde_json::{Value, json};
use stromboli::{Client, ErrorKind, JobHandle, JobStatus, RunRequest};
use stromboli_emulator::Emulator;

use crate::support::{Reply, Server, within};

async fn start() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

/// The job's status when `runs` runs of the emulator have come to their end.
async fn status_after(emulator: &Emulator, runs: u64, job: &JobHandle) -> JobStatus {
    within(emulator.wait_for(|stats| stats.finished == runs)).await;
    within(job.get()).await.unwrap().status
}

#[tokio::test]
async fn a_job_is_started_at_once_and_followed_to_its_end() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let job = within(client.start("audit")).await.unwrap();
    assert!(job.id().starts_with("job-"));
    assert_eq!(job.session_id().map(str::len), Some(36));

    let running = within(job.get()).await.unwrap();
    assert_eq!((running.id.as_str(), &running.status), (job.id(), &JobStatus::Running));
    assert!(!running.status.is_final());
    assert_eq!(running.output, None);

    hold.release();
    assert_eq!(status_after(&emulator, 1, &job).await, JobStatus::Completed);
    let done = within(job.get()).await.unwrap();
    assert!(done.status.is_final());
    assert_eq!(done.output.as_deref(), Some("all well"));
    assert_eq!(done.session_id.as_deref(), job.session_id());
    assert!(done.updated_at >= done.created_at);
    assert!(done.extra.is_empty(), "{:?}", done.extra);
}

#[tokio::test]
async fn a_job_is_sent_as_a_run_is() {
    let server = Server::once(Reply::new(202).json(r#"{"job_id":"job-1"}"#).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let request = RunRequest::new("audit")
        .webhook_url("https://example.com/hook")
        .resume("s-1");
    let job = within(client.start(request)).await.unwrap();
    assert_eq!(
        (job.id(), job.session_id()),
        ("job-1", None),
        "servers before 0.4.1 name no session"
    );
    let received = server.only_request();
    assert_eq!(
        (received.method.as_str(), received.target.as_str()),
        ("POST", "/run/async")
    );
    let claude = json!({"session_id": "s-1", "resume": true});
    let expected = json!({"prompt": "audit", "webhook_url": "https://example.com/hook", "claude": claude});
    assert_eq!(serde_json::from_slice::<Value>(&received.body).unwrap(), expected);
}

#[tokio::test]
async fn a_job_is_taken_up_again_by_its_id() {
    let (emulator, client) = start().await;
    let id = within(client.start("hi")).await.unwrap().id().to_owned();
    let other = Client::new(emulator.url()).unwrap();
    let same = other.job(&id);
    assert_eq!((same.id(), same.session_id()), (id.as_str(), None));
    assert_eq!(status_after(&emulator, 1, &same).await, JobStatus::Completed);
}

#[tokio::test]
async fn a_job_outlives_its_handle_and_its_client() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let id = within(client.start("audit")).await.unwrap().id().to_owned();
    drop(client);
    hold.release();
    let job = Client::new(emulator.url()).unwrap().job(id);
    assert_eq!(status_after(&emulator, 1, &job).await, JobStatus::Completed);
    assert_eq!(emulator.stopped(), 0);
}

#[tokio::test]
async fn a_cancelled_job_becomes_what_it_really_came_to() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let job = within(client.start("audit")).await.unwrap();
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    let cancelled = within(job.cancel()).await.unwrap();
    assert_eq!((cancelled.cancelled, cancelled.job_id.as_str()), (true, job.id()));
    let status = within(job.get()).await.unwrap().status;
    assert_eq!(status, JobStatus::Cancelled);
    assert!(!status.is_final());
    assert_eq!(emulator.stopped(), 0);

    hold.release();
    assert_eq!(status_after(&emulator, 1, &job).await, JobStatus::Completed);
}

#[tokio::test]
async fn cancelling_what_has_ended_or_is_cancelled_is_a_conflict() {
    let (emulator, client) = start().await;
    let ended = within(client.start("hi")).await.unwrap();
    status_after(&emulator, 1, &ended).await;
    let _hold = emulator.on_prompt("audit").reply("all well").hold();
    let cancelled = within(client.start("audit")).await.unwrap();
    within(cancelled.cancel()).await.unwrap();
    for job in [ended, cancelled] {
        let error = within(job.cancel()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::Conflict, 409)
        );
        assert!(error.message().starts_with("cannot cancel job"), "{error}");
        assert!(!error.may_have_executed());
    }
}

#[tokio::test]
async fn a_job_that_never_was_is_not_found() {
    let (_emulator, client) = start().await;
    let job = client.job("job-0000000000000000");
    let errors = [
        within(job.get()).await.unwrap_err(),
        within(job.cancel()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_not_found(), "{error}");
        assert_eq!(error.message(), "job not found");
        assert!(!error.may_have_executed());
    }
}

#[tokio::test]
async fn a_job_that_fails_says_why_and_loses_its_session() {
    let (emulator, client) = start().await;
    emulator.on_prompt("fail").fail(2, "no such model");
    let job = within(client.start("fail")).await.unwrap();
    assert!(job.session_id().is_some());
    assert_eq!(status_after(&emulator, 1, &job).await, JobStatus::Failed);
    let failed = within(job.get()).await.unwrap();
    assert_eq!(
        failed.error.as_deref(),
        Some("execution failed: exit status 2, output: no such model")
    );
    assert_eq!((failed.output, failed.session_id), (None, None));
}

#[tokio::test]
async fn a_job_that_crashes_says_how() {
    let (emulator, client) = start().await;
    emulator.on_prompt("crash").lines(["half"]).crash(139, "SIGSEGV");
    let job = within(client.start("crash")).await.unwrap();
    assert_eq!(status_after(&emulator, 1, &job).await, JobStatus::Crashed);
    let crashed = within(job.get()).await.unwrap();
    assert_eq!(crashed.crash_info.unwrap().signal.as_deref(), Some("SIGSEGV"));
    assert_eq!(crashed.output.as_deref(), Some("half"));
}

#[tokio::test]
async fn times_are_read_in_every_form_that_servers_write() {
    for (time, same) in [
        ("2026-05-06T12:00:00+02:00", "2026-05-06T10:00:00Z"),
        ("2026-05-06T12:00:00Z", "2026-05-06T12:00:00Z"),
        ("2026-05-06T12:00:00.123456789-03:30", "2026-05-06T15:30:00.123456789Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ] {
        let body = json!({"id": "j", "status": "archived", "created_at": time, "updated_at": time, "new": 1});
        let server = Server::once(Reply::new(200).json(body.to_string()).bytes()).await;
        let job = within(Client::new(server.url()).unwrap().job("j").get()).await.unwrap();
        assert_eq!(
            (job.created_at.to_string(), job.updated_at.to_string()),
            (same.into(), same.into())
        );
        assert_eq!(
            (job.status, &job.extra["new"]),
            (JobStatus::Other("archived".into()), &json!(1))
        );
    }
}

/// What a server makes of one segment of a path.
fn decoded(segment: &str) -> String {
    let mut bytes = segment.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            _ => byte,
        });
    }
    String::from_utf8(plain).unwrap()
}

#[tokio::test]
async fn no_id_reaches_another_endpoint() {
    let server = Server::answering(|_| Reply::new(404).json(r#"{"error":"job not found"}"#).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let ids = [
        "",
        ".",
        "..",
        "a/b",
        "../health",
        "/",
        "//",
        "?x",
        "#x",
        "a?b#c",
        "%2e",
        "%2e%2e",
        ".%2e",
        "%2f",
        "%",
        "%zz",
        "a b",
        " ",
        "a\tb",
        "a\nb",
        "\0",
        "\\",
        "..\\health",
        "..\\..\\health",
        "\\\\host\\path",
        "日本",
        "@",
        ":",
        "a;b",
        "a&b=c",
        "...",
        "job-1",
        "\u{feff}",
        ".\t.",
        ".\n.",
        "\t",
        "..;",
        "http://host/",
    ];
    let mut astray = Vec::new();
    for id in ids {
        for cancel in [false, true] {
            let before = server.requests().len();
            let job = client.job(id);
            let error = match cancel {
                false => within(job.get()).await.unwrap_err(),
                true => within(job.cancel()).await.unwrap_err(),
            };
            let requests = server.requests();
            let Some(request) = requests.get(before) else {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id:?} {error}");
                assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
                continue;
            };
            assert!(error.is_not_found(), "{id:?} {error}");
            assert_eq!(request.method, if cancel { "DELETE" } else { "GET" });
            let segment = request.target.strip_prefix("/jobs/");
            let segment = segment.filter(|segment| !segment.contains(['/', '?', '#']));
            if segment.is_none_or(|segment| decoded(segment) != id) {
                astray.push((id, request.target.clone()));
            }
        }
    }
    assert!(astray.is_empty(), "{astray:?}");
}
