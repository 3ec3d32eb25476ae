//! What a server cannot do without: axum, and handlers that return fixed bytes, those that the emulator sends. A line on
//! its input releases the streams that are held.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::{StreamExt, stream};
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
    tokio::spawn(async move {
        let listener = listener.tap_io(|socket| {
            // As the emulator does it.
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, app).await
    });
    let mut open = Some(open);
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        open.take();
    }
    Ok(())
}
