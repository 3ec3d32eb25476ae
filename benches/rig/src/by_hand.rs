//! What a call of ours promises, written by hand on top of reqwest: a name, a limit for each request, a token for each attempt,
//! other attempts by a policy and a budget, a span, a body that is bounded, and the server's words when it fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use report::Result;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::{Instrument, Span, field, info_span};

use crate::TIMEOUT;

const ATTEMPTS: u32 = 3;
/// What another attempt costs, and what a call that succeeds at once gives back of it.
const PRICE: u32 = 10;
const MOST_CREDIT: u32 = 100 * PRICE;
const MAX_BODY: usize = 256 << 20;

/// A client of one server.
pub struct ByHand {
    client: Client,
    url: String,
    token: Option<HeaderValue>,
    credit: AtomicU32,
}

impl ByHand {
    /// With the settings that our own client gives to reqwest.
    ///
    /// # Errors
    /// When reqwest's client cannot be built.
    pub fn new(url: &str) -> Result<Self> {
        let client = Client::builder()
            .connect_timeout(TIMEOUT)
            .tcp_keepalive(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .user_agent("by-hand/0.1.0")
            .build()?;
        Ok(Self {
            client,
            url: url.to_owned(),
            token: None,
            credit: AtomicU32::new(MOST_CREDIT),
        })
    }

    /// A read, which may be repeated.
    ///
    /// # Errors
    /// What the last attempt failed with.
    pub async fn get<T: DeserializeOwned>(&self, template: &'static str, path: &str) -> Result<T> {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = request
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .build()?;
        let span = info_span!(
            "call",
            "http.request.method" = request.method().as_str(),
            "url.template" = template,
            "server.address" = request.url().host_str(),
            "http.response.status_code" = field::Empty,
            "http.request.resend_count" = field::Empty,
        );
        let body = self.send(request).instrument(span).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Attempts until one succeeds, cannot be followed by another, or the time is up.
    async fn send(&self, request: Request) -> Result<Vec<u8>> {
        let deadline = Instant::now() + TIMEOUT;
        let mut attempt = 1;
        loop {
            let mut copy = request.try_clone().ok_or("a body that cannot be sent twice")?;
            if let Some(token) = &self.token {
                copy.headers_mut().insert(AUTHORIZATION, token.clone());
            }
            *copy.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
            let (error, wait) = match self.attempt(copy).await {
                Ok(body) => {
                    if attempt == 1 {
                        self.reward();
                    }
                    return Ok(body);
                }
                Err(failed) => failed,
            };
            let wait = wait.filter(|wait| {
                let in_time = *wait < deadline.saturating_duration_since(Instant::now());
                attempt < ATTEMPTS && in_time && self.pay()
            });
            let Some(wait) = wait else { return Err(error) };
            Span::current().record("http.request.resend_count", attempt);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// One attempt: the body, or what failed and when to come back, if at all.
    async fn attempt(
        &self,
        request: Request,
    ) -> std::result::Result<Vec<u8>, (Box<dyn std::error::Error + Send + Sync>, Option<Duration>)> {
        const SOON: Duration = Duration::from_millis(250);
        let mut response = self.client.execute(request).await.map_err(|e| (e.into(), Some(SOON)))?;
        let status = response.status();
        Span::current().record("http.response.status_code", status.as_u16());
        let body = read(&mut response).await.map_err(|e| (e, Some(SOON)))?;
        if status.is_success() {
            return Ok(body);
        }
        let words: Value = serde_json::from_slice(&body).unwrap_or_default();
        let error = format!("{status}: {}", words["error"].as_str().unwrap_or_default());
        let again = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        Err((error.into(), again.then(|| retry_after(&response).unwrap_or(SOON))))
    }

    fn pay(&self) -> bool {
        let pay = |credit: u32| credit.checked_sub(PRICE);
        self.credit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .is_ok()
    }

    fn reward(&self) {
        if self.credit.load(Ordering::Relaxed) < MOST_CREDIT {
            self.credit.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The body, up to the limit.
async fn read(response: &mut Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err("response is too large".into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
