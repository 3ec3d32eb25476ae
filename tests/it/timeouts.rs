//! Each class of operation has the time that its option gives it, and no other's.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join;
use stromboli::hooks::{Hook, ResponseEvent};
use stromboli::{Client, Error, ErrorKind, PodmanOptions, RetryPolicy, RunRequest, Timeouts};
use tokio::sync::oneshot;

use crate::support::{COMPLETED, DONE, HEALTHY, PAUSE, Reply, SHORT, Server, Step, chunk, client_with, within};

/// A time that does not pass in a test.
const NEVER: Duration = Duration::from_secs(3600);

fn never() -> Timeouts {
    let timeouts = Timeouts::default().quick(NEVER).run(NEVER);
    timeouts.image_pull(NEVER).stream_idle(NEVER)
}

async fn pull(client: &Client) -> Result<(), Error> {
    let request = serde_json::from_str(r#"{"image":"python:3.12"}"#).unwrap();
    match client.raw().image_pull(&request).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::from_raw("image_pull", error).await),
    }
}

#[tokio::test]
async fn each_class_ends_at_its_own_time() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let client = client_with(&server, never().quick(SHORT));
    let health = within(client.health()).await.unwrap_err();
    let start = within(client.start("hi")).await.unwrap_err();
    let run = within(client_with(&server, never().run(SHORT)).run("hi"))
        .await
        .unwrap_err();
    let pull = within(pull(&client_with(&server, never().image_pull(SHORT))))
        .await
        .unwrap_err();
    let stream = within(client_with(&server, never().stream_idle(SHORT)).stream("hi"))
        .await
        .unwrap_err();
    assert_eq!(stream.to_string(), "run_stream failed: server sent nothing for 60ms");
    let late = format!(
        "run_sync failed: {} did not answer within the call's time",
        server.url()
    );
    assert_eq!(run.to_string(), late);
    for (error, executed) in [
        (health, false),
        (start, true),
        (run, true),
        (pull, true),
        (stream, true),
    ] {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1), "{error:?}");
        assert_eq!(error.may_have_executed(), executed, "{error:?}");
    }
}

/// What becomes of `call` when the server answers after the time of the other classes.
async fn late<T>(server: &Server, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let answer = async {
        tokio::time::sleep(SHORT * 2).await;
        server.go_on();
    };
    within(join(call, answer)).await.0
}

#[tokio::test]
async fn no_class_ends_at_the_time_of_another() {
    let slow = |reply: Vec<u8>| Server::script([Step::Read, Step::Gate, Step::Send(reply)]);
    let all = || {
        Timeouts::default()
            .quick(SHORT)
            .run(SHORT)
            .image_pull(SHORT)
            .stream_idle(SHORT)
    };

    let server = slow(Reply::new(200).json(HEALTHY).closing()).await;
    late(&server, client_with(&server, all().quick(NEVER)).health())
        .await
        .unwrap();

    let server = slow(Reply::new(200).json(COMPLETED).closing()).await;
    late(&server, client_with(&server, all().run(NEVER)).run("hi"))
        .await
        .unwrap();

    let server = slow([Reply::events(), chunk(DONE)].concat()).await;
    late(&server, client_with(&server, all().stream_idle(NEVER)).stream("hi"))
        .await
        .unwrap();

    let pulled = Reply::new(200).json(r#"{"success":true,"image":"python:3.12"}"#);
    let server = slow(pulled.closing()).await;
    late(&server, pull(&client_with(&server, all().image_pull(NEVER))))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_time_of_a_call_covers_all_of_its_attempts() {
    let server = Server::answering(|_| Reply::new(429).header("Retry-After", "0.05").bytes()).await;
    let client = Client::builder(server.url())
        .timeouts(never().quick(PAUSE))
        .retry(RetryPolicy::default().max_attempts(1000))
        .build()
        .unwrap();
    let error = within(client.health()).await.unwrap_err();
    assert!(error.is_rate_limited() || error.is_timeout(), "{error:?}");
    assert!((1..=10).contains(&error.attempts()), "{error:?}");
}

#[tokio::test]
async fn a_call_whose_time_is_up_says_how_often_it_was_sent() {
    let overloaded = vec![Step::Read, Step::Send(Reply::new(503).closing())];
    let server = Server::each([overloaded, vec![Step::Read, Step::UntilClosed]]).await;
    let policy = RetryPolicy::default().base_delay(Duration::ZERO);
    let builder = Client::builder(server.url())
        .timeouts(never().quick(PAUSE))
        .retry(policy);
    let error = within(builder.build().unwrap().health()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2), "{error:?}");
}

async fn minutes_pass(minutes: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60 * minutes)).await;
    tokio::time::resume();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Closing the connection would kill the run and lose its output.
#[tokio::test]
async fn a_run_is_waited_for_as_long_as_its_request_lets_it_run_and_a_little_more() {
    for (limit, before, after) in [(None, 34, 2), (Some(Duration::from_secs(2 * 3600)), 124, 2)] {
        let server = Server::script([Step::Read, Step::UntilClosed]).await;
        let client = Client::new(server.url()).unwrap();
        let podman = limit.map_or_else(PodmanOptions::new, |limit| PodmanOptions::new().timeout(limit));
        let run = tokio::spawn(async move { client.run(RunRequest::new("hi").podman(podman)).await });
        server.wait_for(|seen| seen.requests > 0).await;
        minutes_pass(before).await;
        assert!(!run.is_finished(), "{limit:?}");
        minutes_pass(after).await;
        let error = within(run).await.unwrap().unwrap_err();
        assert!(error.is_timeout() && error.may_have_executed(), "{error:?}");
    }
}

#[tokio::test]
async fn a_time_that_was_set_for_runs_counts_whatever_the_request_says() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let podman = PodmanOptions::new().timeout(NEVER);
    let client = client_with(&server, never().run(SHORT));
    let error = within(client.run(RunRequest::new("hi").podman(podman)))
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

/// Tells of the first response.
struct Head(Mutex<Option<oneshot::Sender<()>>>);

impl Hook for Head {
    fn on_response(&self, _: &ResponseEvent<'_>) {
        if let Some(sender) = self.0.lock().unwrap().take() {
            sender.send(()).unwrap();
        }
    }
}

#[tokio::test]
async fn the_body_of_an_error_is_not_waited_for_as_long_as_a_call_may_take() {
    let half = Reply::new(500).json(r#"{"error":"no"}"#).cut(4);
    let server = Server::script([Step::Read, Step::Send(half), Step::UntilClosed]).await;
    let (sender, head) = oneshot::channel();
    let builder = Client::builder(server.url())
        .timeouts(never())
        .retry(RetryPolicy::never());
    let client = builder.hook(Head(Mutex::new(Some(sender)))).build().unwrap();
    let health = tokio::spawn(async move { client.health().await });
    within(head).await.unwrap();
    minutes_pass(1).await;
    let error = within(health).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error:?}");
}
