//! What is refused before, or without, the whole request.

use stromboli_emulator::Emulator;

use crate::client::{Connection, is_hex16, post, within};

/// Go's limit on the request line and the headers together.
const MAX_HEAD: usize = (1 << 20) + 4096;

const TOO_LARGE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\n\
     Content-Type: text/plain; charset=utf-8\r\n\
     Connection: close\r\n\
     \r\n\
     431 Request Header Fields Too Large";

async fn guarded() -> Emulator {
    Emulator::builder().api_token("t").start().await.unwrap()
}

/// All that these bytes are answered on a connection of their own, until it is closed.
async fn answer(emulator: &Emulator, bytes: impl AsRef<[u8]>) -> String {
    let mut connection = Connection::open(emulator).await;
    connection.raw(bytes).await;
    connection.rest().await
}

#[tokio::test]
async fn a_head_may_be_as_long_as_go_lets_it_be_and_no_longer() {
    let emulator = Emulator::start().await.unwrap();
    let head = |length: usize| {
        let start = "GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Long: ";
        format!("{start}{}\r\n\r\n", "x".repeat(length - start.len() - 4))
    };
    let longest = answer(&emulator, head(MAX_HEAD)).await;
    assert!(longest.starts_with("HTTP/1.1 200 OK\r\n"), "{longest}");
    assert_eq!(answer(&emulator, head(MAX_HEAD + 1)).await, TOO_LARGE);
    // It need not end to be too long.
    let endless = head(MAX_HEAD + 4).replace("\r\n\r\n", "");
    assert_eq!(answer(&emulator, endless).await, TOO_LARGE);
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test]
async fn a_kept_connection_refuses_a_long_head_too() {
    let emulator = Emulator::start().await.unwrap();
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", "/health", "", b"").await;
    assert_eq!(connection.response("GET").await.status, 200);
    connection.raw("x".repeat(MAX_HEAD)).await;
    assert_eq!(connection.rest().await, TOO_LARGE);
}

#[tokio::test]
async fn what_only_the_emulator_finds_too_long_is_refused_in_the_same_way() {
    let emulator = Emulator::start().await.unwrap();
    let prompt = "x".repeat(70_000);
    let url = format!("GET /run/stream?prompt={prompt} HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(answer(&emulator, url).await, TOO_LARGE);
    let headers = "X-H: v\r\n".repeat(2000);
    let many = format!("GET /health HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    assert_eq!(answer(&emulator, many).await, TOO_LARGE);
}

#[tokio::test]
async fn what_is_not_http_is_a_bad_request() {
    let emulator = Emulator::start().await.unwrap();
    let expected = "HTTP/1.1 400 Bad Request\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Connection: close\r\n\
         \r\n\
         400 Bad Request";
    assert_eq!(answer(&emulator, "GET /a b c HTTP/1.1\r\n\r\n").await, expected);
}

#[tokio::test]
async fn a_request_needs_a_host_since_http_1_1() {
    let emulator = Emulator::start().await.unwrap();
    let refused = answer(&emulator, "GET /health HTTP/1.1\r\nX-Request-ID: a\r\n\r\n").await;
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 Bad Request"), "{head}");
    assert!(head.contains("\r\nConnection: close"), "{head}");
    assert!(!head.to_lowercase().contains("x-request-id"), "{head}");
    assert_eq!(body, "400 Bad Request: missing required Host header");
    let old = answer(&emulator, "GET /health HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 OK\r\n"), "{old}");
    let empty = answer(&emulator, "GET /health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n").await;
    assert!(empty.starts_with("HTTP/1.1 200 OK\r\n"), "{empty}");
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_a_long_body() {
    let emulator = guarded().await;
    let cases = [
        ("/run", "401"),
        ("/run/async", "401"),
        ("/nowhere", "404"),
        ("/run/", "307"),
    ];
    for (target, status) in cases {
        let mut connection = Connection::open(&emulator).await;
        let head = format!("POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 10000000\r\n\r\n");
        connection.raw(head).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    let requests = emulator.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!((requests[0].target.as_str(), requests[0].body.len()), ("/run", 0));
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_an_endless_body() {
    let emulator = guarded().await;
    let mut connection = Connection::open(&emulator).await;
    let head = "POST /run HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    connection.raw(format!("{head}{}", chunk.repeat(5))).await;
    let answer = connection.rest().await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_refusal_of_a_short_body_keeps_the_connection() {
    let emulator = guarded().await;
    let mut connection = Connection::open(&emulator).await;
    for _ in 0..2 {
        connection.send("POST", "/run", "", &[b'x'; 100_000]).await;
        let refused = connection.response("POST").await;
        assert_eq!((refused.status, refused.header("connection")), (401, None));
    }
    assert!(emulator.requests().iter().all(|request| request.body.is_empty()));
    let body = br#"{"prompt":"hi"}"#;
    connection
        .send("POST", "/run", "Authorization: Bearer t\r\n", body)
        .await;
    assert_eq!(connection.response("POST").await.status, 200);
    assert_eq!(emulator.requests()[2].body, body.as_slice());
}

#[tokio::test]
async fn only_who_may_run_is_told_to_go_on_with_the_body() {
    let emulator = guarded().await;
    let mut connection = Connection::open(&emulator).await;
    let expect = "POST /run HTTP/1.1\r\nHost: test\r\nContent-Length: 15\r\nExpect: 100-continue\r\n";
    connection.raw(format!("{expect}\r\n")).await;
    let refused = connection.rest().await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");

    let mut connection = Connection::open(&emulator).await;
    connection.raw(format!("{expect}Authorization: Bearer t\r\n\r\n")).await;
    assert_eq!(within(connection.head()).await, "HTTP/1.1 100 Continue\r\n\r\n");
    connection.raw(r#"{"prompt":"hi"}"#).await;
    let answered = within(connection.response("POST")).await;
    assert_eq!(answered.status, 200);
    assert!(answered.header("x-request-id").is_some_and(is_hex16));
}

#[tokio::test]
async fn a_body_may_be_of_any_length() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("").lines(["ok"]);
    let body = format!("{{\"prompt\":\"{}\"}}", "x".repeat(9 << 20));
    let answer = post(&emulator, "/run", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(emulator.requests()[0].body.len(), body.len());
}
