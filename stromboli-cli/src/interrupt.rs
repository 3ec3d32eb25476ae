//! Ctrl-C: what a command that waits says and does then.

use std::future::Future;

use crate::exit::Failure;

/// Waits for `work`, and gives it up at Ctrl-C, which closes its connection. `what` says what becomes of it.
pub(crate) async fn or_stop<T>(work: impl Future<Output = stromboli::Result<T>>, what: &str) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done?),
        signal = tokio::signal::ctrl_c() => match signal {
            Ok(()) => Err(Failure::Interrupted(what.to_owned())),
            Err(error) => Err(error.into()),
        },
    }
}
