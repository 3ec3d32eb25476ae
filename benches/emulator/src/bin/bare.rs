//! What a server cannot do without: axum, and handlers that return fixed bytes, those that the emulator sends. A line on
//! its input releases the streams that are held.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::sync::watch;

const HEALTH: &str = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha","components":[{"name":"podman","status":"ok"},{"name":"claude-credentials-file","status":"ok"},{"name":"claude-credentials-secret","status":"ok"}]}"#;
const RUN: &str = r#"{"id":"run-0123456789abcdef","status":"completed","output":"pong","session_id":"01234567-89ab-4def-8123-456789abcdef"}"#;
const FIRST: &str = "data: first\n\n";
const REST: &str = "data: second\n\nevent: done\ndata: {\"id\":\"run-0123456789abcdef\",\"session_id\":\"01234567-89ab-4def-8123-456789abcdef\",\"status\":\"completed\"}\n\n";

fn json(body: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json; charset=utf-8"), REQUEST_ID], body)
}

const REQUEST_ID: (HeaderName, &str) = (HeaderName::from_static("x-request-id"), "0123456789abcdef");

fn held(mut hold: watch::Receiver<()>) -> impl IntoResponse {
    let second = stream::once(async move {
        // Nothing is ever sent: this ends when the sender is dropped.
        let _ = hold.changed().await;
        Ok::<_, Infallible>(Bytes::from_static(REST.as_bytes()))
    });
    let first = stream::iter([Ok(Bytes::from_static(FIRST.as_bytes()))]);
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
        REQUEST_ID,
    ];
    (headers, Body::from_stream(first.chain(second)))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (open, hold) = watch::channel(());
    let app = Router::new()
        .route("/health", get(async || json(HEALTH)))
        .route("/run", post(async |_: Bytes| json(RUN)))
        .route("/run/stream", get(async move || held(hold.clone())));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    // As `axum::serve` does it, which has no way to write the names of headers as Go and the emulator do.
    tokio::spawn(async move {
        let service = TowerToHyperService::new(app);
        while let Ok((socket, _)) = listener.accept().await {
            // As the emulator does it.
            let _ = socket.set_nodelay(true);
            let mut http = http1::Builder::new();
            http.title_case_headers(true);
            tokio::spawn(http.serve_connection(TokioIo::new(socket), service.clone()));
        }
    });
    let mut open = Some(open);
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        open.take();
    }
    Ok(())
}
