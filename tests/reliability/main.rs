//! What becomes of calls when things go wrong, in figures: `cargo xtask reliability` writes them into docs/reliability.md.
//! In a process of its own, because it counts sockets and measures memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and its helpers do too; figures are printed"
)]

mod matrix;
mod measure;
mod soak;

/// Counts the bytes that are in use, and the most that ever were.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// One test at a time: each counts what the whole process has.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
