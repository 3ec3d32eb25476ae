//! The reports of jobs that the server posts when their runs have ended, as WIRE §6 has them.

mod post;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::dialect::Dialect;
use crate::execution::{Report, Status};
use crate::json;
use crate::state::State;
use crate::usage::Usage;

const ATTEMPTS: u32 = 2;
/// Between attempts.
const PAUSE: Duration = Duration::from_millis(100);
/// For one attempt, with all its redirects.
const TIMEOUT: Duration = Duration::from_secs(5);

const SIGNATURE: HeaderName = HeaderName::from_static("x-stromboli-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-stromboli-timestamp");

/// A report on its way.
pub(crate) struct Webhook {
    url: String,
    /// The same for each attempt, the signature and its time included.
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Serialize)]
struct JobResult<'a> {
    job_id: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "str::is_empty")]
    output: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Usage>,
}

impl Webhook {
    /// The report of how a job's run ended, whatever the job's status was before; none without a URL.
    pub(crate) fn new(
        state: &State,
        url: String,
        job_id: &str,
        session_id: &str,
        ending: &Result<Report, String>,
    ) -> Option<Self> {
        if url.is_empty() {
            return None;
        }
        let result = match ending {
            Ok(report) => JobResult {
                job_id,
                status: report.status,
                output: &report.output,
                error: "",
                session_id,
                usage: report.usage.as_ref(),
            },
            Err(error) => JobResult {
                job_id,
                status: Status::Failed,
                output: "",
                error,
                session_id: "",
                usage: None,
            },
        };
        let body = Bytes::from(json::to_string(&result).ok()?);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let secret = state.settings.webhook_signing_secret.as_deref();
        let secret = secret.filter(|secret| !secret.is_empty() && state.settings.dialect >= Dialect::V0_5_7);
        if let Some(secret) = secret {
            let timestamp = state.clock.timestamp().as_second();
            headers.insert(SIGNATURE, signature(secret, timestamp, &body)?);
            headers.insert(TIMESTAMP, timestamp.into());
        }
        Some(Self { url, headers, body })
    }

    /// Posts the report until it is received or given up.
    pub(crate) async fn deliver(self, state: Arc<State>) {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let posted = post::post(&self.url, &self.headers, &self.body);
            // Whatever goes wrong is but a line in the server's log.
            if let Ok(Ok(status)) = tokio::time::timeout(TIMEOUT, posted).await
                && status.is_success()
            {
                return state.count(|stats| stats.webhooks_delivered += 1);
            }
        }
        state.count(|stats| stats.webhooks_failed += 1);
    }
}

/// `sha256=` and the hexadecimal HMAC of the time, a dot and the body.
fn signature(secret: &str, timestamp: i64, body: &[u8]) -> Option<HeaderValue> {
    // HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").ok()?;
    }
    HeaderValue::try_from(text).ok()
}
