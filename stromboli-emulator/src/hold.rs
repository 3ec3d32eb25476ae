//! What an answer waits for: some time, or a hold that a test releases.

use std::time::Duration;

use tokio::sync::watch;

/// Keeps what waits for it from going on until it is released or dropped: the runs of a [`Rule`](crate::Rule), or the
/// answers that a [`Fault`](crate::Fault) delays.
#[derive(Debug, Default)]
#[must_use = "a hold that is dropped holds nothing"]
pub struct Hold {
    open: watch::Sender<()>,
}

impl Hold {
    /// A hold for [faults](crate::Fault::delayed); a rule makes its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets all go on, those that wait and those to come.
    pub fn release(self) {}
}

/// How long something waits: a [`Duration`] by tokio's clock, which tests can pause, or until a [`Hold`] is released.
#[derive(Clone, Debug)]
pub struct Delay(Wait);

#[derive(Clone, Debug)]
enum Wait {
    Time(Duration),
    Hold(watch::Receiver<()>),
}

impl Delay {
    pub(crate) async fn pass(&self) {
        match &self.0 {
            Wait::Time(Duration::ZERO) => {}
            Wait::Time(time) => tokio::time::sleep(*time).await,
            // Nothing is ever sent: this ends when the hold is dropped.
            Wait::Hold(hold) => drop(hold.clone().changed().await),
        }
    }
}

impl From<Duration> for Delay {
    fn from(time: Duration) -> Self {
        Self(Wait::Time(time))
    }
}

impl From<&Hold> for Delay {
    fn from(hold: &Hold) -> Self {
        Self(Wait::Hold(hold.open.subscribe()))
    }
}
