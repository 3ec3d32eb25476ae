//! Ctrl-C: what a command that waits says and does then.

use std::future::Future;
use std::io;

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

/// Ends when the process is asked to stop, from the terminal or by whoever supervises it.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(windows)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
