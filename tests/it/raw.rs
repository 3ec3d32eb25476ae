//! `Client::raw`: the whole contract on the wrapper's transport, and its errors made the wrapper's.

use std::time::Duration;

use stromboli::{Client, Error, ErrorKind, RunRequest, Timeouts, Token};

use crate::support::{COMPLETED, HEALTHY, Reply, SHORT, Server, Step, client_with, within};

#[tokio::test]
async fn raw_calls_share_connection_token_and_user_agent() {
    let server = Server::answering(|request| match request.path() {
        "/health" => Reply::new(200).json(HEALTHY).bytes(),
        _ => Reply::new(200).json(r#"{"secrets":[]}"#).bytes(),
    })
    .await;
    let builder = Client::builder(server.url()).token(Token::new("abc").unwrap());
    let client = builder.user_agent("my-app/1.0").build().unwrap();
    within(client.health()).await.unwrap();
    let response = within(client.raw().secrets_list()).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["x-request-id"], "req-1");
    assert!(response.into_inner().secrets.is_empty());
    assert_eq!(server.connections(), 1);
    let requests = server.requests();
    let raw = requests.last().unwrap();
    assert_eq!((raw.method.as_str(), raw.target.as_str()), ("GET", "/secrets"));
    assert_eq!(raw.header("authorization"), Some("Bearer abc"));
    assert_eq!(raw.header("user-agent"), Some("my-app/1.0"));
}

#[tokio::test]
async fn raw_calls_keep_the_base_path() {
    let server = Server::once(Reply::new(200).json(r#"{"secrets":[]}"#).bytes()).await;
    let client = Client::new(format!("{}/base/", server.url())).unwrap();
    within(client.raw().secrets_list()).await.unwrap();
    assert_eq!(server.only_request().target, "/base/secrets");
}

#[tokio::test]
async fn raw_calls_have_the_limit_of_the_body() {
    let body = format!(
        r#"{{"id":"run-1","status":"completed","output":"{}"}}"#,
        "x".repeat(2000)
    );
    let server = Server::once(Reply::new(200).json(body).bytes()).await;
    let client = Client::builder(server.url()).max_response_bytes(1000).build().unwrap();
    let error = within(client.raw().run_sync(&RunRequest::new("hi"))).await.unwrap_err();
    let error = within(Error::from_raw("run_sync", error)).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.status().unwrap().as_u16(), 200);
}

#[tokio::test]
async fn raw_calls_have_the_timeout_of_their_class() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let others = Duration::from_secs(600);
    let timeouts = Timeouts::default()
        .quick(others)
        .run(others)
        .image_pull(others)
        .stream_idle(others);

    let client = client_with(&server, timeouts.clone().quick(SHORT));
    let quick = within(client.raw().sessions_list()).await.unwrap_err();
    assert!(within(Error::from_raw("sessions_list", quick)).await.is_timeout());

    let client = client_with(&server, timeouts.clone().run(SHORT));
    let run = within(client.raw().run_sync(&RunRequest::new("hi"))).await.unwrap_err();
    let error = within(Error::from_raw("run_sync", run)).await;
    assert!(error.is_timeout() && error.may_have_executed(), "{error:?}");

    let client = client_with(&server, timeouts.image_pull(SHORT));
    let image = serde_json::from_str(r#"{"image":"python:3.12"}"#).unwrap();
    let pull = within(client.raw().image_pull(&image)).await.unwrap_err();
    assert!(within(Error::from_raw("image_pull", pull)).await.is_timeout());
}

#[tokio::test]
async fn a_raw_error_made_ours_keeps_status_and_body() {
    let body = r#"{"error":"secret not found"}"#;
    let server = Server::once(Reply::new(404).json(body).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let raw = within(client.raw().secret_get("mine")).await.unwrap_err();
    let error = within(Error::from_raw("secret_get", raw)).await;
    assert!(error.is_not_found());
    assert_eq!((error.status().unwrap().as_u16(), error.body()), (404, body.as_bytes()));
    assert_eq!((error.request_id(), error.attempts()), (Some("req-1"), 1));
    assert_eq!(error.to_string(), "secret_get failed with status 404: secret not found");
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn a_raw_response_of_the_wrong_shape_keeps_status_and_body() {
    let server = Server::once(Reply::new(200).json("[]").bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let raw = within(client.raw().secrets_list()).await.unwrap_err();
    let error = within(Error::from_raw("secrets_list", raw)).await;
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Decode, 200)
    );
    assert_eq!((error.body(), error.request_id()), (b"[]".as_slice(), Some("req-1")));
}

#[tokio::test]
async fn an_operation_of_an_unknown_name_is_not_assumed_to_be_harmless() {
    let server = Server::once(Reply::new(500).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    for (name, executed) in [("secrets_list", false), ("brand_new", true)] {
        let raw = within(client.raw().secrets_list()).await.unwrap_err();
        assert_eq!(
            within(Error::from_raw(name, raw)).await.may_have_executed(),
            executed,
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_agent_route_that_an_old_server_does_not_know_is_unsupported() {
    let server = Server::once(Reply::new(404).body("text/plain", "404 page not found").bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let raw = within(client.raw().agents_list()).await.unwrap_err();
    let error = within(Error::from_raw("agents_list", raw)).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("0.5.0"), "{error}");
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn a_run_of_the_raw_client_is_that_of_the_wrapper() {
    let server = Server::once(Reply::new(200).json(COMPLETED).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let request = RunRequest::new("hi");
    let raw = within(client.raw().run_sync(&request)).await.unwrap().into_inner();
    assert_eq!(raw, within(client.run(request)).await.unwrap());
    let [first, second] = server.requests().try_into().unwrap();
    assert_eq!((&first.target, &first.body), (&second.target, &second.body));
}
