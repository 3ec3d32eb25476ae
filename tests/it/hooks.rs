//! Hooks: told of every attempt in order, able to add headers, and blind to what is secret.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stromboli::hooks::{Hook, RequestEvent, ResponseEvent, RetryEvent};
use stromboli::{Client, ClientBuilder, Credentials, RetryPolicy, RunRequest, Token, TokenFuture, TokenSource};

use crate::support::{COMPLETED, HEALTHY, Reply, Server, Step, deaf_port, within};

const SECRET: &str = "topsecret";

/// Writes down what it is told, under its name.
#[derive(Clone)]
struct Notes(&'static str, Arc<Mutex<Vec<String>>>);

impl Notes {
    fn new(name: &'static str) -> Self {
        Self(name, Arc::default())
    }

    fn note(&self, text: String) {
        self.1.lock().unwrap().push(format!("{}{text}", self.0));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.1.lock().unwrap())
    }
}

impl Hook for Notes {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        self.note(format!("request {} {}", request.operation, request.attempt));
    }

    fn on_response(&self, response: &ResponseEvent<'_>) {
        let ResponseEvent {
            operation,
            attempt,
            status,
            ..
        } = response;
        assert_eq!(response.headers["x-request-id"], "req-1");
        assert!(response.elapsed > Duration::ZERO);
        self.note(format!("response {operation} {attempt} {}", status.as_u16()));
    }

    fn on_retry(&self, retry: &RetryEvent) {
        self.note(format!("retry {} {} {:?}", retry.operation, retry.attempt, retry.wait));
    }
}

fn builder(url: &str) -> ClientBuilder {
    Client::builder(url).retry(RetryPolicy::default().base_delay(Duration::ZERO))
}

fn answer(reply: Reply) -> Vec<Step> {
    vec![Step::Read, Step::Send(reply.closing())]
}

#[tokio::test]
async fn a_hook_is_told_of_every_attempt_in_order() {
    let server = Server::each([
        answer(Reply::new(429).header("retry-after-ms", "7")),
        vec![Step::Read, Step::Reset],
        answer(Reply::new(200).json(HEALTHY)),
    ])
    .await;
    let notes = Notes::new("");
    within(builder(server.url()).hook(notes.clone()).build().unwrap().health())
        .await
        .unwrap();
    let told = [
        "request health 1",
        "response health 1 429",
        "retry health 1 7ms",
        "request health 2",
        "retry health 2 0ns",
        "request health 3",
        "response health 3 200",
    ];
    assert_eq!(notes.take(), told);
}

/// When it was told of a retry.
#[derive(Clone, Default)]
struct Retried(Arc<Mutex<Option<Instant>>>);

impl Hook for Retried {
    fn on_response(&self, response: &ResponseEvent<'_>) {
        if let Some(retried) = *self.0.lock().unwrap() {
            assert!(response.elapsed <= retried.elapsed(), "{:?}", response.elapsed);
        }
    }

    fn on_retry(&self, _: &RetryEvent) {
        *self.0.lock().unwrap() = Some(Instant::now());
    }
}

#[tokio::test]
async fn the_time_of_an_attempt_begins_with_it() {
    let overloaded = answer(Reply::new(503));
    let server = Server::each([overloaded, answer(Reply::new(200).json(HEALTHY))]).await;
    let hook = Retried::default();
    let client = builder(server.url()).hook(hook.clone()).build().unwrap();
    within(client.health()).await.unwrap();
    assert!(hook.0.lock().unwrap().is_some());
}

#[tokio::test]
async fn the_last_attempt_is_followed_by_no_retry() {
    let (_socket, url) = deaf_port();
    let notes = Notes::new("");
    let client = builder(&url)
        .retry(RetryPolicy::never())
        .hook(notes.clone())
        .build()
        .unwrap();
    within(client.run("hi")).await.unwrap_err();
    assert_eq!(notes.take(), ["request run_sync 1"]);
}

#[tokio::test]
async fn several_hooks_are_told_in_the_order_in_which_they_were_given() {
    let server = Server::once(Reply::new(200).json(HEALTHY).bytes()).await;
    let first = Notes::new("first ");
    let second = Notes("second ", Arc::clone(&first.1));
    let client = builder(server.url()).hook(first.clone()).hook(second).build().unwrap();
    within(client.health()).await.unwrap();
    let told = [
        "first request health 1",
        "second request health 1",
        "first response health 1 200",
        "second response health 1 200",
    ];
    assert_eq!(first.take(), told);
}

#[tokio::test]
async fn a_hook_is_told_of_the_calls_that_obtain_tokens() {
    let tokens = r#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":60}"#;
    let server = Server::answering(move |request| match request.path() {
        "/auth/token" => Reply::new(200).json(tokens).bytes(),
        _ => Reply::new(200).json(HEALTHY).bytes(),
    })
    .await;
    let notes = Notes::new("");
    let credentials = Credentials::client_id("ci", SECRET).unwrap();
    let client = builder(server.url())
        .credentials(credentials)
        .hook(notes.clone())
        .build()
        .unwrap();
    within(client.health()).await.unwrap();
    let told = [
        "request auth_token 1",
        "response auth_token 1 200",
        // Told when it is about to be sent, which it is not before there is a token.
        "request health 1",
        "response health 1 200",
    ];
    assert_eq!(notes.take(), told);
}

/// Adds a header that counts, and tries one that is not its own.
struct Headers;

impl Hook for Headers {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        request.headers.insert("x-attempt", request.attempt.into());
        request
            .headers
            .insert("authorization", "Bearer of-the-hook".parse().unwrap());
    }
}

/// One token after the other.
struct Tokens;

impl TokenSource for Tokens {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async move { Ok(Token::new(if rejected.is_some() { "second" } else { "first" })?) })
    }
}

#[tokio::test]
async fn a_hook_is_told_of_the_attempt_with_another_token() {
    let server = Server::each([answer(Reply::new(401)), answer(Reply::new(200).json(COMPLETED))]).await;
    let notes = Notes::new("");
    let builder = builder(server.url()).retry(RetryPolicy::never()).token_source(Tokens);
    within(builder.hook(notes.clone()).build().unwrap().run("hi"))
        .await
        .unwrap();
    let told = [
        "request run_sync 1",
        "response run_sync 1 401",
        "retry run_sync 1 0ns",
        "request run_sync 2",
        "response run_sync 2 200",
    ];
    assert_eq!(notes.take(), told);
}

#[tokio::test]
async fn a_hook_adds_headers_but_not_the_token() {
    let server = Server::answering(|_| Reply::new(503).bytes()).await;
    let builder = builder(server.url()).hook(Headers);
    let client = builder.token(Token::new("abc").unwrap()).build().unwrap();
    within(client.health()).await.unwrap_err();
    for (n, request) in server.requests().iter().enumerate() {
        assert_eq!(request.header("x-attempt"), Some((n + 1).to_string().as_str()));
        assert_eq!(request.header("authorization"), Some("Bearer abc"));
    }
}

/// Writes down every byte that it is shown.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<String>>);

impl Spy {
    fn see(&self, shown: String, headers: &reqwest::header::HeaderMap) {
        let mut seen = self.0.lock().unwrap();
        seen.push_str(&shown);
        for (name, value) in headers {
            seen.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        }
    }
}

impl Hook for Spy {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        self.see(format!("{request:?}"), request.headers);
    }

    fn on_response(&self, response: &ResponseEvent<'_>) {
        self.see(format!("{response:?}"), response.headers);
    }

    fn on_retry(&self, retry: &RetryEvent) {
        self.0.lock().unwrap().push_str(&format!("{retry:?}"));
    }
}

#[tokio::test]
async fn a_hook_sees_no_token_no_body_and_no_query() {
    let tokens =
        format!(r#"{{"access_token":"{SECRET}-a","refresh_token":"{SECRET}-r","token_type":"bearer","expires_in":1}}"#);
    let server = Server::answering(move |request| match request.path() {
        "/auth/token" | "/auth/refresh" => Reply::new(200).json(tokens.clone()).bytes(),
        "/run" => Reply::new(200).json(COMPLETED.replace("pong", SECRET)).bytes(),
        _ => Reply::new(429).json(format!(r#"{{"error":"{SECRET}"}}"#)).bytes(),
    })
    .await;
    let spy = Spy::default();
    for builder in [
        builder(server.url()).token(Token::new(SECRET).unwrap()),
        builder(server.url()).credentials(Credentials::client_id("ci", SECRET).unwrap()),
    ] {
        let client = builder.hook(spy.clone()).build().unwrap();
        within(client.run(RunRequest::new(SECRET).workdir(SECRET)))
            .await
            .unwrap();
        within(client.start(SECRET)).await.unwrap_err();
        within(client.stream(SECRET)).await.unwrap_err();
        let secret = serde_json::from_str(r#"{"name":"n","value":"topsecret"}"#).unwrap();
        within(client.raw().secret_create(&secret)).await.unwrap_err();
    }
    let seen = spy.0.lock().unwrap();
    assert!(seen.contains("run_stream") && seen.contains("auth_token"), "{seen}");
    assert!(!seen.contains(SECRET), "{seen}");
    let sent = server.requests();
    assert!(
        sent.iter().any(|request| request.target.contains(SECRET)),
        "there was something to be seen"
    );
}
