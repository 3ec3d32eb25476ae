//! The calls, one file per tag of the contract. Sessions, secrets, images, agents and auth have their place here; until
//! they are wrapped, `client.raw()` has them.

pub(crate) mod jobs;
mod run;
mod system;
