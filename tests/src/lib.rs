//! The tests live in `it/`. Here, the snippets of README.md are compiled and run as tests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
