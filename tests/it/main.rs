//! `stromboli` as its users see it: through its public API, over real sockets, one subject per file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and its helpers do too"
)]

mod bad_input;
mod connections;
mod construct;
mod errors;
mod jobs;
mod nouns;
mod raw;
mod run;
mod run_failed;
mod secrecy;
mod stream;
mod stream_broken;
mod stream_framing;
mod stream_limits;
mod support;
