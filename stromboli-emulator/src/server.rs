//! Sockets, and what is done to every request before and after its route.

use std::borrow::Cow;
use std::fmt;
use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
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
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::auth;
use crate::broken::{self, Broken};
use crate::dialect::Dialect;
use crate::door::Door;
use crate::fault::{Effect, Fault, Moment};
use crate::faults::{self, Arrival};
use crate::observe::Kept;
use crate::rate_limit::Quota;
use crate::routes::Route;
use crate::state::{State, lock};
use crate::wire::{self, Slot, Wire};
use crate::{percent, reply};

/// Go's limit on the request line and the headers together.
const MAX_HEAD: usize = (1 << 20) + 4096;
/// How much of a body that nobody wants Go reads in order to keep the connection.
const MAX_DISCARDED: u64 = 256 << 10;
/// A pause after a failed accept (no file descriptors left, say), so that retrying does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The header that every answer has.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Hyper shall not write this answer; it closes nothing by itself then.
#[derive(Debug)]
struct TakenOver;

impl fmt::Display for TakenOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is written by hand")
    }
}

impl std::error::Error for TakenOver {}

/// Serves connections until the emulator is dropped.
pub(crate) fn spawn(state: Arc<State>, door: Arc<Door>) {
    let serving = Arc::clone(&state);
    state.spawn(async move {
        while let Some(accepted) = door.accept().await {
            match accepted {
                Ok((stream, peer)) => {
                    let door = Arc::clone(&door);
                    serving.spawn(connection(Arc::clone(&serving), door, stream, peer.ip()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    });
}

async fn connection(state: Arc<State>, door: Arc<Door>, stream: TcpStream, peer: IpAddr) {
    if let Some(fault) = state.faults.on_connect() {
        state.count(|stats| stats.faults += 1);
        fault.wait().await;
        return wire::reset(stream);
    }
    // As Go does it; if it cannot be set, the answers only come slower.
    let _ = stream.set_nodelay(true);
    let mut closing = door.closing();
    let outlet = Slot::default();
    let wire = Wire::new(stream, Arc::clone(&outlet));
    let taken_over = Arc::new(Mutex::new(None));
    let taking_over = Arc::clone(&taken_over);
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, outlet, taking_over) = (Arc::clone(&state), Arc::clone(&outlet), Arc::clone(&taking_over));
        let (parts, body) = request.into_parts();
        let body = Body::new(body);
        Box::pin(async move {
            let mut response = serve(&state, peer, &parts, body).await;
            *lock(&outlet) = response.extensions_mut().remove();
            match response.extensions_mut().remove::<Broken>() {
                None => Ok(response),
                Some(broken) => {
                    *lock(&taking_over) = Some((broken, response));
                    Err(TakenOver)
                }
            }
        })
    });
    let mut http = http1::Builder::new();
    // Go has no limit on the number of headers and hyper one of 100; with another it makes room for so many at each
    // request, and 1,000 took a fifth of all its time.
    http.title_case_headers(true)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD);
    let mut served = http.serve_connection(TokioIo::new(wire), service);
    loop {
        tokio::select! {
            // An error here is the client's going away, its breaking HTTP, or an answer that is written by hand.
            _ = poll_fn(|cx| served.poll_without_shutdown(cx)) => break,
            Ok(()) = closing.changed() => std::pin::Pin::new(&mut served).graceful_shutdown(),
        }
    }
    let wire = served.into_parts().io.into_inner();
    let taken_over = lock(&taken_over).take();
    match taken_over {
        Some((broken, response)) => broken.send(response, wire).await,
        None => wire.close().await,
    }
}

/// Every request passes here: it gets an id, and its answer the headers that a fault wants.
async fn serve(state: &Arc<State>, peer: IpAddr, parts: &Parts, body: Body) -> Response {
    let path = match decoded_path(parts) {
        Ok(path) => path,
        Err(text) => {
            state.record(Kept::new(parts, Bytes::new(), false));
            return closing(reply::text(StatusCode::BAD_REQUEST, text));
        }
    };
    let sent = parts.headers.get(REQUEST_ID).filter(|id| !id.is_empty());
    let id = sent
        .cloned()
        .or_else(|| HeaderValue::try_from(state.random_id("")).ok());
    let (mut response, fault) = respond(state, parts, &path, peer, body).await;
    response.headers_mut().extend(id.map(|id| (REQUEST_ID, id)));
    if asks_to_close(parts) {
        // Whatever a route says about the connection; hyper says what becomes of it.
        response.headers_mut().remove(CONNECTION);
    }
    if let Some(fault) = fault {
        broken::dress(&mut response, fault, parts);
    }
    response
}

/// The answer, and the fault that struck.
async fn respond(
    state: &Arc<State>,
    parts: &Parts,
    path: &str,
    peer: IpAddr,
    mut body: Body,
) -> (Response, Option<Arc<Fault>>) {
    let mut arrival = Arrival {
        method: parts.method.as_str(),
        path,
        prompt: None,
    };
    if state.faults.ask_for_prompt(arrival.method, path) {
        let content = read(body).await;
        arrival.prompt = faults::prompt(parts.uri.query().unwrap_or_default(), &content);
        body = Body::from(content);
    }
    let Some(fault) = state.faults.on_request(&arrival) else {
        return (handle(state, parts, path, peer, body).await, None);
    };
    state.count(|stats| stats.faults += 1);
    let response = match fault.moment {
        Moment::AfterExecuting => handle(state, parts, path, peer, body).await,
        moment => {
            let content = match moment {
                Moment::BeforeReading => Bytes::new(),
                _ => read(body).await,
            };
            state.record(Kept::new(parts, content, false));
            Response::new(Body::empty())
        }
    };
    fault.wait().await;
    match fault.effect {
        // The response is kept: it may be a run that is not to be killed yet.
        Effect::Silence => pending().await,
        Effect::Status(status) => (broken::status(status, fault.moment), Some(fault)),
        Effect::Answer(_) => (response, Some(fault)),
    }
}

/// The path, or what Go says to a request that it does not even hand to the server.
fn decoded_path(parts: &Parts) -> Result<Cow<'_, str>, &'static str> {
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

/// What the server behind the faults answers. A panic, of a user's answerer, becomes an empty 500.
async fn handle(state: &Arc<State>, parts: &Parts, path: &str, peer: IpAddr, body: Body) -> Response {
    let measured = state.settings.dialect == Dialect::V0_4_3;
    let began = measured.then(Instant::now);
    let route = Route::find(state.settings.dialect, &parts.method, path);
    let quota = quota(state, parts, peer, route.as_ref());
    let admitted = admit(state, parts, path, route, quota.as_ref());
    // Awaited where it is made: with a name, there would be room for it twice in the future of every request.
    let carried_out = AssertUnwindSafe(carry_out(state, parts, admitted, body))
        .catch_unwind()
        .await;
    let mut response = carried_out.unwrap_or_else(|_| reply::server_panic());
    if let Err(error) = state.settle().await {
        response = reply::plain_error(StatusCode::INTERNAL_SERVER_ERROR, &error);
    }
    response.headers_mut().extend(quota.iter().flat_map(Quota::headers));
    if let Some(began) = began {
        let status = response.status().as_u16();
        state
            .metrics
            .record(parts.method.as_str(), path, status, began.elapsed());
    }
    response
}

/// Reads the body only for a route that wants it, from a sender that may use that route.
async fn carry_out(state: &Arc<State>, parts: &Parts, admitted: Result<Route, Box<Response>>, body: Body) -> Response {
    let (content, ended) = match &admitted {
        Ok(route) if route.has_body() => (read(body).await, true),
        _ => (Bytes::new(), discard(parts, body).await),
    };
    state.record(Kept::new(parts, content.clone(), admitted.is_ok()));
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
async fn read(body: Body) -> Bytes {
    let mut chunks = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        whole.extend_from_slice(&chunk);
    }
    whole.freeze()
}

/// Drops what arrives of a body, as Go does before it answers a request whose body it has not read. Says whether that
/// reached the end, so that the connection can be kept; a client that waits for `100 Continue` is not told to go on.
async fn discard(parts: &Parts, body: Body) -> bool {
    let mut left = MAX_DISCARDED;
    if body.size_hint().lower() > left || parts.headers.contains_key(EXPECT) {
        return body.is_end_stream();
    }
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let length = chunk.ok().and_then(|chunk| u64::try_from(chunk.len()).ok());
        match length.and_then(|length| left.checked_sub(length)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}
