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
//! - What runs an agent is never sent twice: it is repeated only when it provably did not leave this process, or when the
//!   server refused it before it did anything; see [`RetryPolicy`]. An [`Error`] says whether the server
//!   [may have executed](Error::may_have_executed) the call.
//! - A stream never reconnects, because that would run the prompt again; one that ends early is an error.
//! - No call waits for ever by default; see [`Timeouts`]. Waiting for a job lasts as long as the server says it runs.
//! - Tokens and prompts are in no `Debug` output and in no error.
//! - Values and fields of a newer server arrive as data: `Other(…)` of an enum, `extra` of a response.

// docs.rs says beside each item which feature it needs; only nightly compilers can.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod agent_events;
mod api;
mod cancel_on_drop;
mod client;
mod config;
mod credentials;
mod error;
mod event_stream;
pub mod hooks;
mod operation;
mod options;
mod pages;
mod raw_request;
mod retry;
mod run_stream;
pub mod sse;
#[cfg(feature = "schemars")]
mod structured;
mod timeouts;
mod token;
mod transport;
mod turn;
pub mod version;
mod wait;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use agent_events::{AgentEvent, AgentEventKind, AgentEvents};
pub use api::agents::{AgentHandle, Agents};
pub use api::auth::Auth;
pub use api::images::{ImageSearch, Images};
pub use api::jobs::{JobHandle, Jobs};
pub use api::secrets::{Secret, Secrets};
pub use api::sessions::{SessionHandle, Sessions};
pub use cancel_on_drop::CancelOnDrop;
pub use client::Client;
pub use config::ClientBuilder;
pub use credentials::Credentials;
pub use error::{Error, ErrorKind, Result};
pub use options::{RequestOptions, StreamRequest};
pub use pages::{MessageStream, Messages, Page};
pub use raw_request::RawResponse;
pub use retry::RetryPolicy;
pub use run_stream::{RunEvent, RunStream};
pub use stromboli_generated::types::{
    Agent, AgentRequest, AgentSendRequest, AgentStatus, AgentTurn, ClaudeOptions, ClaudeStatus, ComponentHealth,
    ComponentStatus, ComposeEnvironment, CrashInfo, Effort, Health, HealthStatus, HistoryContent, HistoryMessage,
    HistoryMessageType, HistoryToolResult, HistoryUsage, ImageDetail, ImageInfo, ImagePullRequest, ImagePulled,
    ImageSearchResult, InputFormat, Job, JobCancelled, JobStatus, LifecycleHooks, LogoutResponse, Model, OutputFormat,
    PermissionMode, PodmanOptions, PromptCachingTtl, RunRequest, RunResponse, RunStatus, RunStreamEnd, SecretCreated,
    SecretDeleted, SecretInfo, SessionDestroyed, SessionInfo, SettingSource, TokenInfo, TokenResponse, Usage,
};
pub use stromboli_generated::{AgentFailure, StructuredError};
pub use stromboli_messages as messages;
pub use stromboli_messages::{Block, Message, Outcome};
pub use timeouts::Timeouts;
pub use token::{Token, TokenFuture, TokenSource};
pub use turn::{Turn, TurnResult};
pub use wait::{JobUpdates, WaitOptions};
