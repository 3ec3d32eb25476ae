//! The built program against the emulator: what it prints, how it exits, what it sends. One file per command.

// Functions that tests share stop at the first surprise, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agents;
mod api;
mod auth;
mod chat;
mod completions;
mod config;
mod continued;
mod doctor;
mod health;
mod images;
mod jobs;
mod options;
mod prompt;
mod run;
mod running;
mod secrets;
#[cfg(unix)]
mod serve;
mod sessions;
mod settings;
mod start;
mod stream;
mod support;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod terminal_chat;
#[cfg(target_os = "linux")]
mod tls;
#[cfg(unix)]
mod typed;
mod unread;
