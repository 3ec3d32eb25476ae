//! `/jobs`: runs in the background, and one of them by its handle.

use std::fmt;

use stromboli_generated::types::{Job, JobCancelled};

use crate::client::{Client, path_segment};
use crate::error::Result;

/// A job by its id, from [`Client::start`] or [`Client::job`]; `job.await` [waits](Self::wait) for its end.
#[derive(Clone)]
pub struct JobHandle {
    client: Client,
    id: String,
    session_id: Option<String>,
}

impl JobHandle {
    pub(crate) fn new(client: Client, id: String, session_id: Option<String>) -> Self {
        Self { client, id, session_id }
    }

    /// The id, to take the job up again with [`Client::job`], in another process as well.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The conversation that the job belongs to. Servers name it since 0.4.1; a handle made by id does not know it.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The job as it stands. The server forgets it one hour after its end, and when it restarts (WIRE §6).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let job = client.job("job-abc123def4567890").get().await?;
    /// if job.status.is_final() {
    ///     println!("{}", job.output.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) for a job that never was, or that the server has forgotten.
    #[doc(alias = "GetJob")]
    pub async fn get(&self) -> Result<Job> {
        path_segment("job id", &self.id)?;
        self.client.call("job_get", self.client.raw().job_get(&self.id)).await
    }

    /// Marks the job as cancelled. The server does not stop its container: when that ends, the status becomes what it
    /// really came to (WIRE §6).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.job("job-abc123def4567890").cancel().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it has ended or is cancelled already;
    /// [`is_not_found`](crate::Error::is_not_found).
    #[doc(alias = "CancelJob")]
    pub async fn cancel(&self) -> Result<JobCancelled> {
        path_segment("job id", &self.id)?;
        self.client
            .call("job_cancel", self.client.raw().job_cancel(&self.id))
            .await
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle")
            .field("id", &self.id)
            .field("session_id", &self.session_id)
            .finish()
    }
}

/// The server's jobs, from [`Client::jobs`].
#[derive(Clone, Debug)]
pub struct Jobs {
    client: Client,
}

impl Jobs {
    /// All jobs that the server remembers, in random order and with their whole output: this can be much.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// for job in client.jobs().list().await? {
    ///     println!("{} {}", job.id, job.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) for more
    /// output than [`max_response_bytes`](crate::ClientBuilder::max_response_bytes) allows.
    #[doc(alias = "ListJobs")]
    pub async fn list(&self) -> Result<Vec<Job>> {
        let list = self.client.call("jobs_list", self.client.raw().jobs_list());
        Ok(list.await?.jobs)
    }
}

impl Client {
    /// The server's jobs. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let jobs = client.jobs().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn jobs(&self) -> Jobs {
        Jobs { client: self.clone() }
    }

    /// The job with this id. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let status = client.job("job-abc123def4567890").get().await?.status;
    /// # Ok(())
    /// # }
    /// ```
    pub fn job(&self, id: impl Into<String>) -> JobHandle {
        JobHandle::new(self.clone(), id.into(), None)
    }
}
