//! Tokens from a source of one's own.

use std::sync::{Arc, Mutex};

use stromboli::{Client, ErrorKind, RetryPolicy, Timeouts, Token, TokenFuture, TokenSource};

use crate::support::{COMPLETED, Reply, SHORT, Server, Step, within};

/// Hands out `token-1`, `token-2`, … and a new one only when the last was refused, or fails if it has `none`.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    /// Whether a refused token was shown, for each time.
    with_refused: Vec<bool>,
    number: usize,
    /// From which time on there is none.
    none_from: Option<usize>,
}

impl TokenSource for Numbers {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async move {
            let mut asked = self.0.lock().unwrap();
            asked.with_refused.push(rejected.is_some());
            if asked.none_from.is_some_and(|from| asked.with_refused.len() > from) {
                return Ok(Token::new("")?);
            }
            if asked.number == 0 || rejected == Some(&Token::new(format!("token-{}", asked.number))?) {
                asked.number += 1;
            }
            Ok(Token::new(format!("token-{}", asked.number))?)
        })
    }
}

fn client(server: &Server, source: &Numbers) -> Client {
    let policy = RetryPolicy::default().base_delay(std::time::Duration::ZERO);
    let builder = Client::builder(server.url()).token_source(source.clone());
    builder.retry(policy).build().unwrap()
}

fn status(status: u16) -> Vec<Step> {
    let reply = Reply::new(status).json(r#"{"error":"x"}"#);
    vec![Step::Read, Step::Send(reply.closing())]
}

#[tokio::test]
async fn a_source_is_asked_before_every_attempt() {
    let server = Server::each([status(503), status(503), status(400)]).await;
    let source = Numbers::default();
    within(client(&server, &source).health()).await.unwrap_err();
    assert_eq!(source.0.lock().unwrap().with_refused, [false; 3]);
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer token-1"));
    }
}

#[tokio::test]
async fn a_source_is_shown_a_refused_token_once_and_the_call_is_sent_with_the_next() {
    let done = vec![Step::Read, Step::Send(Reply::new(200).json(COMPLETED).closing())];
    let server = Server::each([status(401), status(429), done]).await;
    let source = Numbers::default();
    within(client(&server, &source).run("hi")).await.unwrap();
    assert_eq!(source.0.lock().unwrap().with_refused, [false, true, false]);
    let requests = server.requests();
    let tokens: Vec<_> = requests.iter().map(|r| r.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
}

#[tokio::test]
async fn a_second_refusal_is_an_error() {
    let server = Server::each([status(401)]).await;
    let source = Numbers::default();
    let error = within(client(&server, &source).run("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 2));
    assert_eq!(source.0.lock().unwrap().with_refused, [false, true]);
}

#[tokio::test]
async fn a_source_that_fails_ends_the_call_before_anything_is_sent() {
    let server = Server::each([status(200)]).await;
    let source = Numbers::default();
    source.0.lock().unwrap().none_from = Some(0);
    let error = within(client(&server, &source).run("hi")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.may_have_executed()),
        (ErrorKind::InvalidInput, 0, false)
    );
    assert_eq!(error.to_string(), "run_sync failed: token is empty");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_source_that_fails_later_does_not_make_the_attempts_before_it_unhappened() {
    let server = Server::each([vec![Step::Read, Step::Reset], status(200)]).await;
    let source = Numbers::default();
    source.0.lock().unwrap().none_from = Some(1);
    let error = within(client(&server, &source).job("job-1").cancel())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidInput, 1));
    assert!(error.may_have_executed(), "the first attempt may have cancelled it");
    assert_eq!(server.connections(), 1);
}

/// Takes its time without a word to the runtime, as one that reads a file or asks another program.
struct Blocking(&'static str);

impl TokenSource for Blocking {
    fn token<'a>(&'a self, _rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async {
            std::thread::sleep(2 * SHORT);
            Ok(Token::new(self.0)?)
        })
    }
}

#[tokio::test]
async fn a_run_whose_token_came_too_late_is_not_sent() {
    let server = Server::each([status(200)]).await;
    // What the source itself says is told, late or not.
    for (token, kind) in [("late", ErrorKind::Timeout), ("", ErrorKind::InvalidInput)] {
        let builder = Client::builder(server.url()).token_source(Blocking(token));
        let client = builder.timeouts(Timeouts::default().run(SHORT)).build().unwrap();
        let error = within(client.run("hi")).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 0), "{error:?}");
        assert!(!error.may_have_executed());
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_not_sent_again() {
    let server = Server::each([status(401)]).await;
    let builder = Client::builder(server.url()).token(Token::new("abc").unwrap());
    let error = within(builder.build().unwrap().run("hi")).await.unwrap_err();
    assert!(error.is_unauthorized());
    assert_eq!((error.attempts(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_token_goes_to_no_other_host() {
    let elsewhere = Server::answering(|_| Reply::new(200).json(COMPLETED).bytes()).await;
    let to = format!("{}/run", elsewhere.url());
    for code in [301, 302, 303, 307, 308] {
        let redirect = Reply::new(code).header("Location", &to);
        let server = Server::once(redirect.bytes()).await;
        let source = Numbers::default();
        let error = within(client(&server, &source).run("hi")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirect);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_a_source_says_is_the_cause_of_the_calls_error() {
    struct Vault;

    impl TokenSource for Vault {
        fn token<'a>(&'a self, _rejected: Option<&'a Token>) -> TokenFuture<'a> {
            Box::pin(async { Err("the vault is sealed".into()) })
        }
    }

    let server = Server::script([Step::Read]).await;
    let client = Client::builder(server.url()).token_source(Vault).build().unwrap();
    let error = within(client.run("hi")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_executed()),
        (ErrorKind::Unavailable, false)
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "the vault is sealed"
    );
    assert_eq!((error.attempts(), server.connections()), (0, 0));
}
