//! What the crate promises, from the outside.

// Tests may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod accumulator;
mod equality;
mod hostile;
mod lenient;
mod live;
mod lossless;
mod many;
mod misfits;
mod mutate;
mod one_pass;
mod properties;
mod secrets;
mod streams;
mod strict;
mod vectors;
