//! A POST as Go's HTTP client makes it: its headers, and how it follows redirects.

use std::io;
use std::pin::pin;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HOST, LOCATION, REFERER, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::{Either, select};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Position, Url};

use crate::percent;

/// Go gives up where it would send one more.
const MAX_REQUESTS: usize = 10;

/// The status at the end of all redirects.
///
/// # Errors
/// When there is none: the URL is none or not one of HTTP, nobody answers, or too many redirects.
pub(super) async fn post(url: &str, headers: &HeaderMap, body: &Bytes) -> io::Result<StatusCode> {
    let mut url = Url::parse(url).map_err(io::Error::other)?;
    let mut method = Method::POST;
    let mut referer = None;
    for _ in 0..MAX_REQUESTS {
        let request = request(&method, &url, referer.as_ref(), headers, body)?;
        let response = send(&url, request).await?;
        match response.status().as_u16() {
            301..=303 => method = Method::GET,
            307 | 308 => {}
            _ => return Ok(response.status()),
        }
        let Some(location) = response.headers().get(LOCATION).filter(|to| !to.is_empty()) else {
            return Ok(response.status());
        };
        let location = location.to_str().map_err(io::Error::other)?;
        let next = url.join(location).map_err(io::Error::other)?;
        // Neither a name nor a password goes further than its own host.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        referer = Some(HeaderValue::from_str(url.as_str()).map_err(io::Error::other)?);
        url = next;
    }
    Err(io::Error::other("stopped after 10 redirects"))
}

/// A `POST` with the body, or a `GET` without it.
fn request(
    method: &Method,
    url: &Url,
    referer: Option<&HeaderValue>,
    headers: &HeaderMap,
    body: &Bytes,
) -> io::Result<Request<Body>> {
    let host = url
        .host_str()
        .ok_or_else(|| io::Error::other("no host in request URL"))?;
    let host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, host)
        .header(USER_AGENT, "Go-http-client/1.1");
    if method == Method::POST {
        request = request.header(CONTENT_LENGTH, body.len());
    }
    if !url.username().is_empty() || url.password().is_some() {
        request = request.header(AUTHORIZATION, basic(url));
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(referer) = referer {
        request = request.header(REFERER, referer);
    }
    let body = if method == Method::POST {
        Body::from(body.clone())
    } else {
        Body::empty()
    };
    let request = request.header(ACCEPT_ENCODING, "gzip");
    request.body(body).map_err(io::Error::other)
}

/// One request on a connection of its own.
async fn send(url: &Url, request: Request<Body>) -> io::Result<Response<Incoming>> {
    if url.scheme() != "http" {
        return Err(io::Error::other("unsupported protocol scheme"));
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let stream = TcpStream::connect((host, port)).await?;
    let mut http = http1::Builder::new();
    let handshake = http.title_case_headers(true).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(io::Error::other)?;
    let response = match select(pin!(sender.send_request(request)), pin!(connection)).await {
        Either::Left((response, _)) => response,
        // A connection that is over has given its answer, if it had one.
        Either::Right((_, response)) => response.await,
    };
    response.map_err(io::Error::other)
}

/// What stands before the host, as credentials.
fn basic(url: &Url) -> String {
    let plain = |text| percent::path(text).unwrap_or_default();
    let (name, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
    let credentials = format!("{name}:{password}");
    format!("Basic {}", STANDARD.encode(credentials))
}
