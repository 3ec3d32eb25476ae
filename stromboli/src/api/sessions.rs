//! `/sessions`: conversations on the server's disk, and one of them by its handle.

use stromboli_generated::types::{HistoryMessage, SessionDestroyed, SessionInfo};

use crate::client::{Client, path_segment};
use crate::error::Result;
use crate::pages::Messages;

/// The conversations on the server's disk, from [`Client::sessions`].
#[derive(Clone, Debug)]
pub struct Sessions {
    client: Client,
}

impl Sessions {
    /// All sessions, those of persistent agents and of failed runs too. Servers before 0.5.0 give no titles (WIRE §8).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// for session in client.sessions().list().await? {
    ///     println!("{} {}", session.id, session.title.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::Internal`](crate::ErrorKind::Internal) when the
    /// server cannot read its disk.
    #[doc(alias = "ListSessions")]
    pub async fn list(&self) -> Result<Vec<SessionInfo>> {
        let list = self.client.call("sessions_list", self.client.raw().sessions_list());
        let sessions = list.await?.sessions.unwrap_or_default();
        Ok(sessions.into_iter().map(Into::into).collect())
    }
}

/// A conversation by its id, from [`Client::session`].
#[derive(Clone, Debug)]
pub struct SessionHandle {
    client: Client,
    id: String,
}

impl SessionHandle {
    /// The id, for [`RunRequest::resume`](crate::RunRequest::resume).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The conversation's messages, to be read as [pages](Messages::page) or as a [stream](Messages::stream).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let session = client.session("550e8400-e29b-41d4-a716-446655440000");
    /// let last_ten = session.messages().offset(40).limit(10).page().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self) -> Messages {
        Messages::new(self.client.clone(), self.id.clone())
    }

    /// One message by the `uuid` that a page gave it.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let session = client.session("550e8400-e29b-41d4-a716-446655440000");
    /// let message = session.message("8f0b7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found); [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for the
    /// empty uuid that some lines of a transcript have.
    #[doc(alias = "GetMessage")]
    pub async fn message(&self, uuid: impl AsRef<str>) -> Result<HistoryMessage> {
        let uuid = uuid.as_ref();
        path_segment("session id", &self.id)?;
        path_segment("message uuid", uuid)?;
        let call = self.client.raw().session_message(&self.id, uuid);
        Ok(self.client.call("session_message", call).await?.message)
    }

    /// Deletes the conversation with its history and files. A container that still runs in it goes on.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.session("550e8400-e29b-41d4-a716-446655440000").destroy().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found); [`is_timeout`](crate::Error::is_timeout), because the server takes a
    /// compose stack of the session down first.
    #[doc(alias = "DestroySession")]
    pub async fn destroy(&self) -> Result<SessionDestroyed> {
        path_segment("session id", &self.id)?;
        self.client
            .call("session_destroy", self.client.raw().session_destroy(&self.id))
            .await
    }
}

impl Client {
    /// The conversations on the server's disk. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let sessions = client.sessions().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sessions(&self) -> Sessions {
        Sessions { client: self.clone() }
    }

    /// The conversation with this id. Nothing is sent.
    ///
    /// Take ids as the server gave them: in others, `*`, `?` and `[` act as patterns (WIRE §8).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let reply = client.run("Say hello").await?.ok()?;
    /// let history = client.session(reply.session_id()).messages().page().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&self, id: impl Into<String>) -> SessionHandle {
        SessionHandle {
            client: self.clone(),
            id: id.into(),
        }
    }
}
