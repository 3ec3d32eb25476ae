//! Runs a prompt with reqwest and what a caller of Stromboli needs around it: a token that is renewed, another attempt
//! where nothing can have run, the server's own words in errors, fields of later servers, and a span.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::Instrument;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Serialize)]
struct Run<'a> {
    prompt: &'a str,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "what a caller may want")]
struct Reply {
    id: String,
    status: String,
    output: Option<String>,
    error: Option<String>,
    session_id: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

struct Server {
    client: Client,
    url: String,
    credentials: Option<(String, String)>,
    tokens: Option<Tokens>,
}

impl Server {
    fn from_env() -> Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let credentials = std::env::var("STROMBOLI_CLIENT_ID")
            .and_then(|id| Ok((id, std::env::var("STROMBOLI_API_TOKEN")?)))
            .ok();
        Ok(Self {
            client,
            url: std::env::var("STROMBOLI_URL")?,
            credentials,
            tokens: None,
        })
    }

    async fn run(&mut self, prompt: &str) -> Result<Reply> {
        let request = self.client.post(format!("{}/run", self.url)).json(&Run { prompt });
        let span = tracing::info_span!("stromboli", operation = "run_sync", attempts = tracing::field::Empty);
        let response = self.send(request).instrument(span).await?;
        Ok(serde_json::from_slice(&read(response).await?)?)
    }

    /// Sends it until it was answered, renewing the token once and waiting as long as the server says.
    async fn send(&mut self, request: RequestBuilder) -> Result<Response> {
        let mut renewed = false;
        for attempt in 1..=3 {
            if self.tokens.is_none() {
                self.renew().await?;
            }
            let mut again = request.try_clone().ok_or("a body that cannot be sent twice")?;
            if let Some(tokens) = &self.tokens {
                again = again.bearer_auth(&tokens.access_token);
            }
            tracing::Span::current().record("attempts", attempt);
            let wait = match again.timeout(Duration::from_secs(2100)).send().await {
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !renewed => {
                    (renewed, self.tokens) = (true, None);
                    continue;
                }
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => seconds(&response),
                Ok(response) => return Ok(response),
                Err(error) if error.is_connect() => Duration::from_millis(200 << attempt),
                Err(error) => return Err(error.into()),
            };
            tokio::time::sleep(wait).await;
        }
        Err("too many attempts".into())
    }

    async fn renew(&mut self) -> Result<()> {
        let Some((id, secret)) = &self.credentials else { return Ok(()) };
        let request = self.client.post(format!("{}/auth/token", self.url)).bearer_auth(secret);
        let response = request.json(&serde_json::json!({ "client_id": id })).send().await?;
        let tokens: Tokens = serde_json::from_slice(&read(response).await?)?;
        tracing::debug!(bytes = tokens.refresh_token.len(), "renewed");
        self.tokens = Some(tokens);
        Ok(())
    }
}

fn seconds(response: &Response) -> Duration {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Duration::from_secs(header.and_then(|value| value.parse().ok()).unwrap_or(1))
}

/// The body, within bounds, or what the server says went wrong.
async fn read(mut response: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > 64 << 20 {
            return Err("too much".into());
        }
        body.extend_from_slice(&chunk);
    }
    if response.status().is_success() {
        return Ok(body);
    }
    let words: Value = serde_json::from_slice(&body).unwrap_or_default();
    Err(format!("{}: {}", response.status(), words["error"].as_str().unwrap_or_default()).into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let reply = Server::from_env()?.run("Say hello").await?;
    if reply.status != "completed" {
        return Err(format!("{reply:?}").into());
    }
    println!("{}", reply.output.unwrap_or_default());
    Ok(())
}
