//! Requests that the contract does not describe, on the same transport: [`Client::request`].

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, Url};
use stromboli_generated::{ClientInfo, Error as RawError};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::REQUEST;

impl Client {
    /// Sends any request below the server's address, with the client's token, headers and timeouts: for what a newer server
    /// has and the contract does not. `path` begins with a slash and may have a query; an empty `body` is none, and any
    /// other is JSON unless a header [says otherwise](crate::RequestOptions::header).
    ///
    /// Nothing is known of what it does, so it is taken for one that runs an agent: it is repeated only when it provably
    /// was not sent, and redirects are not followed. It may take as long as the longest silence of a stream until the
    /// server answers, unless [`RequestOptions::timeout`](crate::RequestOptions::timeout) says otherwise.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let answer = client.request("POST", "/brand/new?dry=true", r#"{"name":"x"}"#).await?;
    /// println!("{}: {} bytes", answer.status(), answer.bytes().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of every call, for every status that is no success: [`Error::status`], [`Error::headers`] and the beginning
    /// of [`Error::body`] are the server's. [`ErrorKind::InvalidInput`] for a method that is none, and for a path that does
    /// not begin with a slash or would leave the server's address.
    pub async fn request(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Result<RawResponse> {
        let body = body.into();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Error::new(ErrorKind::InvalidInput, format!("{method:?} is no method of HTTP")))?;
        let mut request = Request::new(method, below(self.raw().baseurl(), path)?);
        if !body.is_empty() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(CONTENT_TYPE, json);
            *request.body_mut() = Some(body.into());
        }
        let failed = match self.raw().inner().execute(request, REQUEST.id).await {
            Ok(answer) if answer.response.status().is_success() => {
                return Ok(RawResponse {
                    response: answer.response,
                    idle: self.stream_idle(),
                    limit: self.max_text_bytes(),
                });
            }
            Ok(answer) => RawError::<()>::UnexpectedResponse(answer.into_response()),
            Err(error) => RawError::CommunicationError(error),
        };
        Err(Error::from_raw(REQUEST.id, failed).await)
    }
}

/// The URL of a path below `base`, and of none beside it: the token is for what lies there.
fn below(base: &str, path: &str) -> Result<Url> {
    let invalid = |reason: &str| Error::new(ErrorKind::InvalidInput, format!("path {path:?} {reason}"));
    if !path.starts_with('/') {
        return Err(invalid("does not begin with a slash"));
    }
    if path.contains('#') {
        return Err(invalid("has a fragment, which is never sent"));
    }
    let root = Url::parse(&format!("{base}/")).map_err(|e| invalid("fits no URL").with_source(e))?;
    let url = Url::parse(&format!("{base}{path}")).map_err(|e| invalid("fits no URL").with_source(e))?;
    // Steps such as `..` are taken when a URL is read.
    if url.origin() != root.origin() || !url.path().starts_with(root.path()) {
        return Err(invalid("leaves the server's address"));
    }
    Ok(url)
}

/// A successful answer whose body is read as it comes, from [`Client::request`].
pub struct RawResponse {
    response: Response,
    idle: Duration,
    limit: usize,
}

impl RawResponse {
    /// The status, which is a success.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers as the server sent them.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes of the body, as they arrive; `None` at its end. Dropping the future loses nothing.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut answer = client.request("GET", "/agents/agent-1/stream", "").await?;
    /// while let Some(bytes) = answer.chunk().await? {
    ///     println!("{} bytes more", bytes.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the connection ends first; [`is_timeout`](Error::is_timeout) when nothing came for as
    /// long as a stream may be silent.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match tokio::time::timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => {
                let message = "connection ended in the middle of the response";
                Err(self
                    .fail(ErrorKind::Truncated, message.into())
                    .with_source(error.without_url()))
            }
            Err(elapsed) => {
                let message = format!("server sent nothing for {:?}", self.idle);
                Err(self.fail(ErrorKind::Timeout, message).with_source(elapsed))
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk); [`ErrorKind::TooLarge`] for more than
    /// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes).
    pub async fn bytes(mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if chunk.len() > self.limit - body.len() {
                let limit = self.limit;
                let message = format!("response is larger than {limit} bytes, see ClientBuilder::max_response_bytes");
                return Err(self.fail(ErrorKind::TooLarge, message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What went wrong with a request that the server took.
    fn fail(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message)
            .sent(REQUEST.id, 1, true)
            .with_response(self.status(), self.headers().clone(), b"")
    }
}

impl fmt::Debug for RawResponse {
    /// Without the URL and the headers, which may hold what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_servers_address() {
        for (base, path, url) in [
            ("http://host", "/jobs?x=y", "http://host/jobs?x=y"),
            ("http://host/base", "/a/../b", "http://host/base/b"),
            ("http://host", "//other/x", "http://host//other/x"),
        ] {
            assert_eq!(below(base, path).unwrap().as_str(), url);
        }
        for (base, path) in [
            ("http://host", "jobs"),
            ("http://host", "@other/"),
            ("http://host", "http://other/"),
            ("http://host", ".other/"),
            ("http://host", "/jobs#x"),
            ("http://host/base", "/../jobs"),
            ("http://host/base", "/%2e%2e/jobs"),
            ("http://host/base", "/..\\jobs"),
            ("http://host/base", "/../based/jobs"),
        ] {
            let error = below(base, path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path}");
        }
    }
}
