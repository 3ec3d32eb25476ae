//! The emulator over real sockets, byte by byte: each test holds a rule of the server's wire.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod agent_life;
mod agent_slow;
mod agent_stream;
mod agents;
mod auth;
mod body;
mod client;
mod events;
mod faults;
mod http;
mod jobs;
mod life;
mod limits;
mod replay;
mod run;
mod script;
mod stream;
mod system;
mod validation;
