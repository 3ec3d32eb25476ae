//! `Client::request`: what the contract does not have, on the wrapper's transport and with the care for what runs an agent.

use std::time::Duration;

use stromboli::{Client, ErrorKind, RequestOptions, Timeouts, Token};

use crate::support::{LAST_CHUNK, Reply, SHORT, Server, Step, chunk, client_with, deaf_port, within};

#[tokio::test]
async fn a_request_has_token_user_agent_base_path_and_json() {
    let server = Server::answering(|_| Reply::new(201).json(r#"{"a":1}"#).header("x-b", "c").bytes()).await;
    let builder = Client::builder(format!("{}/base/", server.url())).token(Token::new("abc").unwrap());
    let client = builder.user_agent("my-app/1.0").build().unwrap();
    let answer = within(client.request("PATCH", "/brand/new?x=y%20z", r#"{"n":1}"#))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    assert_eq!(answer.headers()["x-b"], "c");
    assert_eq!(within(answer.bytes()).await.unwrap(), br#"{"a":1}"#);
    let request = server.only_request();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("PATCH", "/base/brand/new?x=y%20z")
    );
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(request.header("user-agent"), Some("my-app/1.0"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.body, br#"{"n":1}"#);
}

#[tokio::test]
async fn without_a_body_there_is_no_content_type_and_a_header_of_the_callers_counts() {
    let server = Server::answering(|_| Reply::new(200).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    within(client.request("GET", "/x", "")).await.unwrap();
    let typed = client.with_options(RequestOptions::new().header("content-type", "text/plain").unwrap());
    within(typed.request("POST", "/x", "hi")).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("content-type"), None);
    assert_eq!(requests[1].header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn what_would_go_elsewhere_is_not_sent() {
    let server = Server::answering(|_| Reply::new(200).bytes()).await;
    let client = Client::new(format!("{}/base", server.url())).unwrap();
    for (method, path) in [
        ("GET", "http://other.example/"),
        ("GET", "@other.example/"),
        ("GET", "/../admin"),
        ("GET", "jobs"),
        ("G T", "/jobs"),
    ] {
        let error = within(client.request(method, path, "")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{method} {path}");
        assert!(!error.may_have_executed());
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn any_other_status_is_an_error_with_all_that_the_server_said() {
    let server = Server::answering(|_| Reply::new(418).json(r#"{"error":"teapot"}"#).header("x-b", "c").bytes()).await;
    let error = within(Client::new(server.url()).unwrap().request("GET", "/x", ""))
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 418);
    assert_eq!(error.body(), br#"{"error":"teapot"}"#);
    assert_eq!(error.headers()["x-b"], "c");
    assert_eq!(error.message(), "teapot");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::answering(|_| Reply::new(200).bytes()).await;
    let to = other.url().to_owned();
    let server = Server::answering(move |_| Reply::new(307).header("location", &to).bytes()).await;
    let builder = Client::builder(server.url()).token(Token::new("abc").unwrap());
    let error = within(builder.build().unwrap().request("GET", "/x", ""))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_again_that_may_have_been_carried_out() {
    for script in [vec![Step::Read, Step::Send(Reply::new(503).bytes())], vec![Step::Read]] {
        let server = Server::script(script).await;
        let error = within(Client::new(server.url()).unwrap().request("GET", "/x", ""))
            .await
            .unwrap_err();
        assert!(error.may_have_executed(), "{error}");
        assert_eq!((error.attempts(), server.requests().len()), (1, 1));
    }
    let (_socket, url) = deaf_port();
    let error = within(Client::new(url).unwrap().request("GET", "/x", ""))
        .await
        .unwrap_err();
    assert!(error.is_connect() && !error.may_have_executed());
    assert!(error.attempts() > 1, "what was not sent is sent again");
}

#[tokio::test]
async fn a_body_is_read_as_it_comes_and_its_silence_is_bounded() {
    let mut first = Reply::new(200).chunked_head();
    first.extend(chunk("one"));
    let server = Server::script([Step::Read, Step::Send(first.clone()), Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().stream_idle(Duration::from_secs(600)));
    let client = client.with_options(RequestOptions::new().timeout(crate::support::PAUSE));
    let mut answer = within(client.request("GET", "/x", "")).await.unwrap();
    assert_eq!(within(answer.chunk()).await.unwrap().unwrap(), "one");
    assert!(within(answer.chunk()).await.unwrap_err().is_timeout());

    let server = Server::script([Step::Read, Step::Send(first.clone())]).await;
    let mut answer = within(Client::new(server.url()).unwrap().request("GET", "/x", ""))
        .await
        .unwrap();
    assert_eq!(within(answer.chunk()).await.unwrap().unwrap(), "one");
    let error = within(answer.chunk()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.may_have_executed());

    first.extend_from_slice(LAST_CHUNK.as_ref());
    let server = Server::script([Step::Read, Step::Send(first)]).await;
    let small = Client::builder(server.url()).max_response_bytes(2).build().unwrap();
    let answer = within(small.request("GET", "/x", "")).await.unwrap();
    assert_eq!(within(answer.bytes()).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_beyond_the_time() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let client = client_with(&server, Timeouts::default().stream_idle(SHORT));
    assert!(within(client.request("GET", "/x", "")).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn nothing_secret_is_in_debug_output() {
    let server = Server::answering(|_| Reply::new(200).header("x-key", "topsecret").bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let answer = within(client.request("GET", "/x?key=topsecret", "")).await.unwrap();
    assert!(!format!("{answer:?}").contains("topsecret"), "{answer:?}");
}
