//! The Stromboli HTTP API as Rust: one type per schema and one call per operation of `openapi.yaml`.
//!
//! This crate holds nouns and the wire format, and no policy: [`Client`] sends each request through a
//! [`Transport`], which decides about tokens, timeouts and retries. The crate `stromboli` is that transport and
//! what most people want; it hands this [`Client`] out as `client.raw()` for operations it does not wrap.
//!
//! ```
//! use stromboli_generated::types::{ClaudeOptions, Model, RunRequest};
//!
//! let request = RunRequest::new("Review this code")
//!     .workdir("/workspace")
//!     .claude(ClaudeOptions::new().model(Model::Sonnet).max_turns(20));
//! assert_eq!(
//!     serde_json::to_string(&request)?,
//!     r#"{"claude":{"max_turns":20,"model":"sonnet"},"prompt":"Review this code","workdir":"/workspace"}"#,
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```

mod extensions;
#[rustfmt::skip]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated; its docs are the contract's and progenitor decides its style"
)]
mod generated;
mod open_enum;
mod outcome;
mod place;
mod read;
mod record;
mod structured;
mod transport;

pub use generated::{ByteStream, Client, ClientInfo, Error, ResponseValue, types};
pub use outcome::AgentFailure;
#[doc(hidden)]
pub use read::{json, run_stream_end};
pub use structured::StructuredError;
pub use transport::{DecodeFailure, Received, ResponseFuture, SharedTransport, Transport};
