//! Waiting for a job: polls that the caller pulls, with no task and no channel behind them.

mod options;
mod poller;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use stromboli_generated::types::Job;

pub use options::WaitOptions;
use poller::Poller;

use crate::api::jobs::JobHandle;
use crate::error::Result;

impl JobHandle {
    /// Waits for the job's end; `job.await` does the same. Dropping the future leaves the job alone, and another wait may
    /// follow it up, in another process as well.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let done = client.start("Audit everything").await?.wait().await?.ok()?;
    /// println!("{}", done.text());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It has no deadline of its own: the server ends a run that takes too long, after 30 minutes unless
    /// [`PodmanOptions::timeout`](crate::PodmanOptions::timeout) says otherwise, but not a compose run (WIRE §6): give that a
    /// [`WaitOptions::timeout`](crate::WaitOptions::timeout). A job that failed or crashed is one that
    /// ended, until [`Job::ok`] is asked. One that was cancelled goes on until its container ends (WIRE §6), and so does
    /// this.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) when the server knows no such job: it forgets one an hour after its
    /// end, and all when it restarts. What may pass (no connection, timeouts, 429, 5xx, an answer that cannot be read, as
    /// a proxy's page of HTML) is an error only after two minutes of nothing else; any other error of [`get`](Self::get)
    /// is one at once.
    /// [`may_have_executed`](crate::Error::may_have_executed) is true of all that a server may have caused: the job may
    /// go on.
    pub async fn wait(&self) -> Result<Job> {
        self.wait_with(WaitOptions::new()).await
    }

    /// Waits for the job's end as `options` say.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use std::time::Duration;
    /// use stromboli::WaitOptions;
    ///
    /// let options = WaitOptions::new().timeout(Duration::from_secs(60)).on_update(|job| eprintln!("{}", job.status));
    /// match client.job("job-abc123def4567890").wait_with(options).await {
    ///     Err(e) if e.is_timeout() => println!("it goes on, and can be waited for again"),
    ///     ended => println!("{}", ended?.status),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`wait`](Self::wait); [`is_timeout`](crate::Error::is_timeout) when [`WaitOptions::timeout`] is up.
    pub async fn wait_with(&self, options: WaitOptions<'_>) -> Result<Job> {
        let mut poller = Poller::new(self.clone(), options);
        loop {
            let job = poller.next().await?;
            if job.status.is_final() {
                return Ok(job);
            }
        }
    }

    /// The job as it stands, then each change of it up to its end. Nothing is polled while nobody asks.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut updates = client.start("Audit everything").await?.updates();
    /// while let Some(job) = updates.try_next().await? {
    ///     println!("{} since {}", job.status, job.updated_at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn updates(&self) -> JobUpdates {
        self.updates_with(WaitOptions::new())
    }

    /// The same as `options` say.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) {
    /// use std::time::Duration;
    /// use stromboli::WaitOptions;
    ///
    /// let updates = client.job("job-abc123def4567890").updates_with(WaitOptions::new().max_interval(Duration::from_secs(1)));
    /// # }
    /// ```
    pub fn updates_with(&self, options: WaitOptions<'static>) -> JobUpdates {
        JobUpdates(State::Idle(Box::new(Poller::new(self.clone(), options))))
    }
}

impl IntoFuture for JobHandle {
    type Output = Result<Job>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Job>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.wait().await })
    }
}

impl<'a> IntoFuture for &'a JobHandle {
    type Output = Result<Job>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Job>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

/// The states of a job, from [`JobHandle::updates`]: read them with [`try_next`](Self::try_next) or as a [`Stream`].
///
/// The first is the state as it stands, the last the end or an error. Dropping it leaves the job alone.
pub struct JobUpdates(State);

enum State {
    Idle(Box<Poller<'static>>),
    Polling(Polling),
    Ended,
}

type Polling = Pin<Box<dyn Future<Output = (Box<Poller<'static>>, Result<Job>)> + Send>>;

impl JobUpdates {
    /// The next change; `None` after the end.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stood.
    ///
    /// # Errors
    /// As [`JobHandle::wait_with`]; nothing follows.
    pub async fn try_next(&mut self) -> Result<Option<Job>> {
        std::future::poll_fn(|cx| self.poll_change(cx)).await.transpose()
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Job>>> {
        let mut polling: Polling = match std::mem::replace(&mut self.0, State::Ended) {
            State::Idle(mut poller) => Box::pin(async move {
                let polled = poller.next().await;
                (poller, polled)
            }),
            State::Polling(polling) => polling,
            State::Ended => return Poll::Ready(None),
        };
        let Poll::Ready((poller, polled)) = polling.as_mut().poll(cx) else {
            self.0 = State::Polling(polling);
            return Poll::Pending;
        };
        if polled.as_ref().is_ok_and(|job| !job.status.is_final()) {
            self.0 = State::Idle(poller);
        }
        Poll::Ready(Some(polled))
    }
}

impl Stream for JobUpdates {
    type Item = Result<Job>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_change(cx)
    }
}

impl fmt::Debug for JobUpdates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobUpdates")
            .field("ended", &matches!(self.0, State::Ended))
            .finish_non_exhaustive()
    }
}
