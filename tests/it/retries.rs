//! What is sent again, what is not, and what an error says of it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use stromboli::hooks::{Hook, RetryEvent};
use stromboli::{Client, Error, ErrorKind, RetryPolicy, RunRequest};

use crate::support::{COMPLETED, HEALTHY, Reply, Server, Step, deaf_port, within};

/// A client of `url` that does not wait between attempts, unless it is told to.
fn client(url: &str) -> Client {
    let policy = RetryPolicy::default().base_delay(Duration::ZERO);
    Client::builder(url).retry(policy).build().unwrap()
}

/// Reads a request, answers it and closes.
fn answer(reply: Reply) -> Vec<Step> {
    vec![Step::Read, Step::Send(reply.closing())]
}

fn healthy() -> Vec<Step> {
    answer(Reply::new(200).json(HEALTHY))
}

fn error(status: u16, text: &str) -> Reply {
    Reply::new(status).json(format!(r#"{{"error":"{text}"}}"#))
}

/// What breaks a connection of which the client cannot know what the server did.
fn lost() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("closed at the head", vec![Step::ReadHead]),
        ("closed", vec![Step::Read]),
        ("reset", vec![Step::Read, Step::Reset]),
        (
            "cut head",
            vec![Step::Read, Step::Send(b"HTTP/1.1 200 OK\r\nCont".to_vec())],
        ),
        (
            "cut body",
            vec![Step::Read, Step::Send(Reply::new(200).json(COMPLETED).cut(3))],
        ),
        (
            "reset body",
            vec![
                Step::Read,
                Step::Send(Reply::new(200).json(COMPLETED).cut(3)),
                Step::Reset,
            ],
        ),
    ]
}

/// Refusals of which the server says that it ran nothing.
fn refusals() -> [Reply; 4] {
    [
        error(429, "rate limit exceeded"),
        error(503, "Claude not configured. Run 'make claude-setup' first"),
        error(503, "auth backend unavailable"),
        Reply::new(503).body("text/plain", "Claude not configured. Run 'make claude-setup' first"),
    ]
}

#[tokio::test]
async fn a_read_is_sent_again_after_whatever_may_pass() {
    let statuses = [
        ("408", 408),
        ("429", 429),
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("504", 504),
    ];
    let statuses = statuses.map(|(what, status)| (what, answer(Reply::new(status))));
    for (what, failure) in lost().into_iter().chain(statuses) {
        let server = Server::each([failure.clone(), failure.clone(), healthy()]).await;
        let health = within(client(server.url()).health()).await;
        assert!(health.is_ok(), "{what}: {health:?}");
        assert_eq!(server.connections(), 3, "{what}");
    }
}

#[tokio::test]
async fn a_read_is_not_sent_again_after_an_answer_that_waiting_does_not_change() {
    for status in [301, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 431, 501] {
        let server = Server::each([answer(Reply::new(status)), healthy()]).await;
        let error = within(client(server.url()).health()).await.unwrap_err();
        assert_eq!((error.attempts(), server.connections()), (1, 1), "{status}");
    }
    let server = Server::each([answer(Reply::new(200).json("[]")), healthy()]).await;
    let error = within(client(server.url()).health()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 1));
}

/// The errors of the three ways to run, against a server that plays `first` and then `then`.
async fn runs(first: &[Step], then: &[Step]) -> Vec<(Option<Error>, usize)> {
    let mut ends = Vec::new();
    for way in 0..3 {
        let server = Server::each([first.to_vec(), then.to_vec()]).await;
        let client = client(server.url());
        let error = match way {
            0 => within(client.run("hi")).await.err(),
            1 => within(client.start("hi")).await.err(),
            _ => match within(client.stream("hi")).await {
                Ok(run) => within(run.text()).await.err(),
                Err(error) => Some(error),
            },
        };
        ends.push((error, server.connections()));
    }
    ends
}

#[tokio::test]
async fn a_run_is_never_sent_again_when_it_may_have_begun() {
    let good = answer(Reply::new(200).json(COMPLETED));
    let answers = [
        error(408, "x"),
        error(500, "execution failed: exit status 1"),
        Reply::new(502).body("text/html", "<p>"),
        Reply::new(503).body("text/html", "<p>"),
        error(503, "upstream: Claude not configured"),
        error(504, "x"),
    ];
    let answers = answers.map(|reply| ("answer", answer(reply)));
    for (what, failure) in lost().into_iter().chain(answers) {
        for (error, connections) in runs(&failure, &good).await {
            let error = error.unwrap();
            assert_eq!((error.attempts(), connections), (1, 1), "{what}: {error:?}");
            assert!(error.may_have_executed(), "{what}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_run_is_sent_again_when_the_server_says_that_it_began_nothing() {
    for refusal in refusals() {
        for (error, connections) in runs(&answer(refusal.clone()), &answer(error(400, "end"))).await {
            let error = error.unwrap();
            // The second server's word shows that there was a second attempt.
            assert_eq!((error.message(), error.attempts(), connections), ("end", 2, 2));
            assert!(!error.may_have_executed());
        }
        for (error, connections) in runs(&answer(refusal.clone()), &answer(refusal.clone())).await {
            let error = error.unwrap();
            assert_eq!((error.attempts(), connections), (3, 3), "{error:?}");
            assert!(!error.may_have_executed(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_run_is_sent_again_when_nobody_listened() {
    let (_socket, url) = deaf_port();
    let error = within(client(&url).run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 3));
    assert!(!error.may_have_executed());
    let error = within(client(&url).stream("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 3));
}

#[tokio::test]
async fn a_run_whose_later_attempt_is_doubtful_may_have_executed() {
    let (first, then) = (answer(error(429, "x")), [Step::Read, Step::Reset]);
    for (error, connections) in runs(&first, &then).await {
        let error = error.unwrap();
        assert_eq!(
            (error.kind(), error.attempts(), connections),
            (ErrorKind::Connection, 2, 2)
        );
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_cancel_that_was_carried_out_is_not_reported_as_impossible() {
    // The first cancel reaches the server, its answer does not reach the client; then there is nothing left to cancel.
    for (what, lost) in lost() {
        for repetition in [
            error(409, "cannot cancel job (already completed, failed, or cancelled)"),
            error(404, "job not found"),
        ] {
            let server = Server::each([lost.clone(), answer(repetition)]).await;
            let error = within(client(server.url()).job("job-1").cancel()).await.unwrap_err();
            let kinds = [ErrorKind::Connection, ErrorKind::Truncated];
            assert!(kinds.contains(&error.kind()), "{what}: {error:?}");
            assert_eq!((error.attempts(), server.connections()), (2, 2), "{what}");
            assert!(error.may_have_executed(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_cancel_that_a_failing_server_may_have_carried_out_is_reported_as_that_failure() {
    let conflict = answer(error(
        409,
        "cannot cancel job (already completed, failed, or cancelled)",
    ));
    let server = Server::each([answer(error(502, "x")), answer(error(504, "y")), conflict]).await;
    let error = within(client(server.url()).job("job-1").cancel()).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout),
        "{error:?}"
    );
    assert_eq!((error.attempts(), error.may_have_executed()), (3, true));
}

#[tokio::test]
async fn a_cancel_that_was_surely_not_carried_out_is_reported_as_impossible() {
    for refusal in refusals() {
        let conflict = error(409, "cannot cancel job (already completed, failed, or cancelled)");
        let server = Server::each([answer(refusal), answer(conflict)]).await;
        let error = within(client(server.url()).job("job-1").cancel()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Conflict, 2));
        assert!(!error.may_have_executed());
    }
}

#[tokio::test]
async fn a_repeated_cancel_that_works_is_a_success() {
    let cancelled = Reply::new(200).json(r#"{"cancelled":true,"job_id":"job-1"}"#);
    let server = Server::each([vec![Step::Read, Step::Reset], answer(cancelled)]).await;
    let done = within(client(server.url()).job("job-1").cancel()).await.unwrap();
    assert_eq!((done.job_id.as_str(), server.connections()), ("job-1", 2));
}

#[tokio::test]
async fn a_later_answer_that_is_no_contradiction_keeps_the_doubt_of_the_first() {
    let server = Server::each([vec![Step::Read, Step::Reset], answer(error(429, "x"))]).await;
    let error = within(client(server.url()).job("job-1").cancel()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 3));
    assert!(error.may_have_executed(), "the first attempt may have cancelled it");
}

#[derive(Clone, Default)]
struct Waits(std::sync::Arc<Mutex<Vec<Duration>>>);

impl Hook for Waits {
    fn on_retry(&self, retry: &RetryEvent) {
        self.0.lock().unwrap().push(retry.wait);
    }
}

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_kept() {
    let arrivals = std::sync::Arc::new(Mutex::new(Vec::new()));
    let noted = std::sync::Arc::clone(&arrivals);
    let server = Server::answering(move |_| {
        let mut arrivals = noted.lock().unwrap();
        arrivals.push(Instant::now());
        match arrivals.len() {
            1 => Reply::new(429).header("Retry-After", "0.2").bytes(),
            2 => Reply::new(503).header("retry-after-ms", "150").bytes(),
            _ => Reply::new(200).json(HEALTHY).bytes(),
        }
    })
    .await;
    let waits = Waits::default();
    let policy = RetryPolicy::default().base_delay(Duration::ZERO);
    let builder = Client::builder(server.url()).retry(policy).hook(waits.clone());
    within(builder.build().unwrap().health()).await.unwrap();
    let (first, second) = (Duration::from_millis(200), Duration::from_millis(150));
    assert_eq!(*waits.0.lock().unwrap(), [first, second]);
    let arrivals = arrivals.lock().unwrap();
    assert!(arrivals[1] - arrivals[0] >= first && arrivals[2] - arrivals[1] >= second);
}

#[tokio::test]
async fn what_fails_before_anything_is_sent_has_no_attempts() {
    let server = Server::each([healthy()]).await;
    let client = client(server.url());
    let empty = within(client.run(RunRequest::new("hi").resume(""))).await.unwrap_err();
    let too_long = within(client.stream("x".repeat(70_000))).await.unwrap_err();
    for error in [empty, too_long] {
        assert_eq!((error.attempts(), error.may_have_executed()), (0, false), "{error:?}");
    }
    assert_eq!(server.connections(), 0);
}
