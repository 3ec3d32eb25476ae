//! Every option of `RetryPolicy` and `RequestOptions` does what it says.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stromboli::hooks::{Hook, RetryEvent};
use stromboli::{Client, ErrorKind, RequestOptions, RetryPolicy, Timeouts};

use crate::support::{DONE, HEALTHY, Reply, SHORT, Server, Step, chunk, drain, within};

/// A time that does not pass in a test.
const NEVER: Duration = Duration::from_secs(3600);

/// A server that is always overloaded, and does not say for how long.
async fn overloaded() -> Server {
    Server::answering(|_| Reply::new(503).bytes()).await
}

/// A server that reads and says nothing.
async fn silent() -> Server {
    Server::script([Step::Read, Step::UntilClosed]).await
}

fn eager() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::ZERO)
}

fn client(server: &Server, policy: RetryPolicy) -> Client {
    Client::builder(server.url()).retry(policy).build().unwrap()
}

/// How often one read is sent to a server that is always overloaded.
async fn attempts(policy: RetryPolicy, options: RequestOptions) -> usize {
    let server = overloaded().await;
    let client = client(&server, policy).with_options(options);
    let error = within(client.health()).await.unwrap_err();
    assert_eq!(error.attempts() as usize, server.requests().len());
    server.requests().len()
}

#[tokio::test]
async fn max_attempts_counts_the_first_one() {
    let none = RequestOptions::new;
    assert_eq!(attempts(eager(), none()).await, 3);
    assert_eq!(attempts(eager().max_attempts(5), none()).await, 5);
    assert_eq!(attempts(eager().max_attempts(1), none()).await, 1);
    assert_eq!(attempts(eager().max_attempts(0), none()).await, 1);
}

#[tokio::test]
async fn never_sends_once() {
    assert_eq!(attempts(RetryPolicy::never(), RequestOptions::new()).await, 1);
}

#[tokio::test]
async fn the_options_of_a_call_say_how_often_it_is_repeated() {
    assert_eq!(attempts(eager(), RequestOptions::new().retries(0)).await, 1);
    assert_eq!(attempts(eager(), RequestOptions::new().retries(4)).await, 5);
    assert_eq!(
        attempts(RetryPolicy::never(), RequestOptions::new().retries(1)).await,
        2
    );
}

#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<Duration>>>);

impl Hook for Waits {
    fn on_retry(&self, retry: &RetryEvent) {
        self.0.lock().unwrap().push(retry.wait);
    }
}

/// The waits between 41 attempts.
async fn waits(policy: RetryPolicy) -> Vec<Duration> {
    let server = overloaded().await;
    let waits = Waits::default();
    let builder = Client::builder(server.url())
        .retry(policy.max_attempts(41))
        .hook(waits.clone());
    within(builder.build().unwrap().health()).await.unwrap_err();
    let waits = std::mem::take(&mut *waits.0.lock().unwrap());
    assert_eq!(waits.len(), 40);
    waits
}

#[tokio::test]
async fn the_base_delay_bounds_the_first_wait_and_the_max_delay_all() {
    let none = waits(eager()).await;
    assert!(none.iter().all(Duration::is_zero), "{none:?}");

    let most = Duration::from_micros(500);
    let capped = waits(RetryPolicy::default().base_delay(NEVER).max_delay(most)).await;
    assert!(capped.iter().all(|wait| *wait <= most), "{capped:?}");
    let differing = capped.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(differing > 30, "waits are drawn at random: {capped:?}");

    let base = Duration::from_nanos(1000);
    let doubled = waits(RetryPolicy::default().base_delay(base).max_delay(most)).await;
    for (n, wait) in doubled.iter().take(9).enumerate() {
        assert!(*wait <= base * (1 << n), "wait {n}: {wait:?}");
    }
    assert!(doubled.iter().any(|wait| *wait > base), "they grow: {doubled:?}");
}

#[tokio::test]
async fn a_longer_wait_than_max_retry_after_ends_the_call() {
    let server = Server::answering(|_| Reply::new(429).header("Retry-After", "3600").bytes()).await;
    for policy in [RetryPolicy::default(), RetryPolicy::default().max_retry_after(SHORT)] {
        let error = within(client(&server, policy).health()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
        assert_eq!(error.retry_after(), Some(NEVER));
    }
    let short = Server::answering(|_| Reply::new(429).header("Retry-After", "0.02").bytes()).await;
    let policy = RetryPolicy::default().max_retry_after(Duration::from_millis(19));
    assert_eq!(within(client(&short, policy).health()).await.unwrap_err().attempts(), 1);
    let policy = RetryPolicy::default().max_retry_after(Duration::from_millis(20));
    assert_eq!(within(client(&short, policy).health()).await.unwrap_err().attempts(), 3);
}

#[tokio::test]
async fn a_wait_beyond_the_clock_is_no_panic() {
    let wait = "10000000000000000000";
    let server = Server::answering(move |_| Reply::new(429).header("Retry-After", wait).bytes()).await;
    let policy = RetryPolicy::default().max_retry_after(Duration::MAX);
    let error = within(client(&server, policy).health()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
}

#[tokio::test]
async fn the_deadline_ends_a_call_that_no_timeout_ends() {
    let server = silent().await;
    let timeouts = Timeouts::default().quick(NEVER).run(NEVER).stream_idle(NEVER);
    let builder = Client::builder(server.url()).timeouts(timeouts);
    let client = builder.retry(eager().deadline(SHORT)).build().unwrap();
    let errors = [
        within(client.health()).await.unwrap_err(),
        within(client.run("hi")).await.unwrap_err(),
        within(client.stream("hi")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.attempts(), 1);
    }
}

#[tokio::test]
async fn no_wait_begins_that_would_pass_the_deadline() {
    let server = Server::answering(|_| Reply::new(429).header("Retry-After", "40").bytes()).await;
    let in_time = Duration::from_secs(39);
    for client in [
        client(&server, RetryPolicy::default().deadline(in_time)),
        client(&server, RetryPolicy::default()).with_options(RequestOptions::new().timeout(in_time)),
        Client::builder(server.url())
            .timeouts(Timeouts::default().quick(in_time))
            .build()
            .unwrap(),
    ] {
        // The error that there was is worth more than a timeout later.
        let error = within(client.health()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
    }
}

#[tokio::test]
async fn the_body_of_an_error_is_not_waited_for_beyond_the_deadline() {
    let head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let server = Server::script([Step::Read, Step::Send(head), Step::UntilClosed]).await;
    let client = client(&server, eager()).with_options(RequestOptions::new().timeout(Duration::from_millis(400)));
    let begin = std::time::Instant::now();
    assert!(within(client.stream("hi")).await.unwrap_err().is_not_found());
    assert!(within(client.health()).await.unwrap_err().is_not_found());
    // Without a deadline it would be five seconds each.
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn clones_share_one_budget_of_retries() {
    let server = overloaded().await;
    let first = client(&server, eager().budget(3));
    let clones = [
        first.clone(),
        first.with_options(RequestOptions::new().request_id("x").unwrap()),
    ];
    let mut attempts = Vec::new();
    for client in [&first, &clones[0], &clones[1], &first] {
        attempts.push(within(client.health()).await.unwrap_err().attempts());
    }
    assert_eq!(attempts, [3, 2, 1, 1], "three retries in all");
}

#[tokio::test]
async fn successes_fill_the_budget_again() {
    let overloaded = Arc::new(Mutex::new(true));
    let now = Arc::clone(&overloaded);
    let server = Server::answering(move |_| match *now.lock().unwrap() {
        true => Reply::new(503).bytes(),
        false => Reply::new(200).json(HEALTHY).bytes(),
    })
    .await;
    let client = client(&server, eager().budget(1));
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 2);
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 1);
    *overloaded.lock().unwrap() = false;
    for _ in 0..10 {
        within(client.health()).await.unwrap();
    }
    *overloaded.lock().unwrap() = true;
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 2);
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_call_that_succeeds_after_a_retry_gives_no_credit_back() {
    const CREDIT: u32 = 10;
    let attempts = AtomicU32::new(0);
    let server = Server::answering(move |_| match attempts.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Reply::new(503).bytes(),
        _ => Reply::new(200).json(HEALTHY).bytes(),
    })
    .await;
    let client = client(&server, eager().budget(CREDIT));
    for _ in 0..CREDIT {
        within(client.health()).await.unwrap();
    }
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn the_timeout_of_a_call_comes_before_that_of_its_class() {
    let server = silent().await;
    let timeouts = Timeouts::default()
        .quick(NEVER)
        .run(NEVER)
        .stream_idle(NEVER)
        .image_pull(NEVER);
    let client = Client::builder(server.url()).timeouts(timeouts).build().unwrap();
    let client = client.with_options(RequestOptions::new().timeout(SHORT).retries(0));
    assert!(within(client.health()).await.unwrap_err().is_timeout());
    assert!(within(client.run("hi")).await.unwrap_err().is_timeout());
    assert!(within(client.stream("hi")).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn the_timeout_of_a_call_is_the_longest_silence_of_its_stream() {
    let begin = [Reply::events(), chunk("data: one\n\n")].concat();
    let end = chunk(DONE);
    let steps = [Step::Read, Step::Send(begin), Step::Gate, Step::Send(end)];
    let server = Server::script(steps).await;
    let timeouts = Timeouts::default().stream_idle(NEVER);
    let client = Client::builder(server.url()).timeouts(timeouts).build().unwrap();
    let client = client.with_options(RequestOptions::new().timeout(Duration::from_millis(500)));
    let mut run = within(client.stream("hi")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert_eq!(events.len(), 1);
    assert!(error.unwrap().is_timeout());
}

#[tokio::test]
async fn headers_and_request_id_of_a_call_are_sent_with_each_attempt() {
    let server = overloaded().await;
    let options = RequestOptions::new()
        .header("x-tenant", "blue")
        .unwrap()
        .request_id("my-id")
        .unwrap();
    let client = client(&server, eager());
    within(client.with_options(options).health()).await.unwrap_err();
    within(client.with_options(RequestOptions::new().retries(0)).health())
        .await
        .unwrap_err();
    let requests = server.requests();
    let (with, without) = requests.split_at(3);
    for request in with {
        assert_eq!(request.header("x-tenant"), Some("blue"));
        assert_eq!(request.header("x-request-id"), Some("my-id"));
    }
    assert_eq!(
        (without.len(), without[0].header("x-tenant")),
        (1, None),
        "the client itself has no such header"
    );
}

#[tokio::test]
async fn options_lie_over_options() {
    let server = overloaded().await;
    let below = RequestOptions::new()
        .retries(3)
        .header("x-a", "1")
        .unwrap()
        .header("x-b", "1")
        .unwrap();
    let above = RequestOptions::new()
        .header("x-b", "2")
        .unwrap()
        .header("x-c", "3")
        .unwrap();
    let client = client(&server, eager()).with_options(below).with_options(above);
    assert_eq!(within(client.health()).await.unwrap_err().attempts(), 4);
    let request = server.requests().remove(0);
    let sent = ["x-a", "x-b", "x-c"].map(|name| request.header(name));
    assert_eq!(sent, [Some("1"), Some("2"), Some("3")]);
    let once = client.with_options(RequestOptions::new().retries(0));
    assert_eq!(within(once.health()).await.unwrap_err().attempts(), 1);
}
