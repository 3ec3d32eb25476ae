//! Sockets, and what is done to every request before and after its route.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::observe::Received;
use crate::routes::Route;
use crate::state::{State, lock};
use crate::{percent, reply};

/// Go's limit on the request line and the headers together.
const MAX_HEAD: usize = (1 << 20) + 4096;
/// Go has no limit on their number; hyper needs one, and makes room for so many.
const MAX_HEADERS: usize = 1000;
/// A pause after a failed accept (no file descriptors left, say), so that retrying does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The listening socket, which the handle can take away to close the port at once.
pub(crate) type Listener = Arc<Mutex<Option<TcpListener>>>;

/// Serves connections until the emulator is dropped.
pub(crate) fn spawn(state: Arc<State>, listener: Listener) {
    let serving = Arc::clone(&state);
    state.spawn(async move {
        while let Some(accepted) = accept(&listener).await {
            match accepted {
                Ok(stream) => serving.spawn(connection(Arc::clone(&serving), stream)),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    });
}

async fn accept(listener: &Listener) -> Option<std::io::Result<TcpStream>> {
    poll_fn(|cx| match lock(listener).as_ref() {
        Some(listener) => listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(s, _)| s))),
        None => Poll::Ready(None),
    })
    .await
}

async fn connection(state: Arc<State>, stream: TcpStream) {
    // As Go does it; if it cannot be set, the answers only come slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(serve(&state, request).await) }
    });
    let mut http = http1::Builder::new();
    http.title_case_headers(true)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    // An error here is the client's going away or its breaking HTTP, which hyper has answered.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// Every request passes here: it gets an id, and a panic (of a user's answerer) becomes an empty 500.
async fn serve(state: &Arc<State>, request: Request<Incoming>) -> Response {
    let sent = request.headers().get(REQUEST_ID).filter(|id| !id.is_empty());
    let id = sent.cloned().or_else(|| HeaderValue::try_from(state.random_id()).ok());
    let handled = AssertUnwindSafe(handle(state, request)).catch_unwind().await;
    let mut response = handled.unwrap_or_else(|_| reply::server_panic());
    response.headers_mut().extend(id.map(|id| (REQUEST_ID, id)));
    response
}

async fn handle(state: &Arc<State>, request: Request<Incoming>) -> Response {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    state.record(received(&parts, &body));
    let Some(path) = percent::path(parts.uri.path()) else {
        return reply::text(StatusCode::BAD_REQUEST, "400 Bad Request");
    };
    if let Some(route) = Route::find(&parts.method, &path) {
        if route.is_protected()
            && let Err(refused) = authenticate(&parts.headers, &state.settings.api_tokens)
        {
            return reply::plain_error(StatusCode::UNAUTHORIZED, refused);
        }
        let query = parts.uri.query().unwrap_or_default();
        return route.answer(state, query, &body).await;
    }
    let without_slash = path.strip_suffix('/').and_then(|path| Route::find(&parts.method, path));
    match (without_slash, parts.uri.path().strip_suffix('/')) {
        (Some(_), Some(path)) => {
            let query = parts.uri.query().map(|query| format!("?{query}"));
            reply::redirect(&parts.method, &format!("{path}{}", query.unwrap_or_default()))
        }
        _ => reply::not_found(),
    }
}

/// The body, as far as it came: what a broken one lacks shows when it is parsed.
async fn read(body: Incoming) -> Bytes {
    let mut chunks = Body::new(body).into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        whole.extend_from_slice(&chunk);
    }
    whole.freeze()
}

fn received(parts: &Parts, body: &Bytes) -> Received {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    Received {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.clone(),
    }
}

/// The bearer token check; without tokens authentication is off.
fn authenticate(headers: &HeaderMap, tokens: &[String]) -> Result<(), &'static str> {
    if tokens.is_empty() {
        return Ok(());
    }
    let header = headers.get(AUTHORIZATION).filter(|header| !header.is_empty());
    let header = header.ok_or("missing authorization header")?;
    let header = String::from_utf8_lossy(header.as_bytes());
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let known = tokens.iter().any(|known| known == token);
            known.then_some(()).ok_or("invalid or expired token")
        }
        _ => Err("invalid authorization header format"),
    }
}
