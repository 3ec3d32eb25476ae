//! Waiting for a job when polls fail: what is ridden out, what ends the wait, and what its error says.

use std::error::Error as _;
use std::time::{Duration, Instant};

use stromboli::hooks::{Hook, RequestEvent};
use stromboli::{Client, Error, ErrorKind, JobStatus, RetryPolicy, WaitOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

use crate::support::{PAUSE, Reply, Server, Step, deaf_port, within};
use crate::wait::{answers, error_of, fast, job, start, state};

fn failure(status: u16) -> Reply {
    Reply::new(status).json(r#"{"error":"not now"}"#)
}

#[tokio::test]
async fn polls_that_fail_in_passing_are_ridden_out() {
    let failures = [429, 500, 502, 503, 504, 408].map(failure);
    let server = answers(failures.into_iter().chain(["running", "completed"].map(state))).await;
    let done = within(job(server.url()).wait_with(fast())).await.unwrap();
    assert_eq!(done.status, JobStatus::Completed);
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn connections_that_fail_are_ridden_out_within_the_deadline() {
    let (socket, url) = deaf_port();
    let cut = Server::script([Step::Read, Step::Send(state("running").cut(3))]).await;
    let reset = Server::script([Step::Read, Step::Reset]).await;
    for (url, kind) in [
        (url.as_str(), ErrorKind::Connect),
        (cut.url(), ErrorKind::Truncated),
        (reset.url(), ErrorKind::Connection),
    ] {
        let error = error_of(&job(url), fast().timeout(PAUSE)).await;
        assert!(error.is_timeout(), "{error}");
        assert!(error.attempts() > 1, "{} polls", error.attempts());
        let cause = error.source().and_then(|cause| cause.downcast_ref::<Error>()).unwrap();
        assert_eq!(cause.kind(), kind, "{cause}");
    }
    drop(socket);
}

/// Answers with a status of success that are none of a job.
fn garbled() -> [Reply; 3] {
    [
        Reply::new(200).body("text/html", "<h1>one moment, please</h1>"),
        Reply::new(200).json("{}"),
        Reply::new(204),
    ]
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_ridden_out() {
    let ended = garbled().into_iter().chain([state("completed")]);
    let server = answers([state("running")].into_iter().chain(ended)).await;
    let done = within(job(server.url()).wait_with(fast())).await.unwrap();
    assert_eq!(done.status, JobStatus::Completed);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn answers_that_never_can_be_read_end_the_wait_with_that() {
    for garbled in garbled() {
        let server = answers([state("running"), garbled.clone()]).await;
        let error = error_of(&job(server.url()), fast().give_up_after(PAUSE)).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.may_have_executed(), "the job may run");
        let polls = server.requests().len() - 1;
        assert!(polls > 1, "{polls}");
        let shown = error.to_string();
        assert!(shown.contains(&format!("(failed poll {polls} in a row,")), "{shown}");

        let server = answers([garbled.clone()]).await;
        let error = error_of(&job(server.url()), fast().timeout(PAUSE)).await;
        assert!(error.is_timeout(), "{error}");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<Error>()).unwrap();
        assert_eq!(cause.kind(), ErrorKind::Decode, "{cause}");

        let server = answers([garbled]).await;
        let error = error_of(&job(server.url()), fast().give_up_after(Duration::ZERO)).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// Counts the requests that are about to be sent.
struct Count(watch::Sender<usize>);

impl Hook for Count {
    fn on_request(&self, _: &mut RequestEvent<'_>) {
        self.0.send_modify(|count| *count += 1);
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_again() {
    let (socket, url) = deaf_port();
    let (count, mut polls) = watch::channel(0);
    let client = Client::builder(&url)
        .retry(RetryPolicy::never())
        .hook(Count(count))
        .build()
        .unwrap();
    let wait = tokio::spawn(async move { client.job("job-1").wait_with(fast()).await });
    within(polls.wait_for(|polls| *polls > 3)).await.unwrap();
    let listener = socket.listen(8).unwrap();
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    stream.write_all(&state("completed").bytes()).await.unwrap();
    assert_eq!(within(wait).await.unwrap().unwrap().status, JobStatus::Completed);
}

#[tokio::test]
async fn without_a_deadline_nothing_but_errors_ends_the_wait() {
    let server = answers([failure(503)]).await;
    let error = error_of(&job(server.url()), fast().give_up_after(PAUSE)).await;
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Unavailable, 503)
    );
    let polls = server.requests().len();
    assert!(polls > 1);
    let shown = error.to_string();
    assert!(
        shown.contains(&format!(
            "not now (failed poll {polls} in a row, and job job-1 may go on)"
        )),
        "{shown}"
    );
    assert!(error.may_have_executed(), "the job may run");
}

#[tokio::test]
async fn a_poll_that_succeeds_ends_an_outage() {
    let later = || failure(503).header("Retry-After", "0.4");
    let server = answers([
        later(),
        state("running"),
        later(),
        state("running"),
        later(),
        state("completed"),
    ])
    .await;
    let outage = Duration::from_secs(1);
    let done = within(job(server.url()).wait_with(fast().give_up_after(outage))).await;
    assert_eq!(done.unwrap().status, JobStatus::Completed);
}

#[tokio::test]
async fn the_servers_retry_after_is_kept() {
    let server = answers([failure(429).header("Retry-After", "0.3"), state("completed")]).await;
    let started = Instant::now();
    within(job(server.url()).wait_with(fast())).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));

    let server = answers([failure(429).header("Retry-After", "3600")]).await;
    let error = error_of(&job(server.url()), fast()).await;
    assert!(error.is_rate_limited(), "too long a wait is told at once: {error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn errors_that_do_not_pass_end_the_wait_at_once() {
    for (status, kind) in [
        (400, ErrorKind::BadRequest),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (302, ErrorKind::Redirect),
    ] {
        let server = answers([state("running"), failure(status)]).await;
        let mut updates = job(server.url()).updates_with(fast());
        within(updates.try_next()).await.unwrap();
        let error = within(updates.try_next()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.may_have_executed(), "the job may run");
        assert!(
            within(updates.try_next()).await.unwrap().is_none(),
            "an error is the last"
        );
        assert_eq!(server.requests().len(), 2);
    }
    let server = answers([state("running")]).await;
    let error = error_of(&Client::new(server.url()).unwrap().job(""), fast()).await;
    assert_eq!(
        (error.kind(), error.may_have_executed()),
        (ErrorKind::InvalidInput, false)
    );
}

#[tokio::test]
async fn a_job_that_the_server_forgot_is_an_error_that_says_so() {
    let (_emulator, client) = start().await;
    let error = error_of(&client.job("job-0000000000000000"), WaitOptions::new()).await;
    let rules = "job not found; server forgets a job one hour after its end, and every job when it restarts";
    assert!(error.is_not_found() && error.may_have_executed());
    assert_eq!(error.message(), rules);
    assert_eq!(error.to_string(), format!("job_get failed with status 404: {rules}"));

    let gone = Reply::new(404).json(r#"{"error":"job not found"}"#);
    let server = answers([state("running"), gone]).await;
    let error = error_of(&job(server.url()), fast()).await;
    assert!(error.is_not_found());
    assert_eq!(
        error.message(),
        format!("{rules}, and this one was running when last seen")
    );
}

#[tokio::test]
async fn a_poll_that_hangs_does_not_outlast_the_deadline() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let error = error_of(&job(server.url()), fast().timeout(PAUSE)).await;
    assert!(error.is_timeout(), "{error}");
    server.wait_for(|seen| seen.closed == 1).await;
}
