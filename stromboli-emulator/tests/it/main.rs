//! The emulator over real sockets, byte by byte: each test holds a rule of the server's wire.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod auth;
mod body;
mod client;
mod conversations;
mod history;
mod http;
mod images;
mod jobs;
mod life;
mod limits;
mod run;
mod script;
mod secrets;
mod sessions;
mod stream;
mod system;
mod transcripts;
mod usage;
mod validation;
