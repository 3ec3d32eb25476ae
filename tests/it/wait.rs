//! Waiting for a job that goes well: `JobHandle::wait`, `wait_with`, `updates` and `cancel_on_drop`.

use std::error::Error as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use stromboli::{Client, Error, ErrorKind, JobHandle, JobStatus, RequestOptions, WaitOptions};
use stromboli_emulator::Emulator;
use tokio::runtime::Handle;

use crate::support::{PAUSE, Reply, SHORT, Server, Step, within};

/// Polls as fast as the server answers.
pub(crate) fn fast<'a>() -> WaitOptions<'a> {
    let least = Duration::from_millis(1);
    WaitOptions::new().min_interval(least).max_interval(least)
}

pub(crate) async fn start() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    (emulator, client)
}

pub(crate) fn state(status: &str) -> Reply {
    let time = "2026-05-06T12:00:00Z";
    let job = json!({"id": "job-1", "status": status, "created_at": time, "updated_at": time});
    Reply::new(200).json(job.to_string())
}

/// A server that answers with these in turn, and with the last one ever after.
pub(crate) async fn answers(replies: impl IntoIterator<Item = Reply>) -> Server {
    let mut replies: Vec<Vec<u8>> = replies.into_iter().map(Reply::bytes).collect();
    replies.reverse();
    let replies = Mutex::new(replies);
    Server::answering(move |_| {
        let mut replies = replies.lock().unwrap();
        let next = replies.pop().unwrap();
        if replies.is_empty() {
            replies.push(next.clone());
        }
        next
    })
    .await
}

/// A job there, each of whose polls is one request.
pub(crate) fn job(url: &str) -> JobHandle {
    let client = Client::new(url).unwrap();
    client.with_options(RequestOptions::new().retries(0)).job("job-1")
}

pub(crate) async fn error_of(job: &JobHandle, options: WaitOptions<'_>) -> Error {
    within(job.wait_with(options)).await.unwrap_err()
}

#[tokio::test]
async fn a_job_can_be_awaited_by_value_by_reference_and_by_name() {
    let (emulator, client) = start().await;
    emulator.on_prompt("audit").reply("all well");
    let job = within(client.start("audit")).await.unwrap();
    let by_name = within(job.wait()).await.unwrap();
    let by_reference = within(async { (&job).await }).await.unwrap();
    let by_value = within(async { job.await }).await.unwrap();
    assert_eq!((by_name.text(), &by_name.status), ("all well", &JobStatus::Completed));
    assert_eq!((&by_reference, &by_value), (&by_name, &by_name));
}

#[tokio::test]
async fn waiting_can_go_to_another_task() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let job = within(client.start("audit")).await.unwrap();
    let mut updates = job.updates_with(fast());
    let tasks = (
        tokio::spawn(job.into_future()),
        tokio::spawn(async move { updates.try_next().await }),
    );
    let first = within(tasks.1).await.unwrap().unwrap().unwrap();
    assert_eq!(first.status, JobStatus::Running);
    hold.release();
    assert_eq!(within(tasks.0).await.unwrap().unwrap().text(), "all well");
}

#[tokio::test]
async fn a_job_that_failed_or_crashed_is_data_until_asked() {
    let (emulator, client) = start().await;
    emulator.on_prompt("fail").fail(2, "my words");
    emulator.on_prompt("crash").lines(["half"]).crash(137, "SIGKILL");
    for (prompt, status, shown) in [
        ("fail", JobStatus::Failed, "job failed: execution failed: exit status 2"),
        (
            "crash",
            JobStatus::Crashed,
            "agent crashed with exit code 137 on signal SIGKILL",
        ),
    ] {
        let done = within(client.start(prompt)).await.unwrap();
        let done = within(done.wait_with(fast())).await.unwrap();
        assert_eq!(done.status, status);
        let error = Error::from(done.clone().ok().unwrap_err());
        assert!(error.is_agent_failed() && error.may_have_executed(), "{error:?}");
        assert_eq!(error.to_string(), shown);
        assert_eq!((error.job(), error.reply()), (Some(&done), None));
    }
}

#[tokio::test]
async fn a_job_that_the_server_could_not_run_is_known_not_to_have_run() {
    let (_emulator, client) = start().await;
    let request = stromboli::RunRequest::new("hi").workdir("relative");
    let done = within(client.start(request)).await.unwrap();
    let done = within(done.wait_with(fast())).await.unwrap();
    let error = Error::from(done.ok().unwrap_err());
    assert_eq!(
        (error.kind(), error.may_have_executed()),
        (ErrorKind::Internal, false),
        "{error}"
    );
    assert!(
        error.to_string().starts_with("job failed: workdir validation failed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cancelled_job_is_followed_to_its_real_end() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let job = within(client.start("audit")).await.unwrap();
    let mut updates = job.updates_with(fast());
    let mut next = async || within(updates.try_next()).await.unwrap().map(|job| job.status);
    assert_eq!(next().await, Some(JobStatus::Running));
    within(job.cancel()).await.unwrap();
    assert_eq!(next().await, Some(JobStatus::Cancelled));

    let cancelled = within(job.get()).await.unwrap().ok().unwrap_err();
    let error = Error::from(cancelled);
    assert_eq!((error.kind(), error.code()), (ErrorKind::Cancelled, "CANCELLED"));
    assert!(error.may_have_executed());

    hold.release();
    assert_eq!(next().await, Some(JobStatus::Completed));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn updates_are_a_stream_of_the_first_state_and_each_change() {
    let states = ["running", "running", "paused", "paused", "running", "completed"];
    let server = answers(states.map(state)).await;
    let updates = job(server.url()).updates_with(fast());
    let seen: Vec<_> = within(updates.map_ok(|job| job.status.to_string()).try_collect())
        .await
        .unwrap();
    assert_eq!(seen, ["running", "paused", "running", "completed"]);
    assert_eq!(server.requests().len(), states.len());
}

#[tokio::test]
async fn a_callback_is_told_of_the_same_changes() {
    let server = answers(["running", "running", "cancelled", "completed"].map(state)).await;
    let mut seen = Vec::new();
    let options = fast().on_update(|job| seen.push(job.status.to_string()));
    let done = within(job(server.url()).wait_with(options)).await.unwrap();
    assert_eq!(done.status, JobStatus::Completed);
    assert_eq!(seen, ["running", "cancelled", "completed"]);
}

#[tokio::test]
async fn between_polls_there_is_a_pause() {
    let server = answers(["running", "running", "completed"].map(state)).await;
    let pause = Duration::from_millis(100);
    let started = Instant::now();
    let options = WaitOptions::new().min_interval(pause).max_interval(pause);
    within(job(server.url()).wait_with(options)).await.unwrap();
    assert!(started.elapsed() >= 2 * pause);
}

#[tokio::test]
async fn updates_that_nobody_asks_for_are_not_polled() {
    let server = answers(["running", "completed"].map(state)).await;
    let mut updates = job(server.url()).updates_with(fast());
    assert_eq!(server.connections(), 0);
    within(updates.try_next()).await.unwrap();
    // Time has to pass: that nothing happens in it is the promise.
    tokio::time::sleep(SHORT).await;
    assert_eq!(server.requests().len(), 1);
    drop(within(updates.try_next()).await);
    assert!(within(updates.next()).await.is_none());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn dropping_a_future_of_updates_loses_nothing() {
    let server = Server::script([
        Step::Read,
        Step::Gate,
        Step::Send(state("running").bytes()),
        Step::Read,
        Step::Send(state("completed").bytes()),
    ])
    .await;
    let mut updates = job(server.url()).updates_with(fast());
    tokio::select! {
        biased;
        _ = updates.try_next() => panic!("the server has not answered"),
        () = server.wait_for(|seen| seen.requests == 1) => {}
    }
    server.go_on();
    assert_eq!(
        within(updates.try_next()).await.unwrap().unwrap().status,
        JobStatus::Running
    );
    assert_eq!(server.requests().len(), 1, "the same poll went on");
}

#[tokio::test]
async fn a_wait_that_takes_too_long_is_a_timeout_and_can_be_taken_up_again() {
    let (emulator, client) = start().await;
    let hold = emulator.on_prompt("audit").reply("all well").hold();
    let job = within(client.start("audit")).await.unwrap();
    let error = error_of(&job, fast().timeout(PAUSE)).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Timeout, None));
    assert!(error.may_have_executed());
    let resume = format!("wait again with client.job({:?}).wait()", job.id());
    assert!(error.to_string().ends_with(&resume), "{error}");
    assert!(error.source().is_none(), "no poll failed");

    hold.release();
    let other = Client::new(emulator.url()).unwrap();
    assert_eq!(within(other.job(job.id()).wait()).await.unwrap().text(), "all well");
    assert_eq!(emulator.stopped(), 0);
}

/// The methods of the requests so far.
fn methods(emulator: &Emulator) -> Vec<String> {
    emulator.requests().into_iter().map(|request| request.method).collect()
}

#[tokio::test]
async fn a_guard_cancels_its_job_when_it_is_dropped() {
    let (emulator, client) = start().await;
    let _hold = emulator.on_prompt("audit").reply("all well").hold();
    let guard = within(client.start("audit"))
        .await
        .unwrap()
        .cancel_on_drop(&Handle::current());
    assert!(guard.id().starts_with("job-"), "it is the job's handle as well");
    let job = client.job(guard.id());
    drop(guard);
    within(emulator.wait_for(|stats| stats.requests == 2)).await;
    assert_eq!(methods(&emulator), ["POST", "DELETE"]);
    let mut updates = job.updates_with(fast());
    while within(updates.try_next()).await.unwrap().unwrap().status != JobStatus::Cancelled {}
}

#[tokio::test]
async fn a_guard_that_is_disarmed_cancels_nothing() {
    let (emulator, client) = start().await;
    let guard = within(client.start("audit"))
        .await
        .unwrap()
        .cancel_on_drop(&Handle::current());
    let job = guard.disarm();
    within(job.wait_with(fast())).await.unwrap();
    drop(job);
    within(client.health()).await.unwrap();
    assert!(!methods(&emulator).contains(&"DELETE".to_owned()));
}

#[test]
fn a_guard_that_outlives_its_runtime_does_no_harm() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = Client::new("http://127.0.0.1:9").unwrap();
    let guard = client.job("job-1").cancel_on_drop(runtime.handle());
    drop(runtime);
    drop(guard);
}

#[tokio::test]
async fn nothing_of_a_wait_shows_what_a_job_printed() {
    let done: Value = json!({"id": "job-1", "status": "completed", "output": "topsecret",
        "created_at": "2026-05-06T12:00:00Z", "updated_at": "2026-05-06T12:00:00Z"});
    let server = answers([Reply::new(200).json(done.to_string())]).await;
    let options = fast().on_update(|_| {});
    assert!(!format!("{options:?}").contains("topsecret"));
    let mut updates = job(server.url()).updates_with(options);
    within(updates.try_next()).await.unwrap();
    assert_eq!(format!("{updates:?}"), "JobUpdates { ended: true, .. }");
}
