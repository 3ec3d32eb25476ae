//! Client for Stromboli, the HTTP server that runs Claude Code agents in
//! Podman containers.
//!
//! ```no_run
//! use stromboli::{ClaudeOptions, Client, Model, RunEvent, RunRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stromboli::Result<()> {
//! let client = Client::connect("http://localhost:8080").await?;
//!
//! // Run a prompt and wait for the answer.
//! let request = RunRequest::new("Review this code")
//!     .workdir("/workspace")
//!     .claude(ClaudeOptions::new().model(Model::Sonnet).max_budget_usd(5.0));
//! let reply = client.run(request).await?.ok()?;
//! println!("{}", reply.text());
//!
//! // Or read its output as it comes.
//! let mut run = client.stream("Count to ten").await?;
//! while let Some(event) = run.try_next().await? {
//!     if let RunEvent::Output(line) = event {
//!         println!("{line}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every call can cost money and minutes, which decides what this crate does and does not do:
//!
//! - A call is sent once. An [`Error`] says whether the server [may have executed](Error::may_have_executed) it.
//! - A stream never reconnects, because that would run the prompt again; one that ends early is an error.
//! - Nothing waits for ever by default; see [`Timeouts`].
//! - Tokens and prompts are in no `Debug` output and in no error.
//! - Values and fields of a newer server arrive as data: `Other(…)` of an enum, `extra` of a response.

mod api;
mod client;
mod config;
mod error;
mod operation;
mod options;
mod run_stream;
pub mod sse;
mod token;
mod transport;
pub mod version;

pub use api::jobs::JobHandle;
pub use client::Client;
pub use config::{ClientBuilder, Timeouts};
pub use error::{Error, ErrorKind, Result};
pub use options::StreamRequest;
pub use run_stream::{RunEvent, RunStream};
pub use stromboli_generated::AgentFailure;
pub use stromboli_generated::types::{
    ClaudeOptions, ClaudeStatus, ComponentHealth, ComponentStatus, ComposeEnvironment, CrashInfo, Effort, Health,
    HealthStatus, InputFormat, Job, JobCancelled, JobStatus, LifecycleHooks, Model, OutputFormat, PermissionMode,
    PodmanOptions, PromptCachingTtl, RunRequest, RunResponse, RunStatus, RunStreamEnd, SettingSource, Usage,
};
pub use token::Token;
