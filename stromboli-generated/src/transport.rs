//! The seam between the generated calls and whoever sends them, and the one place that decodes their bodies.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("baseurl", &self.baseurl)
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
pub(crate) fn encode_path(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
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
    /// The body is larger than the transport allows.
    TooLarge {
        /// What it allows, in bytes.
        limit: usize,
    },
    /// The body is whole, but not the JSON that the contract promises.
    Json(Arc<serde_json::Error>),
}

/// Reads the body of a successful response into `T`. The generated code calls this instead of progenitor's own
/// decoder, which drops status and headers when it fails.
pub(crate) async fn decode<T: DeserializeOwned, E>(mut response: Response) -> Result<ResponseValue<T>, Error<E>> {
    if response.extensions().get::<DecodeFailure>().is_some() {
        return Err(Error::UnexpectedResponse(response));
    }
    let status = response.status();
    let url = response.url().clone();
    let headers = std::mem::take(response.headers_mut());
    let mut extensions = std::mem::take(response.extensions_mut());
    let body = response.bytes().await.map_err(Error::ResponseBodyError)?;
    let failure = match serde_json::from_slice(&body) {
        Ok(value) => return Ok(ResponseValue::new(value, status, headers)),
        Err(error) => DecodeFailure::Json(Arc::new(error)),
    };
    extensions.insert(failure);
    let mut rebuilt = http::Response::builder().status(status).url(url);
    if let Some(to) = rebuilt.headers_mut() {
        *to = headers;
    }
    if let Some(to) = rebuilt.extensions_mut() {
        to.extend(extensions);
    }
    match rebuilt.body(body) {
        Ok(rebuilt) => Err(Error::UnexpectedResponse(rebuilt.into())),
        // Cannot happen: every part was taken from a valid response.
        Err(error) => Err(Error::Custom(error.to_string())),
    }
}
