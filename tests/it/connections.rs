//! How calls use connections: one for many, one request for one call, and never to where a redirect points.

use futures_util::future::join_all;
use stromboli::{Client, ErrorKind};
use stromboli_emulator::{Echo, Emulator};

use crate::support::{COMPLETED, HEALTHY, Reply, Server, Step, chunk, within};

#[tokio::test]
async fn one_connection_serves_many_calls_and_clones() {
    let server = Server::answering(|request| match request.path() {
        "/health" => Reply::new(200).json(HEALTHY).bytes(),
        "/run" => Reply::new(200).json(COMPLETED).bytes(),
        _ => Reply::new(404)
            .json(r#"{"id":"","status":"error","error":"job not found"}"#)
            .bytes(),
    })
    .await;
    let client = Client::new(server.url()).unwrap();
    for _ in 0..10 {
        let clone = client.clone();
        within(clone.health()).await.unwrap();
        within(client.run("hi")).await.unwrap();
        assert!(within(clone.job("gone").get()).await.unwrap_err().is_not_found());
    }
    assert_eq!((server.requests().len(), server.connections()), (30, 1));
}

#[tokio::test]
async fn a_redirect_is_an_error_and_is_never_followed() {
    let elsewhere = Server::once(Reply::new(200).json(COMPLETED).bytes()).await;
    for status in [301, 302, 303, 307, 308] {
        for to in [format!("{}/run", elsewhere.url()), "/other".to_owned()] {
            let reply = Reply::new(status).header("Location", &to).bytes();
            let server = Server::answering(move |_| reply.clone()).await;
            let client = Client::new(server.url()).unwrap();
            let errors = [
                within(client.run("hi")).await.unwrap_err(),
                within(client.start("hi")).await.unwrap_err(),
                within(client.stream("hi")).await.unwrap_err(),
                within(client.health()).await.unwrap_err(),
                within(client.job("job-1").cancel()).await.unwrap_err(),
            ];
            for (n, error) in errors.into_iter().enumerate() {
                assert_eq!(error.kind(), ErrorKind::Redirect, "{status} {error}");
                assert_eq!(error.status().unwrap().as_u16(), status);
                assert_eq!(error.headers()["location"], to.as_str());
                // A 303 answers what was done; the fourth call only reads.
                assert_eq!(error.may_have_executed(), status == 303 && n != 3, "{error}");
                assert!(
                    !to.starts_with("http") || error.to_string().contains(elsewhere.url()),
                    "{error}"
                );
            }
            assert_eq!(server.requests().len(), 5);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_hundred_open_streams_keep_no_other_waiting() {
    let begun = [Reply::events(), chunk("data: begun\n\n")].concat();
    let server = Server::script([Step::Read, Step::Send(begun), Step::UntilClosed]).await;
    let client = Client::new(server.url()).unwrap();
    let mut open = Vec::new();
    for _ in 0..=100 {
        let mut run = within(client.stream("hi")).await.unwrap();
        assert!(within(run.try_next()).await.unwrap().is_some());
        open.push(run);
    }
    assert_eq!(server.connections(), open.len());
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_never_taken_for_the_next_calls() {
    let stale = Reply::new(200).json(COMPLETED.replace("pong", "stale")).bytes();
    let server = Server::answering(move |request| match request.path() {
        "/health" => [Reply::new(200).json(HEALTHY).bytes(), stale.clone()].concat(),
        _ => Reply::new(200).json(COMPLETED).bytes(),
    })
    .await;
    let client = Client::new(server.url()).unwrap();
    for _ in 0..50 {
        within(client.health()).await.unwrap();
        match within(client.run("hi")).await {
            Ok(reply) => assert_eq!(reply.text(), "pong"),
            // The connection was given up just when the run was sent.
            Err(error) => assert!(
                error.kind() == ErrorKind::Connection && error.may_have_executed(),
                "{error:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_run_is_sent_once_when_its_connection_breaks() {
    for end in [None, Some(Step::Reset)] {
        let server = Server::script([Step::Read].into_iter().chain(end)).await;
        let client = Client::new(server.url()).unwrap();
        let errors = [
            within(client.run("hi")).await.unwrap_err(),
            within(client.stream("hi")).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
            assert_eq!(error.attempts(), 1);
            assert!(error.may_have_executed());
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_run_is_sent_once_when_a_connection_that_was_kept_breaks() {
    let healthy = Reply::new(200).json(HEALTHY).bytes();
    let server = Server::script([Step::Read, Step::Send(healthy), Step::Read, Step::Reset]).await;
    let client = Client::new(server.url()).unwrap();
    within(client.health()).await.unwrap();
    let error = within(client.run("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(error.may_have_executed());
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn runs_and_streams_at_the_same_time_get_their_own_answers() {
    let emulator = Emulator::builder().answerer(Echo).start().await.unwrap();
    let client = Client::new(emulator.url()).unwrap();
    let prompts: Vec<_> = (0..50).map(|number| format!("prompt {number}")).collect();
    let runs = prompts
        .iter()
        .map(|prompt| async { client.run(prompt.as_str()).await.unwrap().text().to_owned() });
    let streams = prompts
        .iter()
        .map(|prompt| async { client.stream(prompt.as_str()).await.unwrap().text().await.unwrap() });
    let (ran, streamed) = within(async { tokio::join!(join_all(runs), join_all(streams)) }).await;
    assert_eq!(ran, prompts);
    assert_eq!(streamed, prompts);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_sent_is_the_answer() {
    // As a proxy with a limit does: it refuses at the head, and drains what comes.
    let refused = Reply::new(413)
        .header("Connection", "close")
        .body("text/html", "<html>")
        .bytes();
    let server = Server::script([Step::ReadHead, Step::Send(refused), Step::UntilClosed]).await;
    let client = Client::new(server.url()).unwrap();
    let error = within(client.run("x".repeat(8 * 1024 * 1024))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().map(|s| s.as_u16())),
        (ErrorKind::TooLarge, Some(413)),
        "{error:?}"
    );
    assert!(!error.may_have_executed());
}
