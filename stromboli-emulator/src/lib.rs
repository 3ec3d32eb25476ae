//! A Stromboli server in a library: it answers over HTTP as the real server does, without Podman and without cost.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use stromboli_emulator::Emulator;
//!
//! let emulator = Emulator::start().await?; // on a free loopback port, until it is dropped
//! emulator.on_prompt("ping").reply("pong");
//! assert!(emulator.url().starts_with("http://127.0.0.1:"));
//! # Ok(()) }
//! ```
//!
//! Point the client under test at [`Emulator::url`], script what the runs say with [`Emulator::on_prompt`], and look at
//! what arrived with [`Emulator::requests`]. [`Emulator::wait_for`] and [`Hold`] replace sleeping in tests. To answer
//! prompts in another way, implement [`Answerer`].
//!
//! # What is here
//! `GET /health`, `GET /claude/status`, `POST /run`, `POST /run/async`, `GET /jobs`, `GET` and `DELETE /jobs/{id}` and
//! `GET /run/stream`, as release 0.5.7 serves them: statuses, headers, bodies, texts of errors, job states, the framing
//! of the stream and the server's quirks; and API tokens.
//!
//! # What is not here yet
//! JWTs and `/auth/*`, rate limits, webhooks (`webhook_url` is read and ignored), sessions and their messages, secrets,
//! images, agents, injected faults, state that outlives the process, and the dialect of 0.4.x. Their routes answer as
//! unknown ones do.
//!
//! # Where it differs from the real server
//! - Compose files are not run: such a run fails with a text that says so.
//! - Session ids have no state behind them: any session may be resumed, none is busy, and [`Usage`] is what the answer
//!   says it is.
//! - A URL above 64 KiB and a request with more than 1,000 headers are 431 as well; the real server counts only their
//!   bytes, up to 1 MiB and 4 KiB. There is no time limit for reading headers.
//! - The body of a run is read to its end, and not only to that of its first JSON value.
//! - `claude.agents` may be nested 100 deep; the real limit is 10,000, as it is here for fields that are ignored.
//! - A job whose [`Answerer`] panics fails; the real server has none.
//! - Where only the beginning of an error text is known (`workdir validation failed: …`), the rest is in our words.

mod agent;
mod agents;
mod answer;
mod broken;
mod builder;
mod decode;
mod dialect;
mod door;
mod duration;
mod emulator;
mod execution;
mod fault;
mod faults;
mod hold;
mod jobs;
mod json;
mod observe;
mod outlet;
mod percent;
mod quote;
mod recording;
mod replay;
mod reply;
mod request;
mod routes;
mod scripted;
mod server;
mod settings;
mod state;
mod syntax;
mod transcript;
mod usage;
mod validate;
mod wire;

pub use agent::{Agent, Prompts};
pub use answer::{Answer, Answerer, Crash, Echo, Exit, Run, Step};
pub use builder::Builder;
pub use dialect::Dialect;
pub use door::Refusal;
pub use emulator::Emulator;
pub use fault::Fault;
pub use faults::Injected;
pub use hold::{Delay, Hold};
pub use observe::{Received, Stats};
pub use recording::Recording;
pub use replay::Replay;
pub use scripted::Rule;
pub use usage::Usage;
