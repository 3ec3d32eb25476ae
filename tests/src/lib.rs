//! The tests live in `it/`. Here, the snippets of README.md and of the guides are compiled and run as tests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/migrating-from-go.md")]
mod migrating_from_go {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/agents.md")]
mod agents {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/emulator.md")]
mod emulator {}
