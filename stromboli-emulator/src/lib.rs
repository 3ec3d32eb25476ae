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
//! The same server as a program of its own: `cargo run -p stromboli-emulator -- --port 8080`, `--help` for more. It is
//! behind the default feature `program`; the library needs none of what that brings in.
//!
//! # What is here
//! `GET /health`, `GET /claude/status`, `POST /run`, `POST /run/async`, `GET /jobs`, `GET` and `DELETE /jobs/{id}`,
//! `GET /run/stream`, `/agents` and `/auth/*`, as release 0.5.7 serves them: statuses, headers, bodies, texts of
//! errors, job states, the framing of the streams and the server's quirks. API tokens and JWTs, rate limits and webhooks
//! are off until [`Builder`] is told of them; [`Emulator::advance_clock`] lets tokens expire and limits recover at once.
//! [`Dialect::V0_4_3`] makes a server of that release of it.
//!
//! # Agents
//! An agent prints the messages of Claude Code 2.1.197, made from the same rules as the output of runs. With
//! [`Rule::tool`], [`Rule::messages`], [`Rule::stderr`] and [`Rule::without_result`] a rule says more about a turn;
//! [`Answerer::start_agent`] puts another process in the agent's place. A reader that reads loses no event, however
//! fast the agent prints; one whose connection is full loses the oldest of 32 ([`Builder::send_buffer`] makes that
//! quick, [`Stats::dropped_events`] counts). A test need not wait for the idle timeout: [`Builder::agent_tick`] sets how
//! often it is looked at, and both go by tokio's clock.
//!
//! # What is not here yet
//! Sessions and their messages, secrets, images, injected faults, and state that outlives the process. Their routes
//! answer as unknown ones do.
//!
//! # Where it differs from the real server
//! - Authentication is on only when there is a token or a JWT secret, or when it is asked for; it can be on without a
//!   JWT secret, with which the real server of 0.5.7 does not start.
//! - A webhook with an `https` URL, or one that is redirected to such, fails.
//! - 0.5.7 shows its metrics on a port of their own, which is not here. Those of 0.4.3 lack what Go's runtime adds, and
//!   time a stream up to its first event. Its JWTs are HS256 only, as those of 0.5.7 are.
//! - Compose files are not run: such a run fails with a text that says so.
//! - Session ids have no state behind them: any session may be resumed, none is busy, and [`Usage`] is what the answer
//!   says it is.
//! - A URL above 64 KiB and a request with more than 100 headers are 431 as well; the real server counts only their
//!   bytes, up to 1 MiB and 4 KiB. There is no time limit for reading headers.
//! - The body of a run is read to its end, and not only to that of its first JSON value.
//! - `claude.agents` may be nested 100 deep; the real limit is 10,000, as it is here for fields that are ignored.
//! - A job whose [`Answerer`] panics fails, and an agent exits; the real server has none.
//! - An agent that is stopped is killed once and after 5 s, as one that obeys the SIGTERM is; the real server sends a
//!   SIGKILL after 5 s more.
//! - The times in the result of a turn are zero.
//! - Where only the beginning of an error text is known (`workdir validation failed: …`), the rest is in our words.

mod agent;
mod agents;
mod answer;
mod auth;
mod blacklist;
mod builder;
mod clock;
mod decode;
mod dialect;
mod duration;
mod emulator;
mod execution;
mod jobs;
mod json;
mod jwt;
mod metrics;
mod observe;
mod outlet;
mod percent;
mod quote;
mod rate_limit;
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
mod webhook;
mod wire;

pub use agent::{Agent, Prompts};
pub use answer::{Answer, Answerer, Crash, Echo, Exit, Run, Step};
pub use blacklist::Blacklist;
pub use builder::Builder;
pub use dialect::Dialect;
pub use emulator::Emulator;
pub use observe::{Received, Stats};
pub use scripted::{Hold, Introduction, Rule};
pub use usage::Usage;
