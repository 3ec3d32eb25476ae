//! The events that wait for the reader of one stream: 32 of them, the oldest dropped for a newer one.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::watch;

use crate::outlet::Outlet;

/// How many events wait for a reader.
const CAPACITY: usize = 32;
/// How many may wait while the reader keeps up: what an agent says next always fits in the rest.
const AT_EASE: usize = CAPACITY / 2;

/// A stream's end of the agent.
pub(crate) struct Subscriber {
    queue: watch::Sender<Queue>,
    outlet: Outlet,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Bytes>,
    /// No more will come.
    ended: bool,
    /// The reader is gone.
    left: bool,
}

impl Subscriber {
    pub(crate) fn new() -> Self {
        Self {
            queue: watch::Sender::new(Queue::default()),
            outlet: Outlet::new(),
        }
    }

    pub(crate) fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Adds an event; says whether another was dropped for it.
    pub(crate) fn push(&self, event: Bytes) -> bool {
        let mut dropped = false;
        self.queue.send_modify(|queue| {
            if queue.events.len() == CAPACITY {
                dropped = queue.events.pop_front().is_some();
            }
            queue.events.push_back(event);
        });
        dropped
    }

    pub(crate) fn end(&self) {
        self.queue.send_modify(|queue| queue.ended = true);
    }

    pub(crate) fn leave(&self) {
        self.queue.send_modify(|queue| queue.left = true);
    }

    /// Waits until the events before have left for the socket, and takes the next one; none after the end.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        self.outlet.flushed().await;
        self.until(|queue| queue.ended || !queue.events.is_empty()).await;
        let mut next = None;
        self.queue.send_modify(|queue| next = queue.events.pop_front());
        next.inspect(|_| self.outlet.fill())
    }

    /// Waits while the reader is about to take events. A test's reader is not slow because the machine is; one whose
    /// socket takes no more is, and loses events.
    pub(crate) async fn keep_pace(&self) {
        tokio::select! {
            () = self.until(|queue| queue.left || queue.events.len() <= AT_EASE) => {}
            () = self.outlet.stalled() => {}
        }
    }

    async fn until(&self, reached: impl FnMut(&Queue) -> bool) {
        // The sender is ours, so that the wait can only end well.
        let _ = self.queue.subscribe().wait_for(reached).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn event(number: usize) -> Bytes {
        Bytes::from(number.to_string())
    }

    #[tokio::test]
    async fn the_oldest_event_makes_room_for_the_newest() {
        let subscriber = Subscriber::new();
        let dropped: Vec<_> = (0..40).filter(|number| subscriber.push(event(*number))).collect();
        assert_eq!(dropped, (32..40).collect::<Vec<_>>());
        subscriber.end();
        for number in 8..40 {
            assert_eq!(subscriber.next().await, Some(event(number)));
            subscriber.outlet.flush();
        }
        assert_eq!(subscriber.next().await, None);
    }

    #[tokio::test]
    async fn an_event_waits_until_the_one_before_has_left() {
        let subscriber = Subscriber::new();
        subscriber.push(event(1));
        subscriber.push(event(2));
        assert_eq!(subscriber.next().await, Some(event(1)));
        let mut next = std::pin::pin!(subscriber.next());
        assert!(next.as_mut().now_or_never().is_none());
        subscriber.outlet.stall();
        assert!(next.as_mut().now_or_never().is_none());
        subscriber.outlet.flush();
        assert_eq!(next.await, Some(event(2)));
    }

    #[tokio::test]
    async fn an_agent_waits_for_a_reader_until_it_stalls_or_leaves() {
        for release in [|subscriber: &Subscriber| subscriber.outlet.stall(), Subscriber::leave] {
            let subscriber = Subscriber::new();
            for number in 0..=AT_EASE {
                subscriber.keep_pace().await;
                subscriber.push(event(number));
            }
            let mut pace = std::pin::pin!(subscriber.keep_pace());
            assert!(pace.as_mut().now_or_never().is_none());
            release(&subscriber);
            pace.await;
        }
    }
}
