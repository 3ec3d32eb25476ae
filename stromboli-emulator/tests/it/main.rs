//! The emulator over real sockets, byte by byte: each test holds a rule of the server's wire.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod agent_life;
mod agent_messages;
mod agent_script;
mod agent_slow;
mod agent_stream;
mod agents;
mod auth;
mod auth_endpoints;
mod body;
mod client;
mod conversations;
mod dialect;
mod events;
mod history;
mod http;
mod images;
mod jobs;
mod life;
mod limits;
mod rate_limit;
mod receiver;
mod run;
mod script;
mod secrets;
mod sessions;
mod stream;
mod system;
mod token;
mod transcripts;
mod usage;
mod validation;
mod webhook;
mod webhook_redirect;
