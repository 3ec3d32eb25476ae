//! A guard that cancels a job when it is dropped. It is the one thing in this crate that runs after the caller has gone,
//! so it runs only where the caller says: on the runtime whose handle was given.

use std::fmt;
use std::ops::Deref;

use tokio::runtime::Handle;

use crate::api::jobs::JobHandle;

/// A job that is cancelled when this is dropped, from [`JobHandle::cancel_on_drop`].
#[must_use = "dropping it cancels the job"]
pub struct CancelOnDrop {
    job: JobHandle,
    /// None when it is disarmed.
    runtime: Option<Handle>,
}

impl JobHandle {
    /// Cancels the job when the guard is dropped, unless [`disarm`](CancelOnDrop::disarm) is called: for work that
    /// nobody wants any more once its caller has returned early or was dropped.
    ///
    /// The cancel call is sent by a task on `runtime`, because dropping cannot wait, and its outcome is not told. When
    /// the runtime ends before, it is not sent. What it does is what [`cancel`](JobHandle::cancel) does: the server
    /// marks the job, and its container runs on to its end (WIRE §6).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use std::time::Duration;
    /// use stromboli::WaitOptions;
    ///
    /// let job = client.start("Audit everything").await?;
    /// let job = job.cancel_on_drop(&tokio::runtime::Handle::current());
    /// let done = job.wait_with(WaitOptions::new().timeout(Duration::from_secs(60))).await?; // cancels when it fails
    /// job.disarm();
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancel_on_drop(self, runtime: &Handle) -> CancelOnDrop {
        CancelOnDrop {
            job: self,
            runtime: Some(runtime.clone()),
        }
    }
}

impl CancelOnDrop {
    /// Gives the job back, which is not cancelled then.
    pub fn disarm(mut self) -> JobHandle {
        self.runtime = None;
        self.job.clone()
    }
}

impl Deref for CancelOnDrop {
    type Target = JobHandle;

    fn deref(&self) -> &JobHandle {
        &self.job
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let job = self.job.clone();
            // Nobody is left to be told of an error, and of a job that has ended already it is one.
            drop(runtime.spawn(async move { job.cancel().await }));
        }
    }
}

impl fmt::Debug for CancelOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelOnDrop")
            .field("job", &self.job)
            .field("armed", &self.runtime.is_some())
            .finish()
    }
}
