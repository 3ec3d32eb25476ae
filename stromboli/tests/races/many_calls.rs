//! Many calls in one thread, which begin, wait, give up and end in thousands of random orders while time goes by and the
//! server refuses tokens. The clock is tokio's and stands still until a schedule sets it forward.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

#[path = "../../src/credentials/renewal.rs"]
mod renewal;

use renewal::{Obtained, Renewal};

const SCHEDULES: u64 = 3000;
/// Calls of one schedule.
const CALLS: usize = 16;

/// What the server and the calls know.
struct World {
    random: RefCell<fastrand::Rng>,
    renewal: Renewal<usize, Failure>,
    renewing: Cell<bool>,
    issued: Cell<usize>,
    failed: Cell<usize>,
    refused: RefCell<HashSet<usize>>,
}

/// A renewal that failed, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Failure(usize);

impl World {
    fn random(&self, below: usize) -> usize {
        self.random.borrow_mut().usize(..below)
    }

    /// A renewal that takes some steps or some time, works or fails, and gives a token of any age.
    async fn obtain(&self) -> Result<Obtained<usize>, Failure> {
        assert!(!self.renewing.replace(true), "two renewals at a time");
        let _over = Over(&self.renewing);
        match self.random(3) {
            0 => {}
            1 => tokio::time::sleep(Duration::from_millis(self.random(20_000) as u64)).await,
            _ => pause().await,
        }
        if self.random(4) == 0 {
            self.failed.set(self.failed.get() + 1);
            return Err(Failure(self.failed.get()));
        }
        self.issued.set(self.issued.get() + 1);
        let life = Duration::from_secs([0, 5, 60, 3600][self.random(4)]);
        Ok(Obtained {
            token: self.issued.get(),
            refresh_token: String::new(),
            old_after: life.mul_f64(0.8),
            useless_after: life.mul_f64(0.95),
        })
    }

    /// A call, and what its end must be true of.
    async fn call(&self, rejected: Option<usize>) {
        let failed = self.failed.get();
        self.refused.borrow_mut().extend(rejected);
        match self.renewal.get(rejected.as_ref(), |_| self.obtain()).await {
            Ok(Some(token)) => assert!(!self.refused.borrow().contains(&token), "a refused token"),
            Ok(None) => {}
            Err(failure) => assert!(failure.0 > failed, "a failure of long ago"),
        }
    }
}

/// A renewal is over, whether it ended or was dropped.
struct Over<'a>(&'a Cell<bool>);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Lets others go first, once.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Whether a call has asked to be polled.
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Call<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    bell: Arc<Bell>,
}

impl<'a> Call<'a> {
    fn begin(world: &'a World) -> Self {
        let known = world.issued.get();
        let rejected = (known > 0 && world.random(3) == 0).then_some(known);
        Self {
            future: Box::pin(world.call(rejected)),
            bell: Arc::new(Bell(AtomicBool::new(true))),
        }
    }

    fn is_over(&mut self) -> bool {
        self.bell.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }
}

async fn schedule(seed: u64) {
    let world = World {
        random: RefCell::new(fastrand::Rng::with_seed(seed)),
        renewal: Renewal::new(|failure| *failure),
        renewing: Cell::new(false),
        issued: Cell::new(0),
        failed: Cell::new(0),
        refused: RefCell::default(),
    };
    let mut to_begin = CALLS;
    let mut calls = Vec::new();
    let mut idle = 0;
    while to_begin > 0 || !calls.is_empty() {
        let ready = |call: &Call<'_>| call.bell.0.load(Ordering::Relaxed);
        let rung: Vec<_> = (0..calls.len())
            .filter(|at| calls.get(*at).is_some_and(ready))
            .collect();
        match world.random(10) {
            0..=2 if to_begin > 0 => {
                to_begin -= 1;
                calls.push(Call::begin(&world));
            }
            // In the end nobody gives up and nobody is polled by chance, so that a call that is never woken shows.
            3 if to_begin > 0 && !calls.is_empty() => drop(calls.swap_remove(world.random(calls.len()))),
            4 if to_begin > 0 && !calls.is_empty() => {
                let at = world.random(calls.len());
                if calls.get_mut(at).is_some_and(Call::is_over) {
                    drop(calls.swap_remove(at));
                }
            }
            5 => tokio::time::advance(Duration::from_millis(world.random(10_000) as u64)).await,
            _ if !rung.is_empty() => {
                idle = 0;
                let at = rung.get(world.random(rung.len())).copied().unwrap_or_default();
                if calls.get_mut(at).is_some_and(Call::is_over) {
                    drop(calls.swap_remove(at));
                }
            }
            _ => {
                // Only time can help, and a minute always does.
                idle += 1;
                assert!(idle < 1000, "seed {seed}: {} calls are never woken", calls.len());
                tokio::time::advance(Duration::from_secs(60)).await;
            }
        }
    }
    assert!(!world.renewing.get());
}

#[tokio::test(start_paused = true)]
async fn no_order_of_events_loses_a_call_or_gives_out_a_refused_token() {
    for seed in 0..SCHEDULES {
        schedule(seed).await;
    }
}
