//! Access tokens that obtain and renew themselves (WIRE §3).
//!
//! No task runs behind this: the call that finds the token old renews it. Long before its end, one call renews and the
//! others go on with the old token; near its end, all wait for that one call.

mod renewal;

use std::fmt;
// `tests/races` has another in its place.
use std::sync;
use std::time::Duration;

use stromboli_generated::types::{RefreshRequest, TokenRequest, TokenResponse};

use self::renewal::{Obtained, Renewal};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::token::{Auth, Token, TokenFuture, TokenSource};
use crate::transport::HttpTransport;

/// The share of its life at whose beginning a token is old enough to be renewed, if that works.
const ADVISORY: f64 = 0.8;
/// The share of its life at whose beginning a token must be renewed before it is used.
const MANDATORY: f64 = 0.95;
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
            renewal: Renewal::new(|failure| Error::new(failure.kind(), failure.message())),
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
    renewal: Renewal<Token, Error>,
}

impl TokenSource for Renewing {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(async move {
            let token = self.renewal.get(rejected, |refresh_token| self.obtain(refresh_token));
            token
                .await?
                .ok_or_else(|| worthless("server gave out the token again that it had refused").into())
        })
    }
}

impl Renewing {
    /// Obtains a token: with the refresh token if there is one that works, else with the API token.
    async fn obtain(&self, refresh_token: Option<String>) -> Result<Obtained<Token>> {
        if let Some(refresh_token) = refresh_token {
            let request = RefreshRequest::new(refresh_token);
            let client = &self.without_token;
            let refresh = client.call("auth_refresh", client.raw().auth_refresh(&request));
            if let Ok(Ok(response)) = tokio::time::timeout(REFRESH, refresh).await {
                return obtained(response);
            }
        }
        let request = TokenRequest::new(self.client_id.as_str());
        let client = &self.with_api_token;
        obtained(client.call("auth_token", client.raw().auth_token(&request)).await?)
    }
}

fn obtained(response: TokenResponse) -> Result<Obtained<Token>> {
    let life = Duration::from_secs(u64::try_from(response.expires_in).unwrap_or_default()).min(YEAR);
    if life.is_zero() {
        return Err(worthless("server gave out a token that expires at once"));
    }
    Ok(Obtained {
        token: Token::new(&response.access_token)?,
        refresh_token: response.refresh_token,
        old_after: life.mul_f64(ADVISORY),
        useless_after: life.mul_f64(MANDATORY),
    })
}

fn worthless(message: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, message)
}
