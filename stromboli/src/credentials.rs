//! Access tokens that obtain and renew themselves (WIRE §3).
//!
//! No task runs behind this: the call that finds the token old renews it. Long before its end, one call renews and the
//! others go on with the old token; near its end, all wait for that one call.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stromboli_generated::types::{RefreshRequest, TokenRequest, TokenResponse};
use tokio::time::Instant;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::token::{Auth, Token, TokenFuture, TokenSource};
use crate::transport::HttpTransport;

/// The share of its life at whose beginning a token is old enough to be renewed, if that works.
const ADVISORY: f64 = 0.8;
/// The share of its life at whose beginning a token must be renewed before it is used.
const MANDATORY: f64 = 0.95;
/// How long after a failed renewal nobody tries again while the old token is good.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a call waits for a renewal that it could do without.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a refresh token is waited for before the API token is tried.
const REFRESH: Duration = Duration::from_secs(3);

/// No life of a token is taken for longer, so that no number of seconds can carry an instant beyond the clock.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What access tokens are obtained with.
///
/// ```
/// use stromboli::{Client, Credentials};
///
/// let client = Client::builder("http://localhost:8080")
///     .credentials(Credentials::client_id("ci", "an-api-token-of-the-server")?)
///     .build()?;
/// # Ok::<(), stromboli::Error>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    client_id: String,
    api_token: Token,
}
impl Credentials {
    /// Access tokens for `client_id`, any name that the server's logs shall show, obtained with one of the server's API
    /// tokens.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an empty id, or for an API token that no header can hold.
    pub fn client_id(client_id: impl Into<String>, api_token: impl AsRef<str>) -> Result<Self> {
        let client_id = client_id.into();
        if client_id.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "client id is empty"));
        }
        Ok(Self {
            client_id,
            api_token: Token::new(api_token)?,
        })
    }

    /// The source of tokens for the server at `url`.
    pub(crate) fn at(self, url: &str, transport: &HttpTransport) -> Renewing {
        Renewing {
            with_api_token: Client::assemble(url, transport.with_auth(Auth::Fixed(self.api_token)), 0),
            without_token: Client::assemble(url, transport.clone(), 0),
            client_id: self.client_id,
            state: Mutex::default(),
            renewal: tokio::sync::Mutex::new(()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The token in use, and what renews it.
pub(crate) struct Renewing {
    with_api_token: Client,
    without_token: Client,
    client_id: String,
    state: Mutex<State>,
    /// Held by the one call that renews.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// How many renewals have failed, and how the last one did: who waited for it fails with it, and renews nothing.
    failures: u64,
    last_failure: Option<(ErrorKind, String)>,
}

#[derive(Clone)]
struct Current {
    token: Token,
    /// None after it failed: the API token is tried at once then.
    refresh_token: Option<String>,
    advisory: Instant,
    mandatory: Instant,
}

impl TokenSource for Renewing {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async move { Ok(self.get(rejected).await?) })
    }
}

impl Renewing {
    async fn get(&self, rejected: Option<&Token>) -> Result<Token> {
        if let Some(current) = self.usable(rejected) {
            if Instant::now() < current.advisory {
                return Ok(current.token);
            }
            let Ok(_alone) = self.renewal.try_lock() else {
                return Ok(current.token);
            };
            // Another call may have renewed it since it was found old.
            if let Some(renewed) = self.usable(rejected).filter(|now| Instant::now() < now.advisory) {
                return Ok(renewed.token);
            }
            // Set beforehand, because the call that renews can be dropped in the middle of it.
            self.set(Current {
                advisory: Instant::now() + PAUSE,
                ..current.clone()
            });
            if !matches!(tokio::time::timeout(PATIENCE, self.renew()).await, Ok(Ok(()))) {
                // The old token is good for a while; who needs a new one then will see the error.
                return Ok(current.token);
            }
        } else {
            self.retire(rejected);
            let failures = self.state().failures;
            let _alone = self.renewal.lock().await;
            if self.usable(rejected).is_none() {
                if self.state().failures != failures
                    && let Some((kind, message)) = self.state().last_failure.clone()
                {
                    return Err(Error::new(kind, message));
                }
                self.renew().await?;
            }
        }
        self.usable(rejected).map(|current| current.token).ok_or_else(|| {
            Error::new(
                ErrorKind::Unauthorized,
                "server gave out a token that it does not accept or that expires at once",
            )
        })
    }

    /// The token at hand, unless the server refused it or it is about to expire.
    fn usable(&self, rejected: Option<&Token>) -> Option<Current> {
        let current = self.state().current.clone()?;
        (Some(&current.token) != rejected && Instant::now() < current.mandatory).then_some(current)
    }

    /// No call shall use a token again that the server refused.
    fn retire(&self, rejected: Option<&Token>) {
        if let Some(current) = &mut self.state().current
            && Some(&current.token) == rejected
        {
            current.mandatory = Instant::now();
        }
    }

    /// Obtains a token: with the refresh token if there is one that works, else with the API token.
    async fn renew(&self) -> Result<()> {
        // Taken out for good, so that one that fails or is not answered stands in the way only once.
        let refresh_token = self
            .state()
            .current
            .as_mut()
            .and_then(|current| current.refresh_token.take());
        if let Some(refresh_token) = refresh_token {
            let request = RefreshRequest::new(refresh_token);
            let client = &self.without_token;
            let refresh = client.call("auth_refresh", client.raw().auth_refresh(&request));
            if let Ok(Ok(response)) = tokio::time::timeout(REFRESH, refresh).await {
                return self.accept(response);
            }
        }
        let request = TokenRequest::new(self.client_id.as_str());
        let client = &self.with_api_token;
        let obtained = client.call("auth_token", client.raw().auth_token(&request)).await;
        obtained
            .and_then(|response| self.accept(response))
            .inspect_err(|error| {
                let mut state = self.state();
                state.failures += 1;
                state.last_failure = Some((error.kind(), error.message().to_owned()));
            })
    }

    fn accept(&self, response: TokenResponse) -> Result<()> {
        let life = Duration::from_secs(u64::try_from(response.expires_in).unwrap_or_default()).min(YEAR);
        let now = Instant::now();
        self.set(Current {
            token: Token::new(&response.access_token)?,
            refresh_token: Some(response.refresh_token),
            advisory: now + life.mul_f64(ADVISORY),
            mandatory: now + life.mul_f64(MANDATORY),
        });
        Ok(())
    }

    fn set(&self, current: Current) {
        self.state().current = Some(current);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
