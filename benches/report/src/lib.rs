//! What the benchmarks have in common: two sides measured in turns, counts that do not depend on how fast the machine is,
//! and the rows that they print.
//!
//! A benchmark is a crate `benches/<name>/` with a program `bench-<name>`. It prints one [`Row`] a line on its standard
//! output and nothing else there; what it has to say to a person goes to standard error. With the argument `--check` it
//! prints only rows that are the same on every machine (instructions, allocations), and takes seconds.

mod counts;
mod pairs;
mod row;

pub use allocation_counter::{AllocationInfo, measure as allocations};
pub use counts::{instructions, misses};
pub use pairs::{Pair, cpu_seconds, in_turns, median, paired};
pub use row::{Budget, Measure, Row};

/// The result of a benchmark's parts.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
