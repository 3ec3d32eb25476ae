//! `/auth`: tokens by hand, for those who do not use [`Credentials`](crate::Credentials).

use stromboli_generated::types::{LogoutResponse, RefreshRequest, TokenInfo, TokenRequest, TokenResponse};

use crate::client::Client;
use crate::error::Result;

/// The server's tokens, from [`Client::auth`].
#[derive(Clone, Debug)]
pub struct Auth {
    client: Client,
}

impl Auth {
    /// Obtains an access and a refresh token for `client_id`, any name that the server's logs shall show.
    ///
    /// The client needs an API token of the server's, or an access token that is still valid.
    ///
    /// ```no_run
    /// # async fn example() -> stromboli::Result<()> {
    /// use stromboli::{Client, Token};
    ///
    /// let builder = Client::builder("http://localhost:8080").token(Token::new("an-api-token")?);
    /// let tokens = builder.build()?.auth().token("ci").await?;
    /// let client = Client::builder("http://localhost:8080").token(Token::new(&tokens.access_token)?).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when
    /// the server is not configured to issue tokens.
    #[doc(alias = "GetToken")]
    pub async fn token(&self, client_id: impl Into<String>) -> Result<TokenResponse> {
        let request = TokenRequest::new(client_id);
        self.client
            .call("auth_token", self.client.raw().auth_token(&request))
            .await
    }

    /// Exchanges a refresh token for a new pair. The old refresh token stays valid (WIRE §3).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client, refresh_token: String) -> stromboli::Result<()> {
    /// let tokens = client.auth().refresh(refresh_token).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized) for a token that has expired, or that is an access token;
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
    #[doc(alias = "RefreshToken")]
    pub async fn refresh(&self, refresh_token: impl Into<String>) -> Result<TokenResponse> {
        let request = RefreshRequest::new(refresh_token);
        self.client
            .call("auth_refresh", self.client.raw().auth_refresh(&request))
            .await
    }

    /// What the client's access token says about itself. One that was logged out is still valid here (WIRE §3).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let token = client.auth().validate().await?;
    /// println!("{} until {}", token.subject, token.expires_at);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized) for every other token, API tokens included;
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
    #[doc(alias = "ValidateToken")]
    pub async fn validate(&self) -> Result<TokenInfo> {
        self.client
            .call("auth_validate", self.client.raw().auth_validate())
            .await
    }

    /// Revokes the client's access token. Its refresh token stays valid, and API tokens cannot be revoked.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.auth().logout().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when
    /// the server cannot remember revoked tokens.
    #[doc(alias = "Logout")]
    pub async fn logout(&self) -> Result<LogoutResponse> {
        self.client.call("auth_logout", self.client.raw().auth_logout()).await
    }
}

impl Client {
    /// The server's tokens, by hand. [`Credentials`](crate::Credentials) obtain and renew them by themselves.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let subject = client.auth().validate().await?.subject;
    /// # Ok(())
    /// # }
    /// ```
    pub fn auth(&self) -> Auth {
        Auth { client: self.clone() }
    }
}
