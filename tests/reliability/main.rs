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

#[cfg(not(feature = "jemalloc"))]
mod matrix;
mod measure;
mod soak;

use std::sync::{Mutex, PoisonError};

/// Counts the bytes that are in use, and the most that ever were.
#[cfg(not(feature = "jemalloc"))]
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Counts the bytes that are in use. The heap below gives free pages back wherever they lie. The system's does so at its end
/// only, so that one small block keeps all that was in use at a busy moment.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static HEAP: cap::Cap<tikv_jemallocator::Jemalloc> = cap::Cap::new(tikv_jemallocator::Jemalloc, usize::MAX);

static ALONE: Mutex<()> = Mutex::new(());

/// Runs a test when no other runs, on a runtime of its own: each counts what the whole process has.
fn alone(test: impl Future<Output = ()>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test);
}
