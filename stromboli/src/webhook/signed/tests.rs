//! Deliveries over a real socket, written by hand so that they can be wrong in every way.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SECRET: &str = "a webhook secret";
const BODY: &str = r#"{"job_id":"job-1","status":"failed","error":"exit status 1"}"#;

#[derive(Clone)]
struct App {
    verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

async fn any_size(Signed(event): Signed) -> String {
    format!("{} {}", event.job_id, event.status)
}

async fn small(Signed(event): Signed<100>) -> String {
    event.job_id
}

async fn seen(report: Result<Signed, SignedRejection>) -> String {
    format!("{:?}", report.map(|Signed(event)| event.job_id))
}

/// Sends one request to a server that stops afterwards. Returns the status and the body of the response.
async fn send(verifier: Verifier, request: &[u8]) -> (u16, String) {
    let app = Router::new()
        .route("/any", post(any_size))
        .route("/small", post(small))
        .route("/seen", post(seen))
        .layer(DefaultBodyLimit::max(1))
        .with_state(App { verifier });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    socket.write_all(request).await.unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.unwrap();
    server.abort();
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn request(path: &str, timestamp: &str, signature: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nX-Stromboli-Timestamp: {timestamp}\r\nX-Stromboli-Signature: {signature}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn sign(timestamp: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{timestamp}.{body}"));
    let digits: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={digits}")
}

/// A delivery to `path`, signed `seconds` from now.
fn genuine(path: &str, seconds: i64, body: &str) -> Vec<u8> {
    let timestamp = (Timestamp::now().as_second() + seconds).to_string();
    request(path, &timestamp, &sign(&timestamp, body), body)
}

fn verifier() -> Verifier {
    Verifier::new([SECRET])
}

#[tokio::test]
async fn a_genuine_delivery_reaches_the_handler() {
    let response = send(verifier(), &genuine("/any", 0, BODY)).await;
    assert_eq!(response, (200, "job-1 failed".to_owned()));
}

#[tokio::test]
async fn a_delivery_that_is_not_genuine_or_not_recent_is_unauthorized() {
    let now = Timestamp::now().as_second().to_string();
    let right = sign(&now, BODY);
    let other = BODY.replace("job-1", "job-2");
    for (request, text) in [
        (request("/any", &now, &right, &other), "signature does not match"),
        (
            request("/any", &now, "sha256=0", BODY),
            "signature is not 64 hex digits",
        ),
        (
            request("/any", "today", &right, BODY),
            "timestamp is not a number of seconds since 1970",
        ),
        (genuine("/any", -3600, BODY), "which is too long"),
        (genuine("/any", 3600, BODY), "which is too far"),
    ] {
        let (status, body) = send(verifier(), &request).await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains(text), "{body}");
    }
}

#[tokio::test]
async fn a_delivery_without_signature_is_refused_before_its_body_is_read() {
    let head = b"POST /any HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n";
    let response = send(verifier(), head).await;
    assert_eq!(response, (401, "header x-stromboli-timestamp is missing".to_owned()));
}

#[tokio::test]
async fn a_genuine_delivery_that_is_no_event_is_a_bad_request() {
    let (status, body) = send(verifier(), &genuine("/any", 0, "{}")).await;
    assert_eq!((status, body.contains("no job event")), (400, true), "{body}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let request = genuine("/any", 0, BODY);
    let request = String::from_utf8(request).unwrap();
    // Chunked, with a chunk size that is none.
    let request = request.replace(&format!("Content-Length: {}", BODY.len()), "Transfer-Encoding: chunked");
    let response = send(verifier(), request.as_bytes()).await;
    assert_eq!(response, (400, "body could not be read".to_owned()));
}

#[tokio::test]
async fn the_limit_is_the_types_and_counts_bytes() {
    let of = |len: usize| {
        let empty = r#"{"job_id":"j","status":"failed","output":""}"#;
        let filled = empty.replace(r#""""#, &format!(r#""{}""#, "x".repeat(len - empty.len())));
        assert_eq!(filled.len(), len);
        filled
    };
    assert_eq!(send(verifier(), &genuine("/small", 0, &of(100))).await.0, 200);
    let response = send(verifier(), &genuine("/small", 0, &of(101))).await;
    assert_eq!(response, (413, "body could not be read".to_owned()));
    let more_than_axum_reads = of(3 * 1024 * 1024);
    assert_eq!(
        send(verifier(), &genuine("/any", 0, &more_than_axum_reads)).await.0,
        200
    );
}

#[tokio::test]
async fn without_a_secret_everything_is_the_servers_own_error() {
    let response = send(Verifier::new([""]), &genuine("/any", 0, BODY)).await;
    assert_eq!(response, (500, "no webhook secret is configured".to_owned()));
}

#[tokio::test]
async fn a_handler_can_look_at_the_rejection() {
    let (status, body) = send(verifier(), &genuine("/seen", -3600, BODY)).await;
    assert_eq!(status, 200);
    assert!(body.starts_with("Err(Verify(TooOld"), "{body}");
}
