//! Sockets, and what is done to every request before and after its route.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::header::{CONNECTION, EXPECT, HOST, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, Version};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::auth;
use crate::dialect::Dialect;
use crate::observe::Received;
use crate::rate_limit::Quota;
use crate::routes::Route;
use crate::state::{State, lock};
use crate::wire::{Slot, Wire};
use crate::{percent, reply};

/// Go's limit on the request line and the headers together.
const MAX_HEAD: usize = (1 << 20) + 4096;
/// Go has no limit on their number; hyper needs one, and makes room for so many.
const MAX_HEADERS: usize = 1000;
/// How much of a body that nobody wants Go reads in order to keep the connection.
const MAX_DISCARDED: u64 = 256 << 10;
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
                Ok((stream, peer)) => serving.spawn(connection(Arc::clone(&serving), stream, peer.ip())),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    });
}

async fn accept(listener: &Listener) -> Option<std::io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|cx| match lock(listener).as_ref() {
        Some(listener) => listener.poll_accept(cx).map(Some),
        None => Poll::Ready(None),
    })
    .await
}

async fn connection(state: Arc<State>, stream: TcpStream, peer: IpAddr) {
    // As Go does it; if it cannot be set, the answers only come slower.
    let _ = stream.set_nodelay(true);
    let outlet = Slot::default();
    let wire = Wire::new(stream, Arc::clone(&outlet));
    let service = service_fn(move |request| {
        let (state, outlet) = (Arc::clone(&state), Arc::clone(&outlet));
        Box::pin(async move {
            let mut response = serve(&state, peer, request).await;
            *lock(&outlet) = response.extensions_mut().remove();
            Ok::<_, Infallible>(response)
        })
    });
    let mut http = http1::Builder::new();
    http.title_case_headers(true)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    let mut served = http.serve_connection(TokioIo::new(wire), service);
    // An error here is the client's going away or its breaking HTTP.
    let _ = poll_fn(|cx| served.poll_without_shutdown(cx)).await;
    served.into_parts().io.into_inner().close().await;
}

/// Every request passes here: it gets an id, and a panic (of a user's answerer) becomes an empty 500.
async fn serve(state: &Arc<State>, peer: IpAddr, request: Request<Incoming>) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let path = match decoded_path(&parts) {
        Ok(path) => path,
        Err(text) => {
            state.record(received(&parts, Bytes::new()));
            return closing(reply::text(StatusCode::BAD_REQUEST, text));
        }
    };
    let sent = parts.headers.get(REQUEST_ID).filter(|id| !id.is_empty());
    let id = sent.cloned().or_else(|| HeaderValue::try_from(state.random_id()).ok());
    let route = Route::find(state.settings.dialect, &parts.method, &path);
    let quota = quota(state, &parts, peer, route.as_ref());
    let admitted = admit(state, &parts, &path, route, quota.as_ref());
    let handled = AssertUnwindSafe(handle(state, &parts, admitted, body))
        .catch_unwind()
        .await;
    let mut response = handled.unwrap_or_else(|_| reply::server_panic());
    response.headers_mut().extend(id.map(|id| (REQUEST_ID, id)));
    response.headers_mut().extend(quota.iter().flat_map(Quota::headers));
    if asks_to_close(&parts) {
        // Whatever a route says about the connection; hyper says what becomes of it.
        response.headers_mut().remove(CONNECTION);
    }
    if state.settings.dialect == Dialect::V0_4_3 {
        let status = response.status().as_u16();
        state
            .metrics
            .record(parts.method.as_str(), &path, status, began.elapsed());
    }
    response
}

/// The path, or what Go says to a request that it does not even hand to the server.
fn decoded_path(parts: &Parts) -> Result<String, &'static str> {
    if parts.version == Version::HTTP_11 && !parts.headers.contains_key(HOST) {
        return Err("400 Bad Request: missing required Host header");
    }
    percent::path(parts.uri.path()).ok_or("400 Bad Request")
}

fn asks_to_close(parts: &Parts) -> bool {
    let values = parts.headers.get_all(CONNECTION).into_iter();
    let mut tokens = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','));
    parts.version == Version::HTTP_10 || tokens.any(|token| token.trim().eq_ignore_ascii_case("close"))
}

fn closing(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Reads the body only for a route that wants it, from a sender that may use that route.
async fn handle(state: &Arc<State>, parts: &Parts, admitted: Result<Route, Box<Response>>, body: Incoming) -> Response {
    let (content, ended) = match &admitted {
        Ok(route) if route.has_body() => (read(body).await, true),
        _ => (Bytes::new(), discard(parts, body).await),
    };
    state.record(received(parts, content.clone()));
    let response = match admitted {
        Ok(route) => route.answer(state, parts, &content).await,
        Err(refusal) => *refusal,
    };
    if ended { response } else { closing(response) }
}

/// What the rate limit says, for a route that it covers.
fn quota(state: &State, parts: &Parts, peer: IpAddr, route: Option<&Route>) -> Option<Quota> {
    let limiter = state
        .limiter
        .as_ref()
        .filter(|_| route.is_some_and(Route::is_limited))?;
    Some(limiter.take(peer, &parts.headers))
}

/// The route of the request, or the answer when there is none or the sender may not use it. The rate limit comes first:
/// a request without a token uses it up as well.
fn admit(
    state: &State,
    parts: &Parts,
    path: &str,
    route: Option<Route>,
    quota: Option<&Quota>,
) -> Result<Route, Box<Response>> {
    let refused = |(status, text)| Box::new(reply::plain_error(status, text));
    if let Some(route) = route {
        if quota.is_some_and(|quota| !quota.allowed) {
            return Err(refused((StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded")));
        }
        if route.is_protected() {
            auth::authenticate(state, &parts.headers).map_err(refused)?;
        }
        return Ok(route);
    }
    let find = |path| Route::find(state.settings.dialect, &parts.method, path);
    let without_slash = path.strip_suffix('/').and_then(find);
    let answer = match (without_slash, parts.uri.path().strip_suffix('/')) {
        (Some(_), Some(path)) => {
            let query = parts.uri.query().map(|query| format!("?{query}"));
            reply::redirect(&parts.method, &format!("{path}{}", query.unwrap_or_default()))
        }
        _ => reply::not_found(),
    };
    Err(Box::new(answer))
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

/// Drops what arrives of a body, as Go does before it answers a request whose body it has not read. Says whether that
/// reached the end, so that the connection can be kept; a client that waits for `100 Continue` is not told to go on.
async fn discard(parts: &Parts, body: Incoming) -> bool {
    let mut left = MAX_DISCARDED;
    if body.size_hint().lower() > left || parts.headers.contains_key(EXPECT) {
        return body.is_end_stream();
    }
    let mut chunks = Body::new(body).into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let length = chunk.ok().and_then(|chunk| u64::try_from(chunk.len()).ok());
        match length.and_then(|length| left.checked_sub(length)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

fn received(parts: &Parts, body: Bytes) -> Received {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    Received {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    }
}
