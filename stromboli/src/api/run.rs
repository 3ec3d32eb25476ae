//! `POST /run`, `POST /run/async`, `GET /run/stream`.

use std::pin::Pin;

use stromboli_generated::types::{RunRequest, RunResponse};

use crate::api::jobs::JobHandle;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::event_stream::EventStream;
use crate::options::{RequestOptions, StreamRequest};
use crate::run_stream::RunStream;
use crate::sse::Decoder;
use crate::timeouts::longer_run;

impl Client {
    /// Runs a prompt and waits for the agent's end, as long as the server lets it run and five minutes more, unless
    /// [`Timeouts::run`](crate::Timeouts::run) says otherwise. Dropping the future ends the connection, and with it the run.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::{ClaudeOptions, Model, PodmanOptions, RunRequest};
    ///
    /// let request = RunRequest::new("Review this code")
    ///     .workdir("/workspace")
    ///     .claude(ClaudeOptions::new().model(Model::Sonnet).allowed_tools(["Read", "Grep"]))
    ///     .podman(PodmanOptions::new().memory("2g").volume("/code:/workspace:ro"));
    /// let reply = client.run(request).await?.ok()?;
    /// println!("{}", reply.text());
    ///
    /// let next = client.run(RunRequest::new("And the tests?").resume(reply.session_id())).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A crash is a reply, not an error (WIRE §6), until [`RunResponse::ok`] is asked.
    ///
    /// # Errors
    /// [`is_agent_failed`](Error::is_agent_failed) when the agent could not be run to its end; [`is_timeout`](Error::is_timeout);
    /// [`ErrorKind::Unavailable`] when the server has no credentials for Claude; [`ErrorKind::InvalidInput`] for a
    /// request that resumes no session. [`Error::may_have_executed`] says whether a repetition could run it twice.
    #[doc(alias = "Run")]
    #[doc(alias = "run_sync")]
    pub async fn run(&self, request: impl Into<RunRequest>) -> Result<RunResponse> {
        self.run_request(request.into()).await
    }

    /// Behind a pointer, so that it is compiled here and not once more in each crate that runs a prompt.
    fn run_request(&self, request: RunRequest) -> Pin<Box<dyn Future<Output = Result<RunResponse>> + Send + '_>> {
        Box::pin(async move {
            check(&request)?;
            let limit = request.podman.as_ref().and_then(|podman| podman.timeout.as_deref());
            match limit.and_then(longer_run).filter(|_| self.has_default_run_time()) {
                None => self.call("run_sync", self.raw().run_sync(&request)).await,
                // Closing the connection at the usual time would kill the run and lose its output (WIRE §6).
                Some(needed) => {
                    let patient = self.with_options(RequestOptions::new().timeout(needed));
                    self.call("run_sync", patient.raw().run_sync(&request)).await
                }
            }
        })
    }

    /// Starts a prompt in the background and gives its job back at once.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let job = client.start("Audit everything").await?;
    /// println!("{} {:?}", job.id(), job.session_id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run), except that a run which fails later is the job's status, not an error.
    #[doc(alias = "RunAsync")]
    #[doc(alias = "run_async")]
    pub async fn start(&self, request: impl Into<RunRequest>) -> Result<JobHandle> {
        let request = request.into();
        check(&request)?;
        let accepted = self.call("run_async", self.raw().run_async(&request)).await?;
        Ok(JobHandle::new(self.clone(), accepted.job_id, accepted.session_id))
    }

    /// Runs a prompt and gives its output line by line, as it comes.
    ///
    /// The server answers when the agent prints its first line (WIRE §7), so this waits that long, bounded by
    /// [`Timeouts::stream_idle`](crate::Timeouts::stream_idle).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::{RunEvent, StreamRequest};
    ///
    /// let mut run = client.stream(StreamRequest::new("Count to ten").workdir("/w")).await?;
    /// while let Some(event) = run.try_next().await? {
    ///     match event {
    ///         RunEvent::Output(line) => println!("{line}"),
    ///         RunEvent::Done(end) => println!("{} in session {}", end.status, end.session_id),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run); [`ErrorKind::TooLarge`] for a prompt above about 64 KiB, because it travels in the URL.
    #[doc(alias = "Stream")]
    #[doc(alias = "run_stream")]
    pub async fn stream(&self, request: impl Into<StreamRequest>) -> Result<RunStream> {
        let StreamRequest {
            prompt,
            workdir,
            session_id,
        } = request.into();
        let call = self
            .raw()
            .run_stream(&prompt, session_id.as_deref(), workdir.as_deref());
        match call.await {
            Ok(response) => {
                // Lines of text that were not looked at for CR (WIRE §7).
                let decoder = Decoder::new().lone_cr_is_data().max_event_bytes(self.max_event_bytes());
                match EventStream::open("run_stream", true, response, decoder, self.stream_idle()) {
                    Ok(events) => Ok(RunStream::new(events, self.max_text_bytes())),
                    Err(error) => Err(error.await),
                }
            }
            Err(error) => Err(Error::from_raw("run_stream", error).await),
        }
    }
}

/// Refuses what would silently start a new conversation where the caller means to continue one.
fn check(request: &RunRequest) -> Result<()> {
    let Some(claude) = &request.claude else { return Ok(()) };
    if claude.resume == Some(true) && claude.session_id.as_deref().unwrap_or_default().is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "resume needs the id of a session, and it is empty",
        ));
    }
    Ok(())
}
