//! The seam between the generated calls and whoever sends them, and the one place that decodes their bodies.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, ResponseBuilderExt};
use serde::de::DeserializeOwned;

use crate::generated::{Client, ClientInfo, Error, ResponseValue};

/// What [`Transport::execute`] gives back.
pub type ResponseFuture<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + 'a>>;

/// The transport of a [`Client`], shared by its clones.
pub type SharedTransport = Arc<dyn Transport>;

/// Sends the requests of a [`Client`]: the place for tokens, timeouts, retries and spans.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`, which is the operation `operation_id` of the contract (`run_sync`, `job_get`, …).
    fn execute(&self, request: Request, operation_id: &'static str) -> ResponseFuture<'_>;
}

impl ClientHooks<SharedTransport> for Client {
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        self.inner().execute(request, info.operation_id).await
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
pub(crate) fn encode_path(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}

/// The most bytes that [`Client`] reads of a successful response's body, when a [`Transport`] puts it into the
/// response's extensions; unbounded otherwise.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub usize);

/// Why a successful response could not become the type that the contract promises.
///
/// It travels in the extensions of the [`Error::UnexpectedResponse`] that [`Client`]'s calls return then, so that
/// status, headers and what arrived of the body are not lost.
#[derive(Clone, Debug)]
pub enum DecodeFailure {
    /// The body ended early or took too long.
    Body(Arc<reqwest::Error>),
    /// The body is larger than the transport's [`BodyLimit`].
    TooLarge {
        /// That limit, in bytes.
        limit: usize,
    },
    /// The body is whole, but not the JSON that the contract promises.
    Json(Arc<serde_json::Error>),
}

/// Reads the body of a successful response into `T`. The generated code calls this instead of progenitor's own
/// decoder, which drops status and headers when it fails.
pub(crate) async fn decode<T: DeserializeOwned, E>(mut response: Response) -> Result<ResponseValue<T>, Error<E>> {
    let body = match read(&mut response).await {
        Ok(body) => body,
        Err((partial, failure)) => return Err(failed(&response, partial, failure)),
    };
    match serde_json::from_slice(&body) {
        Ok(value) => {
            let headers = std::mem::take(response.headers_mut());
            Ok(ResponseValue::new(value, response.status(), headers))
        }
        Err(error) => Err(failed(&response, body, DecodeFailure::Json(Arc::new(error)))),
    }
}

/// The whole body, or what arrived of it and why it ended there. A body in one piece is not copied.
async fn read(response: &mut Response) -> Result<Bytes, (Bytes, DecodeFailure)> {
    let limit = response
        .extensions()
        .get()
        .map_or(usize::MAX, |BodyLimit(limit)| *limit);
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    loop {
        let read = response.chunk().await;
        let whole = |joined: BytesMut, first| if joined.is_empty() { first } else { joined.freeze() };
        match read {
            Ok(Some(chunk)) if joined.len().max(first.len()).saturating_add(chunk.len()) > limit => {
                return Err((whole(joined, first), DecodeFailure::TooLarge { limit }));
            }
            Ok(Some(chunk)) if first.is_empty() => first = chunk,
            Ok(Some(chunk)) => {
                if joined.is_empty() {
                    joined.extend_from_slice(&first);
                }
                joined.extend_from_slice(&chunk);
            }
            Ok(None) => return Ok(whole(joined, first)),
            Err(error) => return Err((whole(joined, first), DecodeFailure::Body(Arc::new(error)))),
        }
    }
}

fn failed<E>(response: &Response, body: Bytes, failure: DecodeFailure) -> Error<E> {
    let mut rebuilt = http::Response::builder()
        .status(response.status())
        .url(response.url().clone());
    if let Some(headers) = rebuilt.headers_mut() {
        headers.clone_from(response.headers());
    }
    match rebuilt.extension(failure).body(body) {
        Ok(rebuilt) => Error::UnexpectedResponse(rebuilt.into()),
        // Cannot happen: every part was taken from a valid response.
        Err(error) => Error::Custom(error.to_string()),
    }
}
