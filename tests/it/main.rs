//! `stromboli` as its users see it: through its public API, over real sockets, one subject per file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and its helpers do too"
)]

mod agents;
mod agents_broken;
mod agents_interleaved;
mod agents_lagging;
mod agents_wire;
mod at_most_once;
mod bad_input;
mod calls;
mod cancellation;
mod changing_token;
mod connections;
mod construct;
mod credentials;
mod error_kinds;
mod errors;
mod hooks;
mod http2;
mod jobs;
mod nouns;
mod operations;
mod own_http_client;
mod pages;
mod prism;
mod raw;
mod raw_request;
mod retries;
mod retry_options;
mod run;
mod run_failed;
mod secrecy;
mod secrecy_of_options;
mod stream;
mod stream_broken;
mod stream_framing;
mod stream_limits;
mod structured;
mod support;
mod timeouts;
mod token_source;
mod tracing_spans;
mod wait;
mod wait_broken;
