//! Futures that are dropped in the middle.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::support::within;

/// The output of `future`, or `None` when it has none after so many polls and is dropped. It is polled when it asks to be.
pub(super) async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    let polled = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    within(polled).await
}

/// Polls `future`, which must not end before, until `reached` has, and drops it.
pub(super) async fn cut_when<F: Future<Output: Debug>>(future: F, reached: impl Future) {
    let (mut future, mut reached) = (pin!(future), pin!(reached));
    let until_reached = poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        match (polled, reached.as_mut().poll(cx)) {
            (Poll::Ready(ended), _) => panic!("it ended before: {ended:?}"),
            (Poll::Pending, reached) => reached.map(drop),
        }
    });
    within(until_reached).await;
}

/// All that `next` gives, where each of its futures is polled once and dropped; and how many of them were.
pub(super) async fn by_single_polls<S, T, E>(
    source: &mut S,
    next: impl AsyncFn(&mut S) -> Result<Option<T>, E>,
) -> (Vec<Result<T, E>>, usize) {
    let mut all = Vec::new();
    let mut dropped = 0;
    let read = poll_fn(|cx: &mut Context<'_>| {
        loop {
            let next: Pin<&mut _> = pin!(next(source));
            match next.poll(cx) {
                Poll::Ready(Ok(None)) => return Poll::Ready(()),
                Poll::Ready(Ok(Some(item))) => all.push(Ok(item)),
                Poll::Ready(Err(error)) => {
                    all.push(Err(error));
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    dropped += 1;
                    return Poll::Pending;
                }
            }
        }
    });
    within(read).await;
    (all, dropped)
}
