//! What calls share, in every order in which threads can come to it: the very files of the library, on atomics and locks
//! that a model checker controls.
//!
//! Each test is run once for each order of the steps of its threads, so that a race that needs two unlucky moments is
//! found every time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "one with the checker's locks, one with those of the standard library"
)]
#![allow(clippy::print_stdout, reason = "how many orders there were, for docs/reliability.md")]
#![allow(unreachable_pub, missing_docs, reason = "these are parts of a library")]

mod many_calls;
mod one_renewal;
mod shared_credit;

/// What stands in the place of the standard library's in the files below.
use loom::sync;

#[path = "../../src/retry/budget.rs"]
mod budget;
#[path = "../../src/credentials/renewal.rs"]
mod renewal;
