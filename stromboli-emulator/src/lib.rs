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
//! `GET /run/stream`, `/sessions`, `/secrets`, `/images`, `/agents` and `/auth/*`, as release 0.5.7 serves them: statuses,
//! headers, bodies, texts of errors, job states, the framing of the streams and the server's quirks. API tokens and JWTs, rate limits and webhooks
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
//! # Sessions
//! A run begins or continues a conversation, by the rules of Claude Code 2.1.197, whose own texts come back as
//! `execution failed: exit status 1, output: …`:
//! - A new session needs a UUID that is not in use; `resume` needs one that is. Without a `session_id` there is nothing to
//!   resume, and a conversation begins.
//! - A conversation belongs to its working directory: from another it is unknown, and its id is free.
//! - `continue` takes the latest conversation of the session, which makes a difference only after a fork; without
//!   `resume` or `fork_session` it fails, because the server always names a session.
//! - `fork_session` begins another conversation in the same session. The server goes on to show the original.
//! - `no_persistence` writes nothing. Runs of one session that overlap are refused.
//!
//! What a run printed becomes its transcript, which [`Emulator::transcript`] shows as it would lie on disk: messages as
//! they are, or else the whole output as one answer. Printed messages count the tokens that they name, unless
//! [`Rule::usage`] or [`Step::Usage`] say others. [`Emulator::add_session`] puts a conversation there.
//!
//! # Faults
//! [`Emulator::inject`] makes something go wrong with the requests of a route, a method or a prompt, so often or with some
//! probability: refusals of any status, delays, connections that are reset, closed or cut in the middle, wrong lengths and
//! types, garbage, silence, streams that end without their end marker. Each [`Fault`] says whether the request is executed
//! all the same, [`Received::executed`] says it of each that arrived, and [`Injected::fired`] and [`Stats::faults`] count.
//! [`Emulator::refuse_connections`] takes the server away. A [`Hold`] delays without sleeping.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use stromboli_emulator::{Emulator, Fault};
//!
//! let emulator = Emulator::builder().seed(7).start().await?;
//! emulator.inject(Fault::status(503).times(2).on("/run"));
//! emulator.inject(Fault::reset_after_executing().probability(0.1).on("/run"));
//! // … let the program under test send its runs …
//! let executed = emulator.requests().iter().filter(|request| request.executed).count();
//! println!("{executed} requests were executed, and {} runs began", emulator.executions());
//! # Ok(()) }
//! ```
//! The programs take them as text: `--fault status=503,on=/run,times=2`.
//!
//! # Recordings
//! [`Replay`] is an answerer that prints what Claude Code printed once with `--output-format stream-json`, for runs in any
//! output format and for agents, at the pace of then or faster. The session is that of the run. A result that is an error
//! makes a run exit with status 1, after the words of its `errors` if it has no text; the real command's words for these
//! differ.
//!
//! # State that lasts
//! All is in memory until [`Builder::data`] names a directory. Then sessions with their transcripts, jobs and secrets are in
//! a database there, and still there when the next emulator opens it, however the last one ended: an answer goes out when
//! what it tells of is on disk, and so do the end of a stream and a webhook. Agents, pulled images and logged-out tokens
//! ([`Blacklist`]) do not lie there. When the disk fails, every answer from then on is a 500 that says why.
//!
//! # Where it differs from the real server
//! - Authentication is on only when there is a token or a JWT secret, or when it is asked for; it can be on without a
//!   JWT secret, with which the real server of 0.5.7 does not start.
//! - A webhook with an `https` URL, or one that is redirected to such, fails.
//! - 0.5.7 shows its metrics on a port of their own, which is not here. Those of 0.4.3 lack what Go's runtime adds, and
//!   time a stream up to its first event. Its JWTs are HS256 only, as those of 0.5.7 are.
//! - Compose files are not run: such a run fails with a text that says so.
//! - A transcript has no attachments, and its answers have tokens only when they are told.
//! - Usage adds up all messages, those of one answer that come in parts too, and is priced by the model that spoke last;
//!   how the real server does both is not known. Neither is where it takes the title of a session from, nor which of
//!   several transcripts it reads: here it is the title that Claude Code itself would show, and the first by name.
//! - Runs take any image, there or not. A secret that is not there fails the run with podman's text.
//! - The images, the registry and its mirrors are made up, and so are the labels for tools and the command line; a pulled
//!   image is the same for every platform.
//! - A URL above 64 KiB and a request with more than 100 headers are 431 as well; the real server counts only their
//!   bytes, up to 1 MiB and 4 KiB. There is no time limit for reading headers.
//! - The body of a run is read to its end, and not only to that of its first JSON value.
//! - `claude.agents` may be nested 100 deep; the real limit is 10,000, as it is here for fields that are ignored.
//! - The real server forgets its jobs when it restarts. With [`Builder::data`] they are kept on purpose; one that ran then
//!   has failed with `job interrupted: …`, and no webhook tells of it. Of a run that was broken off so, the transcript has
//!   the prompt and not what was printed. The clock is not kept: what was set forward is behind again.
//! - Secrets lie in that directory as they are, readable for the owner of the file; podman does no better by default.
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
mod broken;
mod builder;
mod clock;
mod command;
mod decode;
mod dialect;
mod door;
mod duration;
mod emulator;
mod execution;
mod fault;
mod faults;
mod fields;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hold;
mod images;
mod jobs;
mod json;
mod jwt;
mod metrics;
mod observe;
mod outlet;
mod paced;
mod percent;
mod quote;
mod rate_limit;
mod recording;
mod replay;
mod reply;
mod request;
mod routes;
mod scripted;
mod secrets;
mod server;
mod sessions;
mod settings;
mod state;
mod store;
mod syntax;
mod timestamp;
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
pub use door::Refusal;
pub use emulator::Emulator;
pub use fault::{Fault, ParseFaultError};
pub use faults::Injected;
pub use hold::{Delay, Hold};
pub use observe::{Received, Stats};
pub use paced::Paced;
pub use recording::Recording;
pub use replay::Replay;
pub use scripted::{Introduction, Rule};
pub use usage::Usage;
