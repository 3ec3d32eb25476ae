//! `sse::Decoder` against the shared vectors, a literal reading of the standard, and its own bounds.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod bounds;
mod lone_cr;
mod oracle;
mod standard;
mod vectors;

use oracle::{Decoded, chunked, decode};
