//! How every request is sent: token, user agent, timeout, size limit. One request, one attempt; a retry policy has its
//! place around [`HttpTransport::send`] and nowhere else.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use reqwest::{Request, Response};
use stromboli_generated::{BodyLimit, ResponseFuture, Transport};

use crate::config::Timeouts;
use crate::operation::{Class, Operation, find};
use crate::token::Token;

/// The transport behind [`Client`](crate::Client) and its `raw()`.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    pub(crate) http: reqwest::Client,
    pub(crate) token: Option<Token>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_response_bytes: usize,
}

impl Transport for HttpTransport {
    fn execute(&self, request: Request, operation_id: &'static str) -> ResponseFuture<'_> {
        Box::pin(self.send(request, find(operation_id)))
    }
}

impl HttpTransport {
    async fn send(&self, mut request: Request, operation: &Operation) -> reqwest::Result<Response> {
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.header());
        }
        *request.timeout_mut() = self.timeout(operation.class);
        let mut response = self.http.execute(request).await?;
        response.extensions_mut().insert(BodyLimit(self.max_response_bytes));
        Ok(response)
    }

    /// The time from sending to the last byte. A stream has none: its silence is bounded where it is read.
    fn timeout(&self, class: Class) -> Option<Duration> {
        match class {
            Class::Quick => Some(self.timeouts.quick),
            Class::ImagePull => Some(self.timeouts.image_pull),
            Class::Run => Some(self.timeouts.run),
            Class::Stream => None,
        }
    }
}
