//! The token that many calls share, and the one renewal at a time that replaces it. What a token is and how one is
//! obtained is for others to say.
//!
//! Every look at the state and every change of it is one step under its lock, so that no call acts on what another has
//! changed in between; `tests/races` tries all orders of these steps.

use std::future::Future;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use super::sync::{Mutex, MutexGuard};

/// How long after a failed renewal nobody tries again while the old token is good.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a call waits for a renewal that it could do without.
const PATIENCE: Duration = Duration::from_secs(5);

/// A token as it was obtained.
pub(crate) struct Obtained<T> {
    pub(crate) token: T,
    pub(crate) refresh_token: String,
    /// After how long it is renewed if that works.
    pub(crate) old_after: Duration,
    /// After how long it is not used any more.
    pub(crate) useless_after: Duration,
}

/// The token in use, and who renews it.
pub(crate) struct Renewal<T, E> {
    state: Mutex<State<T, E>>,
    /// Held by the one call that renews.
    alone: tokio::sync::Mutex<()>,
    /// What those are told who waited for a renewal that failed.
    copy: fn(&E) -> E,
}

struct State<T, E> {
    current: Option<Current<T>>,
    /// How many renewals have failed, and how the last one did: who waited for it fails with it, and renews nothing.
    failures: u64,
    last_failure: Option<E>,
}

struct Current<T> {
    token: T,
    /// None after it failed: the API token is tried at once then.
    refresh_token: Option<String>,
    advisory: Instant,
    mandatory: Instant,
}

/// What a call finds.
enum Look<T> {
    Fresh(T),
    /// It is good, and should be renewed.
    Old(T),
    /// There is none that can be used; so many renewals have failed.
    Useless(u64),
}

impl<T: Clone + PartialEq, E> Renewal<T, E> {
    pub(crate) fn new(copy: fn(&E) -> E) -> Self {
        Self {
            state: Mutex::new(State {
                current: None,
                failures: 0,
                last_failure: None,
            }),
            alone: tokio::sync::Mutex::new(()),
            copy,
        }
    }

    /// A token that can be used, renewed by `obtain` if need be, which is given the refresh token if there is one. `None`
    /// when the new one is of no use either. `rejected` is a token that the server has refused.
    pub(crate) async fn get<F>(
        &self,
        rejected: Option<&T>,
        obtain: impl Fn(Option<String>) -> F,
    ) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<Obtained<T>, E>>,
    {
        let _alone = match self.look(rejected) {
            Look::Fresh(token) => return Ok(Some(token)),
            Look::Old(token) => match self.alone.try_lock() {
                Ok(alone) => alone,
                Err(_) => return Ok(Some(token)),
            },
            Look::Useless(failures) => {
                let alone = self.alone.lock().await;
                match self.look(rejected) {
                    Look::Fresh(token) | Look::Old(token) => return Ok(Some(token)),
                    Look::Useless(now) if now == failures => alone,
                    Look::Useless(_) => match self.last_failure() {
                        Some(failure) => return Err(failure),
                        None => alone,
                    },
                }
            }
        };
        // Another call may have renewed it since it was found old, and the server may have refused it.
        let failure = match self.look(rejected) {
            Look::Fresh(token) => return Ok(Some(token)),
            Look::Old(_) => {
                // Set beforehand, because the call that renews can be dropped in the middle of it.
                self.postpone();
                match tokio::time::timeout(PATIENCE, self.renew(&obtain)).await {
                    Ok(renewed) => renewed.err(),
                    // The server has refused the old one meanwhile, so the new one is worth waiting for.
                    Err(_) if matches!(self.look(rejected), Look::Useless(_)) => self.renew(&obtain).await.err(),
                    Err(_) => None,
                }
            }
            Look::Useless(_) => self.renew(&obtain).await.err(),
        };
        match (self.look(rejected), failure) {
            // After a failure the old one is good for a while, unless it was refused meanwhile.
            (Look::Fresh(token) | Look::Old(token), _) => Ok(Some(token)),
            (Look::Useless(_), Some(failure)) => Err(failure),
            (Look::Useless(_), None) => Ok(None),
        }
    }

    /// The token at hand, which no call shall use again that the server refused.
    fn look(&self, rejected: Option<&T>) -> Look<T> {
        let mut state = self.state();
        let now = Instant::now();
        let failures = state.failures;
        let Some(current) = &mut state.current else {
            return Look::Useless(failures);
        };
        if Some(&current.token) == rejected {
            current.mandatory = current.mandatory.min(now);
        }
        if now >= current.mandatory {
            Look::Useless(failures)
        } else if now >= current.advisory {
            Look::Old(current.token.clone())
        } else {
            Look::Fresh(current.token.clone())
        }
    }

    fn last_failure(&self) -> Option<E> {
        self.state().last_failure.as_ref().map(self.copy)
    }

    /// Lets nobody else find the token old for a while.
    fn postpone(&self) {
        if let Some(current) = &mut self.state().current {
            current.advisory = Instant::now() + PAUSE;
        }
    }

    async fn renew<F>(&self, obtain: &impl Fn(Option<String>) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<Obtained<T>, E>>,
    {
        let obtained = obtain(self.take_refresh_token()).await;
        let now = Instant::now();
        let mut state = self.state();
        match obtained {
            Ok(obtained) => {
                state.current = Some(Current {
                    token: obtained.token,
                    refresh_token: Some(obtained.refresh_token),
                    advisory: now + obtained.old_after,
                    mandatory: now + obtained.useless_after,
                });
                Ok(())
            }
            Err(failure) => {
                state.failures += 1;
                state.last_failure = Some((self.copy)(&failure));
                Err(failure)
            }
        }
    }

    /// Taken out for good, so that one that fails or is not answered stands in the way only once.
    fn take_refresh_token(&self) -> Option<String> {
        self.state().current.as_mut()?.refresh_token.take()
    }

    fn state(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
