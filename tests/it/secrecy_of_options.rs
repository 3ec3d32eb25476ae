//! What a client is given to prove itself and to send along is in nothing that is printed.

use std::error::Error as _;
use std::fmt::Debug;
use std::time::Duration;

use serde_json::{from_value, json};
use stromboli::{Client, Credentials, RequestOptions, Token};

use crate::support::{HEALTHY, Reply, Server, deaf_port, within};

const SECRET: &str = "topsecret";

fn assert_silent(what: &impl Debug) {
    for text in [format!("{what:?}"), format!("{what:#?}")] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

fn assert_error_silent(error: &stromboli::Error) {
    assert_silent(error);
    assert!(!error.to_string().contains(SECRET), "{error}");
    let mut cause = error.source();
    while let Some(current) = cause {
        assert_silent(&current);
        assert!(!current.to_string().contains(SECRET), "{current}");
        cause = current.source();
    }
}

#[tokio::test]
async fn credentials_are_not_shown() {
    let credentials = Credentials::client_id("ci", SECRET).unwrap();
    assert_silent(&credentials);
    assert!(format!("{credentials:?}").contains("ci"), "the id is no secret");
    let builder = Client::builder("http://localhost:8080").credentials(credentials);
    assert_silent(&builder);
    let client = builder.build().unwrap();
    assert_silent(&client);
    assert_silent(client.raw());
    for error in [
        Credentials::client_id("", SECRET).unwrap_err(),
        Credentials::client_id("ci", format!("{SECRET}\n")).unwrap_err(),
    ] {
        assert_error_silent(&error);
    }
}

#[test]
fn the_headers_of_a_call_are_not_shown() {
    let options = RequestOptions::new()
        .timeout(Duration::ZERO)
        .header("x-key", SECRET)
        .unwrap();
    let options = options.request_id(SECRET).unwrap();
    assert_silent(&options);
    assert!(format!("{options:?}").contains("x-key"), "their names are no secret");
    let client = Client::new("http://localhost:8080").unwrap().with_options(options);
    assert_silent(&client);
    assert_silent(client.raw());
    assert_error_silent(
        &RequestOptions::new()
            .header("x-key", &format!("{SECRET}\n"))
            .unwrap_err(),
    );
}

#[tokio::test]
async fn what_is_sent_to_obtain_tokens_and_store_secrets_is_not_shown() {
    let body = json!({"access_token": SECRET, "refresh_token": SECRET, "token_type": "bearer", "expires_in": 60});
    let server = Server::answering(move |_| Reply::new(200).json(body.to_string()).bytes()).await;
    let client = Client::new(server.url()).unwrap();
    let request = from_value(json!({"refresh_token": SECRET})).unwrap();
    let pair = within(client.raw().auth_refresh(&request)).await.unwrap();
    assert_silent(&request);
    assert_silent(&pair);
    assert_silent(&pair.into_inner());
    let request = from_value(json!({"client_id": "ci"})).unwrap();
    assert_silent(&within(client.raw().auth_token(&request)).await.unwrap());
    let request = from_value(json!({"name": "n", "value": SECRET})).unwrap();
    let _ = within(client.raw().secret_create(&request)).await;
    assert_silent(&request);
}

#[tokio::test]
async fn errors_on_the_way_to_a_token_do_not_show_it() {
    let pair = json!({"access_token": SECRET, "refresh_token": [SECRET], "token_type": "bearer", "expires_in": 60});
    let unsendable = json!({"access_token": format!("{SECRET}\n"), "refresh_token": SECRET, "token_type": "bearer",
        "expires_in": 60});
    let expired = json!({"access_token": SECRET, "refresh_token": SECRET, "token_type": "bearer", "expires_in": 0});
    for body in [pair, unsendable, expired, json!(SECRET)] {
        let server = Server::answering(move |request| match request.path() {
            "/auth/token" => Reply::new(200).json(body.to_string()).bytes(),
            _ => Reply::new(200).json(HEALTHY).bytes(),
        })
        .await;
        let credentials = Credentials::client_id("ci", SECRET).unwrap();
        let client = Client::builder(server.url()).credentials(credentials).build().unwrap();
        assert_error_silent(&within(client.health()).await.unwrap_err());
        assert_eq!(server.requests().len(), 1, "nothing is sent without a token");
    }
    let (_socket, url) = deaf_port();
    for builder in [
        Client::builder(&url).credentials(Credentials::client_id("ci", SECRET).unwrap()),
        Client::builder(&url).token(Token::new(SECRET).unwrap()),
    ] {
        let client = builder.build().unwrap();
        let options = RequestOptions::new().header("x-key", SECRET).unwrap().retries(1);
        assert_error_silent(&within(client.with_options(options).run(SECRET)).await.unwrap_err());
    }
}
