//! How far the bytes of a response have come, for a body that gives the next ones only when these are gone.

use tokio::sync::watch;

/// Shared by a body and the socket under it: the body puts it into the extensions of its response.
///
/// Without it hyper would collect a megabyte of a stream whose reader is slow, where Go holds one event.
#[derive(Clone, Debug)]
pub(crate) struct Outlet(watch::Sender<Flow>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Everything was handed to the socket.
    Flushed,
    /// Something was not, yet.
    Filling,
    /// The socket takes no more: its buffer and the reader's are full.
    Stalled,
}

impl Outlet {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Flow::Flushed))
    }

    /// The body gave bytes, or the socket took some.
    pub(crate) fn fill(&self) {
        self.set(Flow::Filling);
    }

    /// The socket would not take bytes.
    pub(crate) fn stall(&self) {
        self.set(Flow::Stalled);
    }

    /// The socket has everything.
    pub(crate) fn flush(&self) {
        self.set(Flow::Flushed);
    }

    /// Waits until the socket has everything.
    pub(crate) async fn flushed(&self) {
        self.reached(Flow::Flushed).await;
    }

    /// Waits until the socket takes no more.
    pub(crate) async fn stalled(&self) {
        self.reached(Flow::Stalled).await;
    }

    async fn reached(&self, flow: Flow) {
        // The sender is ours, so that the wait can only end well.
        let _ = self.0.subscribe().wait_for(|now| *now == flow).await;
    }

    fn set(&self, flow: Flow) {
        self.0.send_if_modified(|now| std::mem::replace(now, flow) != flow);
    }
}
