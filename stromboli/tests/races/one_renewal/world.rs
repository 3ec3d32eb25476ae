//! Who gives out tokens, and how its callers wait.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::renewal::{Obtained, Renewal};

/// How often one thread may be interrupted by another that could have waited. Races need one or two such moments.
const INTERRUPTIONS: usize = 2;

/// Runs `scenario` in every order of its threads' steps.
pub(crate) fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    // Waits with a limit need a timer. Nobody drives it: within a model no time passes.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(INTERRUPTIONS);
    let explored = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&explored);
    model.check(move || {
        count.fetch_add(1, SeqCst);
        scenario();
    });
    println!("{} orders", explored.load(SeqCst));
}

/// Runs a call to its end on this thread of the model.
pub(crate) fn block_on<F: Future>(call: F) -> F::Output {
    struct Bell(Notify);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.notify();
        }
    }

    let bell = Arc::new(Bell(Notify::new()));
    let waker = Waker::from(Arc::clone(&bell));
    let mut call = pin!(call);
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        bell.0.wait();
    }
}

/// A renewal that failed, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failure(pub(crate) usize);

/// How long tokens live that are given out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Life {
    /// None is given out.
    None = 0,
    /// They are old at once, and good for long.
    Old = 1,
    Long = 2,
}

/// Tokens are numbers from 1 on.
pub(crate) struct World {
    shared: Arc<Inner>,
    /// At the end of a renewal of this thread's, a call had said that token 1 was refused.
    heard_at_end: Cell<bool>,
    /// How many renewals had begun when a call of this thread's first waited and one was going on.
    begun_at_wait: Cell<Option<usize>>,
}

struct Inner {
    renewal: Renewal<usize, Failure>,
    life: AtomicUsize,
    begun: AtomicUsize,
    in_flight: AtomicUsize,
    failed: AtomicUsize,
    /// The last failure that a call has ended with.
    told: AtomicUsize,
    /// A call has said that token 1 was refused, and was heard.
    known: AtomicUsize,
}

impl Clone for World {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            heard_at_end: Cell::new(false),
            begun_at_wait: Cell::new(None),
        }
    }
}

impl World {
    pub(crate) fn that_gives(life: Life) -> Self {
        let zero = || AtomicUsize::new(0);
        let shared = Arc::new(Inner {
            renewal: Renewal::new(|failure| *failure),
            life: AtomicUsize::new(life as usize),
            begun: zero(),
            in_flight: zero(),
            failed: zero(),
            told: zero(),
            known: zero(),
        });
        Self {
            shared,
            heard_at_end: Cell::new(false),
            begun_at_wait: Cell::new(None),
        }
    }

    /// In which token 1 was obtained before.
    pub(crate) fn with_token(life: Life) -> Self {
        let world = Self::that_gives(life);
        assert_eq!(block_on(world.get(None)), Ok(Some(1)));
        world
    }

    pub(crate) fn give(&self, life: Life) {
        self.shared.life.store(life as usize, SeqCst);
    }

    /// Renewals begun so far.
    pub(crate) fn begun(&self) -> usize {
        self.shared.begun.load(SeqCst)
    }

    /// The last failure that a call has ended with so far.
    pub(crate) fn told(&self) -> usize {
        self.shared.told.load(SeqCst)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.shared.known.load(SeqCst) > 0
    }

    pub(crate) fn begun_at_wait(&self) -> Option<usize> {
        self.begun_at_wait.get()
    }

    pub(crate) fn heard_at_end(&self) -> bool {
        self.heard_at_end.get()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.shared.in_flight.load(SeqCst) == 0
    }

    /// What a call gets before it is sent.
    pub(crate) async fn get(&self, rejected: Option<usize>) -> Result<Option<usize>, Failure> {
        let mut get = pin!(
            self.shared
                .renewal
                .get(rejected.as_ref(), |refresh| self.obtain(refresh))
        );
        poll_fn(|cx| {
            let polled = get.as_mut().poll(cx);
            if polled.is_pending() && self.begun_at_wait.get().is_none() && !self.is_idle() {
                self.begun_at_wait.set(Some(self.begun()));
            }
            if rejected.is_some() {
                self.shared.known.store(1, SeqCst);
            }
            polled
        })
        .await
        .inspect_err(|failure| {
            self.shared.told.fetch_max(failure.0, SeqCst);
        })
    }

    /// A call that is dropped after so many polls.
    pub(crate) fn give_up_after(&self, polls: usize) {
        let mut get = pin!(self.get(None));
        for _ in 0..polls {
            let _ = get.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    async fn obtain(&self, refresh_token: Option<String>) -> Result<Obtained<usize>, Failure> {
        let flight = Flight::begin(self);
        // Only the last token can have one.
        assert!(refresh_token.is_none_or(|refresh| refresh == flight.before.to_string()));
        pause().await;
        self.heard_at_end.set(self.is_known());
        let old_after = match self.shared.life.load(SeqCst) {
            life if life == Life::None as usize => return Err(Failure(self.shared.failed.fetch_add(1, SeqCst) + 1)),
            life if life == Life::Old as usize => Duration::ZERO,
            _ => Duration::from_secs(3600),
        };
        Ok(Obtained {
            token: flight.before + 1,
            refresh_token: (flight.before + 1).to_string(),
            old_after,
            useless_after: Duration::from_secs(7200),
        })
    }
}

/// A renewal that is going on, and how many were begun before it.
struct Flight<'a> {
    before: usize,
    world: &'a World,
}

impl<'a> Flight<'a> {
    fn begin(world: &'a World) -> Self {
        let before = world.shared.begun.fetch_add(1, SeqCst);
        assert_eq!(world.shared.in_flight.fetch_add(1, SeqCst), 0, "two renewals at a time");
        Self { before, world }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.world.shared.in_flight.fetch_sub(1, SeqCst);
    }
}

/// Lets the others go first, once.
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
