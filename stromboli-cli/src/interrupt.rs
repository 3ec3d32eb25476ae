//! Ctrl-C: what a command that waits says and does then.

use std::future::Future;
use std::io;

use crate::exit::Failure;

/// The times that Ctrl-C is pressed from now on; none of them ends the program any more.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
    #[cfg(windows)]
    signals: tokio::signal::windows::CtrlC,
}

impl Interrupts {
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        #[cfg(windows)]
        let signals = tokio::signal::windows::ctrl_c()?;
        Ok(Self { signals })
    }

    /// The next time.
    pub(crate) async fn next(&mut self) {
        if self.signals.recv().await.is_none() {
            std::future::pending().await
        }
    }

    /// Waits for `work`, and gives it up at Ctrl-C. `what` says what becomes of it.
    pub(crate) async fn or_stop<T, E: Into<Failure>>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
        what: impl Into<String>,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done.map_err(Into::into),
            () = self.next() => Err(Failure::Interrupted(what.into())),
        }
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

/// Waits for `work`, and gives it up at Ctrl-C, which closes its connection. `what` says what becomes of it.
pub(crate) async fn or_stop<T, E: Into<Failure>>(
    work: impl Future<Output = Result<T, E>>,
    what: impl Into<String>,
) -> Result<T, Failure> {
    Interrupts::new()?.or_stop(work, what).await
}
