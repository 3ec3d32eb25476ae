//! Tokens and prompts are in nothing that is printed: no `Debug`, no `Display`, no cause of an error.

use std::error::Error as _;
use std::fmt::{Debug, Write};
use std::time::Duration;

use serde_json::json;
use stromboli::{
    AgentRequest, ClaudeOptions, Client, Error, ErrorKind, RetryPolicy, RunRequest, Secret, StreamRequest, Timeouts,
    Token,
};

use crate::support::{COMPLETED, DONE, PAUSE, Reply, Server, Step, chunk, deaf_port, within};

/// Letters alone, so that no encoding hides them.
const TOKEN: &str = "topsecrettoken";
const PROMPT: &str = "topsecretprompt";
const SYSTEM: &str = "topsecretsystemprompt";
const ALL: &str = "topsecret";

/// A timeout that does not strike.
const LONG: Duration = Duration::from_secs(60);

fn client(url: &str, timeout: Duration) -> Client {
    let timeouts = Timeouts::default().quick(timeout).run(timeout).stream_idle(timeout);
    Client::builder(url)
        .token(Token::new(TOKEN).unwrap())
        .timeouts(timeouts)
        .build()
        .unwrap()
}

fn request() -> RunRequest {
    RunRequest::new(PROMPT).claude(ClaudeOptions::new().system_prompt(SYSTEM).append_system_prompt(SYSTEM))
}

fn assert_silent(what: &impl Debug) {
    for text in [format!("{what:?}"), format!("{what:#?}")] {
        assert!(!text.contains(ALL), "{text}");
    }
}

/// Everything that printing this error and its causes shows.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(current) = cause {
        write!(text, "\n{current} {current:?} {current:#?}").unwrap();
        cause = current.source();
    }
    text
}

/// The errors of a run, a job and a stream against `url`, as far as they fail.
async fn errors(url: &str, timeout: Duration) -> Vec<Error> {
    let client = client(url, timeout);
    let mut errors = Vec::new();
    errors.extend(within(client.run(request())).await.err());
    errors.extend(within(client.start(request())).await.err());
    match within(client.stream(PROMPT)).await {
        Ok(run) => errors.extend(within(run.text()).await.err()),
        Err(error) => errors.push(error),
    }
    errors
}

#[tokio::test]
async fn what_is_built_shows_no_secret() {
    let builder = Client::builder("http://localhost:8080").token(Token::new(TOKEN).unwrap());
    assert_silent(&builder);
    assert_silent(&Token::new(TOKEN));
    assert_silent(&Token::new(format!("{TOKEN}\n")).unwrap_err());
    let client = builder.build().unwrap();
    assert_silent(&client);
    assert_silent(client.raw());
    assert_silent(&client.job("job-1"));
    assert_silent(&request());
    assert_silent(&request().claude);
    assert_silent(&StreamRequest::new(PROMPT));
    assert_silent(&AgentRequest::new().prompt(PROMPT));
    assert_silent(&Secret::new(ALL));
    let groups = (client.jobs(), client.sessions(), client.secrets(), client.images());
    assert_silent(&groups);
    assert_silent(&(client.agents(), client.auth(), client.session("s-1").messages()));
    assert_silent(&client.session("s-1").messages().stream());
}

#[tokio::test]
async fn tokens_that_were_obtained_are_not_shown() {
    let body = json!({"access_token": TOKEN, "refresh_token": TOKEN, "token_type": "bearer", "expires_in": 1});
    let server = Server::once(Reply::new(200).json(body.to_string()).bytes()).await;
    let auth = client(server.url(), LONG).auth();
    assert_silent(&within(auth.token("ci")).await.unwrap());
    assert_silent(&within(auth.refresh(TOKEN)).await.unwrap());
}

#[tokio::test]
async fn an_error_of_a_call_with_a_secret_in_it_shows_no_secret() {
    let echo = json!({"value": ALL, "prompt": PROMPT, "refresh_token": TOKEN}).to_string();
    let garbled = json!({"success": ALL, "name": [ALL], "turn_id": [PROMPT], "access_token": [TOKEN]}).to_string();
    for status in [200, 201, 202, 400, 401, 409, 500] {
        for body in [&echo, &garbled] {
            let server = Server::once(Reply::new(status).json(body.clone()).bytes()).await;
            let builder = Client::builder(server.url()).token(Token::new(TOKEN).unwrap());
            let client = builder.retry(RetryPolicy::never()).build().unwrap();
            let errors = [
                within(client.secrets().create("token", Secret::new(ALL)))
                    .await
                    .unwrap_err(),
                within(client.auth().refresh(TOKEN)).await.unwrap_err(),
                within(client.auth().token("ci")).await.unwrap_err(),
                within(client.agents().spawn(AgentRequest::new().prompt(PROMPT)))
                    .await
                    .unwrap_err(),
                within(client.agent("agent-1").send(PROMPT)).await.unwrap_err(),
            ];
            for error in errors {
                assert!(!shown(&error).contains(ALL), "{}", shown(&error));
            }
        }
    }
}

#[test]
fn a_builder_shows_no_password_of_its_url() {
    assert_silent(&Client::builder("http://user:topsecret@localhost:8080"));
}

#[tokio::test]
async fn a_stream_shows_no_secret() {
    let server = Server::once([Reply::events(), chunk(DONE)].concat()).await;
    let mut run = within(client(server.url(), LONG).stream(PROMPT)).await.unwrap();
    assert_silent(&run);
    within(run.try_next()).await.unwrap();
    assert_silent(&run);
}

#[tokio::test]
async fn an_error_without_a_connection_shows_no_secret() {
    let (_socket, url) = deaf_port();
    // The prompt of a stream is in its URL, which HTTP libraries like to print.
    let errors = errors(&url, LONG).await;
    assert_eq!(errors.len(), 3);
    for error in errors {
        assert!(error.is_connect(), "{error:?}");
        assert!(!shown(&error).contains(ALL), "{}", shown(&error));
    }
}

#[tokio::test]
async fn an_error_of_a_raw_stream_without_an_answer_shows_no_prompt() {
    let (_socket, deaf) = deaf_port();
    let broken = Server::script([Step::Read, Step::Reset]).await;
    for url in [deaf.as_str(), broken.url()] {
        // Such an error is the HTTP library's own, and that has the URL.
        let builder = Client::builder(url).retry(RetryPolicy::never());
        let client = builder.build().unwrap();
        let error = within(client.raw().run_stream(PROMPT, None, None)).await.err();
        let shown = error.map(|error| format!("{error} {error:?} {error:#?}")).unwrap();
        assert!(shown.contains("/run/stream"), "{shown}");
        assert!(!shown.contains(ALL), "{shown}");
    }
}

#[tokio::test]
async fn an_error_of_a_name_that_does_not_resolve_shows_no_secret() {
    // Some resolvers take their time to say no.
    for error in errors("http://no-such-host.invalid", PAUSE).await {
        assert!(error.is_connect() || error.is_timeout(), "{error:?}");
        assert!(!shown(&error).contains(ALL), "{}", shown(&error));
    }
}

#[tokio::test]
async fn an_error_of_tls_shows_no_secret() {
    let plaintext = Server::script([
        Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Step::UntilClosed,
    ])
    .await;
    for error in errors(&plaintext.url().replace("http:", "https:"), LONG).await {
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
        assert!(!shown(&error).contains(ALL), "{}", shown(&error));
    }
}

#[tokio::test]
async fn an_error_of_a_connection_shows_no_secret() {
    for steps in [
        vec![],
        vec![Step::Read],
        vec![Step::Read, Step::Reset],
        vec![Step::Read, Step::UntilClosed],
        vec![Step::Read, Step::Send(b"garbage\r\n\r\n".to_vec())],
        vec![Step::Read, Step::Send([Reply::events(), chunk("data: x\n\n")].concat())],
        vec![
            Step::Read,
            Step::Send([Reply::events(), chunk("data: x\n\n")].concat()),
            Step::UntilClosed,
        ],
        vec![Step::Read, Step::Send(Reply::new(200).json(COMPLETED).cut(3))],
    ] {
        let server = Server::script(steps).await;
        for error in errors(server.url(), PAUSE).await {
            assert!(!shown(&error).contains(ALL), "{}", shown(&error));
        }
        for request in server.requests() {
            assert!(request.target.contains(PROMPT) || !request.body.is_empty());
        }
    }
}

#[tokio::test]
async fn an_error_of_a_response_that_repeats_the_prompt_shows_no_secret() {
    let failed = format!("execution failed: exit status 1, output: {PROMPT} {SYSTEM}");
    let failed = json!({"id": "", "status": "error", "error": failed}).to_string();
    let to = format!("/run/stream/?prompt={PROMPT}");
    let echo = json!({"prompt": PROMPT, "token": TOKEN}).to_string();
    let mut replies: Vec<_> = [200, 202, 400, 401, 404, 500, 503]
        .into_iter()
        .flat_map(|status| {
            [
                Reply::new(status).json(echo.clone()),
                Reply::new(status).body("text/html", format!("<p>{PROMPT}</p>")),
                Reply::new(status).header("X-Echo", PROMPT).header("Set-Cookie", TOKEN),
            ]
        })
        .collect();
    replies.push(Reply::new(500).json(failed));
    replies.push(Reply::new(307).header("Location", &to));
    replies.push(Reply::new(307).header("Location", &format!("http://127.0.0.1:1{to}")));
    replies.push(Reply::new(200).json(format!(r#"{{"id":"r","status":["{PROMPT}"]}}"#)));
    replies.push(Reply::new(200).json(format!(r#"{{"id":"r","{PROMPT}":"#)));
    replies.push(Reply::new(200).body("text/event-stream", format!("data: {PROMPT}\n\n")));
    replies.push(Reply::new(200).body("text/event-stream", format!("event: done\ndata: \"{PROMPT}\"\n\n")));
    replies.push(Reply::new(200).body("text/event-stream", format!("event: done\ndata: {PROMPT}\n\n")));
    for reply in replies {
        let server = Server::once(reply.bytes()).await;
        let errors = errors(server.url(), LONG).await;
        assert!(errors.len() >= 2);
        for error in errors {
            assert!(!shown(&error).contains(ALL), "{}", shown(&error));
        }
    }
}

#[tokio::test]
async fn an_error_before_anything_is_sent_shows_no_secret() {
    let client = client("http://localhost:8080", LONG);
    let errors = [
        within(client.run(request().resume(""))).await.unwrap_err(),
        within(client.stream(PROMPT.repeat(10_000))).await.unwrap_err(),
        Client::new(format!("http://{TOKEN}@localhost")).unwrap_err(),
        Client::new(format!("http://localhost/?token={TOKEN}")).unwrap_err(),
        Client::new(format!("http://local host/{TOKEN}")).unwrap_err(),
        Client::builder("http://localhost")
            .user_agent(format!("{TOKEN}\n"))
            .build()
            .unwrap_err(),
    ];
    for error in errors {
        assert!(!shown(&error).contains(ALL), "{}", shown(&error));
    }
}
