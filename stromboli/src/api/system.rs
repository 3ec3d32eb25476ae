//! `GET /health`, `GET /claude/status`.

use stromboli_generated::types::{ClaudeStatus, Health};

use crate::client::Client;
use crate::error::Result;
use crate::version::{self, Compatibility};

impl Client {
    /// The server's state, its version and that of its parts. A degraded server answers too (WIRE §5).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let health = client.health().await?;
    /// println!("{} {}", health.version, health.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_connect`](crate::Error::is_connect) when there is no server; [`is_timeout`](crate::Error::is_timeout).
    #[doc(alias = "Health")]
    pub async fn health(&self) -> Result<Health> {
        self.call("health", self.raw().health()).await
    }

    /// Whether the server has credentials for Claude; without them every run is refused.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let claude = client.claude_status().await?;
    /// assert!(claude.configured, "{}", claude.message);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized) without a valid token.
    #[doc(alias = "ClaudeStatus")]
    pub async fn claude_status(&self) -> Result<ClaudeStatus> {
        self.call("claude_status", self.raw().claude_status()).await
    }

    /// Compares the server's version with what this crate supports.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.compatibility().await?.require()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`health`](Self::health); an unsupported version is a verdict, not an error, until it is
    /// [required](Compatibility::require).
    pub async fn compatibility(&self) -> Result<Compatibility> {
        Ok(version::check(&self.health().await?.version))
    }
}
