//! An HTTP client of the caller's, with what reqwest does by default: what it adds must not make an error untrue.

use std::time::Duration;

use futures_util::future::join;
use stromboli::{Client, Error, ErrorKind, RetryPolicy, Token, TokenFuture, TokenSource};

use crate::support::{COMPLETED, Reply, Server, Step, chunk, within};

const DONE: &str = "event: done\ndata: {\"id\":\"run-1\",\"session_id\":\"s\",\"status\":\"completed\"}\n\n";

fn client(server: &Server) -> Client {
    let quick = RetryPolicy::default().base_delay(Duration::from_millis(1));
    let builder = Client::builder(server.url()).retry(quick);
    builder.http_client(reqwest::Client::new()).build().unwrap()
}

#[tokio::test]
async fn a_run_that_was_redirected_to_nowhere_may_have_executed() {
    let nowhere = Reply::new(303).header("Location", "http://127.0.0.1:9/result").bytes();
    let server = Server::once(nowhere).await;
    let error = within(client(&server).run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Connect, true));
    assert_eq!((error.attempts(), server.connections()), (1, 1));
}

#[tokio::test]
async fn redirects_in_a_circle_are_said_to_be_that() {
    let server = Server::answering(|_| Reply::new(307).header("Location", "/run").bytes()).await;
    let error = within(client(&server).run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Redirect, true));
}

#[tokio::test]
async fn a_refusal_behind_a_redirect_does_not_speak_for_the_first_server() {
    let server = Server::answering(|request| match request.target.as_str() {
        "/run" => Reply::new(303).header("Location", "/elsewhere").bytes(),
        _ => Reply::new(429).json(r#"{"error":"rate limit exceeded"}"#).bytes(),
    })
    .await;
    let error = within(client(&server).run("hi")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.may_have_executed()),
        (ErrorKind::RateLimited, 1, true)
    );
    assert_eq!(server.requests().len(), 2);
}

/// A redirect to another host loses the token, so a 401 is what to expect there.
#[tokio::test]
async fn a_token_refused_behind_a_redirect_is_no_reason_to_run_again() {
    struct Tokens;

    impl TokenSource for Tokens {
        fn token<'a>(&'a self, _rejected: Option<&'a Token>) -> TokenFuture<'a> {
            Box::pin(async { Ok(Token::new("t")?) })
        }
    }

    let server = Server::answering(|request| match request.target.as_str() {
        "/run" => Reply::new(303).header("Location", "/elsewhere").bytes(),
        _ => Reply::new(401)
            .json(r#"{"error":"missing authorization header"}"#)
            .bytes(),
    })
    .await;
    let builder = Client::builder(server.url())
        .token_source(Tokens)
        .http_client(reqwest::Client::new());
    let error = within(builder.build().unwrap().run("hi")).await.unwrap_err();
    assert!(error.is_unauthorized() && error.may_have_executed(), "{error:?}");
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| request.target == "/run")
            .count(),
        1
    );
}

#[tokio::test]
async fn its_timeout_does_not_cut_a_stream_off() {
    let server = Server::script([
        Step::Read,
        Step::Send([Reply::events(), chunk("data: x\n\n")].concat()),
        Step::Gate,
        Step::Send(chunk(DONE)),
    ])
    .await;
    const TIMEOUT: Duration = Duration::from_millis(50);
    let http = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap();
    let client = Client::builder(server.url()).http_client(http).build().unwrap();
    let mut run = within(client.stream("hi")).await.unwrap();
    assert!(within(run.try_next()).await.unwrap().is_some());
    // Time must pass for a timeout to strike.
    tokio::time::sleep(2 * TIMEOUT).await;
    server.go_on();
    assert!(within(run.try_next()).await.unwrap().is_some());
}

#[tokio::test]
async fn its_timeout_does_not_cut_a_run_off() {
    let completed = Reply::new(200).json(COMPLETED).closing();
    let server = Server::script([Step::Read, Step::Gate, Step::Send(completed)]).await;
    const TIMEOUT: Duration = Duration::from_millis(50);
    let http = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap();
    let client = Client::builder(server.url()).http_client(http).build().unwrap();
    let answer = async {
        // Time must pass for a timeout to strike.
        tokio::time::sleep(2 * TIMEOUT).await;
        server.go_on();
    };
    let (run, ()) = within(join(client.run("hi"), answer)).await;
    run.unwrap();
}

#[tokio::test]
async fn errors_and_debug_output_of_raw_hold_no_prompt_and_no_header_of_the_callers() {
    let headers = [(reqwest::header::AUTHORIZATION, "Bearer topsecret".parse().unwrap())];
    let http = reqwest::Client::builder()
        .default_headers(headers.into_iter().collect())
        .build()
        .unwrap();
    let client = Client::builder("http://127.0.0.1:9")
        .http_client(http)
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = within(client.raw().run_stream("topsecret", None, None))
        .await
        .err()
        .unwrap();
    let shown = format!("{error} {error:?} {client:?} {:?}", client.raw());
    assert!(!shown.contains("topsecret"), "{shown}");
    let error = Error::from_raw("run_stream", error).await;
    assert!(
        error.is_connect() && error.to_string().contains("http://127.0.0.1:9"),
        "{error}"
    );
}
