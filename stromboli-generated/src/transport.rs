//! The seam between the generated calls and whoever sends them, and the one place that decodes their bodies.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, RequestBuilder, Response, ResponseBuilderExt, StatusCode, Url};

use crate::generated::{ByteStream, Client, Error, ResponseValue};
use crate::place::Answer;
use crate::read::Blocks;

/// What [`Transport::execute`] gives back.
pub type ResponseFuture<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Received>> + Send + 'a>>;

/// The transport of a [`Client`], shared by its clones.
pub type SharedTransport = Arc<dyn Transport>;

/// Sends the requests of a [`Client`]: the place for tokens, timeouts, retries and spans.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`, which is the operation `operation_id` of the contract (`run_sync`, `job_get`, …).
    fn execute(&self, request: Request, operation_id: &'static str) -> ResponseFuture<'_>;
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("baseurl", &self.base.as_ref().map_or("[unusable]", Url::as_str))
            .field("transport", &self.inner)
            .finish_non_exhaustive()
    }
}

/// What an id is sent as it is: letters, digits, and what stands for nothing else in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

/// One segment of a path. `.` and `..` cannot be encoded: URLs take them for steps in any form.
pub(crate) fn encode_path(id: &str) -> PercentEncode<'_> {
    utf8_percent_encode(id, SEGMENT)
}

/// The server's URL, if it can be read and has no name and password in it: those would not be sent.
pub(crate) fn base(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// The URL of a path below the client's own, which is read once: to read one costs as much as to read a small answer.
#[allow(
    clippy::result_large_err,
    reason = "it is the error that every generated call returns"
)]
pub(crate) fn url(client: &Client, path: fmt::Arguments<'_>) -> Result<Url, Error<()>> {
    let Some(base) = &client.base else {
        return Err(Error::InvalidRequest(
            "base URL cannot be read or holds credentials".to_owned(),
        ));
    };
    let mut url = base.clone();
    // Most servers have no path of their own, and many paths are fixed.
    if let ("/", Some(path)) = (base.path(), path.as_str()) {
        url.set_path(path);
        return Ok(url);
    }
    // Room for most paths, which would otherwise grow piece by piece.
    let mut whole = String::with_capacity(base.path().len() + 64);
    whole.push_str(base.path().trim_end_matches('/'));
    fmt::Write::write_fmt(&mut whole, path).map_err(|error| Error::InvalidRequest(error.to_string()))?;
    url.set_path(&whole);
    Ok(url)
}

/// Why a successful response could not become the type that the contract promises.
///
/// It travels in the extensions of the [`Error::UnexpectedResponse`] that [`Client`]'s calls return then, so that
/// status, headers and what arrived of the body are not lost. A [`Transport`] that reads bodies itself puts it there when
/// it could not read one to its end.
#[derive(Clone, Debug)]
pub enum DecodeFailure {
    /// The body ended early or took too long.
    Body(Arc<reqwest::Error>),
    /// The body was not complete within the time that the transport gives a call.
    TimedOut,
    /// The body is larger than the transport allows.
    TooLarge {
        /// What it allows, in bytes.
        limit: usize,
    },
    /// The body is whole, but not the JSON that the contract promises.
    Json(Arc<serde_json::Error>),
}

/// A response, and beside it the body, when a [`Transport`] has read it: the response's own is empty then. To make a response
/// anew around it would cost every call a tenth of its memory allocations.
pub struct Received {
    /// As it came.
    pub response: Response,
    /// `None` when it is still to be read.
    pub body: Option<Bytes>,
}

impl Received {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The response with its body in it.
    pub fn into_response(self) -> Response {
        let Self { response, body } = self;
        let Some(body) = body else {
            return response;
        };
        let url = http::Response::builder().url(response.url().clone()).body(());
        let (mut parts, _) = http::Response::<reqwest::Body>::from(response).into_parts();
        parts
            .extensions
            .extend(url.map(|url| url.into_parts().0.extensions).unwrap_or_default());
        http::Response::from_parts(parts, body).into()
    }
}

/// Shows no content: the URL may hold a prompt, and the body what an agent said.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("status", &self.status())
            .field("bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// A response whose body is still to be read.
impl From<Response> for Received {
    fn from(response: Response) -> Self {
        Self { response, body: None }
    }
}

/// A request whose answer is JSON.
pub(crate) fn accepts_json(request: RequestBuilder) -> RequestBuilder {
    request.header(ACCEPT, HeaderValue::from_static("application/json"))
}

/// A request without a body whose answer is JSON. Not made by a builder, which is as large and handed on four times.
pub(crate) fn asks_for_json(method: Method, url: Url) -> Request {
    let mut request = Request::new(method, url);
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json);
    request
}

/// A request with a body of JSON whose answer is JSON. Not made by a builder either: it would be compiled for each type of body.
#[allow(
    clippy::result_large_err,
    reason = "it is the error that every generated call returns"
)]
pub(crate) fn sends_json(method: Method, url: Url, body: serde_json::Result<Vec<u8>>) -> Result<Request, Error<()>> {
    let body = body.map_err(|error| Error::InvalidRequest(error.to_string()))?;
    let mut request = asks_for_json(method, url);
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// A response that has no body. The generated code calls this instead of progenitor's own.
pub(crate) fn empty(received: Received) -> ResponseValue<()> {
    ResponseValue::empty(received.response)
}

/// An open response, whose body is for the caller to read. The generated code calls this instead of progenitor's own, which
/// copies the headers.
pub(crate) fn stream(received: Received) -> ResponseValue<ByteStream> {
    let mut response = received.into_response();
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let beside = Some(std::mem::take(response.extensions_mut()));
    let body = Body {
        bytes: response.bytes_stream(),
        beside,
    };
    ResponseValue::new(ByteStream::new(Box::pin(body)), status, headers)
}

/// The bytes of an open response.
struct Body<S> {
    bytes: S,
    /// What came beside them, to be dropped when they are waited for: the first may be here already, and would wait for that.
    beside: Option<http::Extensions>,
}

impl<S: Stream + Unpin> Stream for Body<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let polled = Pin::new(&mut self.bytes).poll_next(cx);
        if polled.is_pending() {
            self.beside = None;
        }
        polled
    }
}

/// Reads the body of a successful response into `T`. The generated code calls this instead of progenitor's own
/// decoder, which drops status and headers when it fails.
///
/// It is compiled in each crate that awaits a call, as all that is generic or `async`; what it calls is only here. Not an
/// `async fn`, which would keep its argument twice.
#[allow(clippy::manual_async_fn, reason = "the future is smaller")]
pub(crate) fn decode<T: Answer>(
    received: Received,
) -> impl Future<Output = Result<ResponseValue<T>, Error<()>>> + Send {
    async move {
        if received.body.is_some() || is_broken(&received) {
            value(received)
        } else {
            value(rest(received).await?)
        }
    }
}

#[allow(clippy::result_large_err, reason = "as that of `url`")]
fn value<T: Answer>(received: Received) -> Result<ResponseValue<T>, Error<()>> {
    if is_broken(&received) {
        return Err(unexpected(received));
    }
    let Received { mut response, body } = received;
    let body = body.unwrap_or_default();
    match T::Blocks::body::<T>(&body) {
        Ok(value) => {
            let headers = std::mem::take(response.headers_mut());
            Ok(ResponseValue::new(value, response.status(), headers))
        }
        Err(error) => Err(misfit(response, body, error)),
    }
}

/// Whether the transport could not read the body to its end.
fn is_broken(received: &Received) -> bool {
    received.response.extensions().get::<DecodeFailure>().is_some()
}

/// The body that the transport has left to be read; of no room where it has not.
fn rest(received: Received) -> Pin<Box<dyn Future<Output = Result<Received, Error<()>>> + Send>> {
    Box::pin(async {
        let mut response = received.response;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Error::ResponseBodyError)? {
            body.extend_from_slice(&chunk);
        }
        let body = Some(body.into());
        Ok(Received { response, body })
    })
}

fn misfit(mut response: Response, body: Bytes, error: serde_json::Error) -> Error<()> {
    response.extensions_mut().insert(DecodeFailure::Json(Arc::new(error)));
    let body = Some(body);
    unexpected(Received { response, body })
}

/// The error of a response that is not what the contract promises, with its body in it. The generated code calls this.
pub(crate) fn unexpected(received: Received) -> Error<()> {
    Error::UnexpectedResponse(received.into_response())
}

#[cfg(test)]
mod tests;
