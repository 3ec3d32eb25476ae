//! The calls, one file per tag of the contract.

pub(crate) mod agents;
pub(crate) mod auth;
pub(crate) mod images;
pub(crate) mod jobs;
mod run;
pub(crate) mod secrets;
pub(crate) mod sessions;
mod system;
