//! The built program against the emulator: what it prints, how it exits, what it sends. One file per command.

// Functions that tests share stop at the first surprise, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod completions;
mod health;
mod jobs;
mod options;
mod prompt;
mod run;
#[cfg(unix)]
mod serve;
mod settings;
mod support;
#[cfg(unix)]
mod terminal;
