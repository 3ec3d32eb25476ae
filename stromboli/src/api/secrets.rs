//! `/secrets`: what runs can be given as environment variables, and the value of one.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use stromboli_generated::types::{SecretCreated, SecretDeleted, SecretInfo, SecretRequest};

use crate::client::{Client, path_segment};
use crate::error::Result;

/// The value of a secret. `Debug` prints nothing of it, and its memory is overwritten when it is dropped.
///
/// That is true of this value and its clones only: sending one makes copies that are freed as they are.
///
/// ```
/// let secret = stromboli::Secret::new("ghp_abc");
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value over: text of 1 byte to 1 MiB (WIRE §9).
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The server's secrets, from [`Client::secrets`]. Values can be stored, never read back.
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Client,
}

impl Secrets {
    /// All secrets without their values; `claude-credentials`, which the server keeps for itself, is among them.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// for secret in client.secrets().list().await? {
    ///     println!("{} {}", secret.name, secret.created_at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::Internal`](crate::ErrorKind::Internal) when
    /// Podman does not answer.
    #[doc(alias = "ListSecrets")]
    pub async fn list(&self) -> Result<Vec<SecretInfo>> {
        let list = self.client.call("secrets_list", self.client.raw().secrets_list());
        Ok(list.await?.secrets)
    }

    /// Stores a secret. None is ever overwritten: delete it first.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client, value: String) -> stromboli::Result<()> {
    /// use stromboli::{PodmanOptions, RunRequest, Secret};
    ///
    /// client.secrets().create("github-token", Secret::new(value)).await?;
    /// let podman = PodmanOptions::new().secret_env("GITHUB_TOKEN", "github-token");
    /// client.run(RunRequest::new("Open a pull request").podman(podman)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::SecretExists`](crate::ErrorKind::SecretExists);
    /// [`ErrorKind::InvalidSecretName`](crate::ErrorKind::InvalidSecretName) for a name with other characters than
    /// letters, digits, `_` and `-`, or more than 253.
    #[doc(alias = "CreateSecret")]
    pub async fn create(&self, name: impl Into<String>, value: Secret) -> Result<SecretCreated> {
        let request = SecretRequest::new(name, value.0.expose_secret());
        path_segment("secret name", &request.name)?;
        self.client
            .call("secret_create", self.client.raw().secret_create(&request))
            .await
    }

    /// Whether a secret exists, and since when. Its value stays on the server.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let secret = client.secrets().get("github-token").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found);
    /// [`ErrorKind::InvalidSecretName`](crate::ErrorKind::InvalidSecretName).
    #[doc(alias = "GetSecret")]
    pub async fn get(&self, name: impl AsRef<str>) -> Result<SecretInfo> {
        let name = name.as_ref();
        path_segment("secret name", name)?;
        self.client.call("secret_get", self.client.raw().secret_get(name)).await
    }

    /// Deletes a secret. Runs that name it afterwards fail.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.secrets().delete("github-token").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[doc(alias = "DeleteSecret")]
    pub async fn delete(&self, name: impl AsRef<str>) -> Result<SecretDeleted> {
        let name = name.as_ref();
        path_segment("secret name", name)?;
        self.client
            .call("secret_delete", self.client.raw().secret_delete(name))
            .await
    }
}

impl Client {
    /// The server's secrets. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let secrets = client.secrets().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn secrets(&self) -> Secrets {
        Secrets { client: self.clone() }
    }
}
