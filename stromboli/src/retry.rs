//! Whether a failed attempt is followed by another, and after how long. Pure: no IO, no clock, no random source.
//!
//! The rule above all others: an operation that executes is sent again only when the request provably never left this
//! process, or when the server refused it before it did anything.

mod budget;

// `tests/races` has another in its place.
use std::sync;
use std::time::Duration;

pub(crate) use budget::Budget;

use crate::operation::Effect;

/// How failed attempts are repeated.
///
/// Reads, and changes that are the same however often, are repeated after a lost connection and after 408, 429, 500,
/// 502, 503 and 504. Operations that run an agent or create something are repeated only when nothing was sent, or when
/// the server refused before it did anything: 429, and the texts of a 503 that say so (WIRE §3, §6).
///
/// The time of a call ([`Timeouts`](crate::Timeouts)) covers all of its attempts and the waits between them.
///
/// ```
/// use std::time::Duration;
/// use stromboli::{Client, RetryPolicy};
///
/// let client = Client::builder("http://localhost:8080")
///     .retry(RetryPolicy::default().max_attempts(4).max_delay(Duration::from_secs(2)))
///     .build()?;
/// # Ok::<(), stromboli::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
    pub(crate) deadline: Duration,
    pub(crate) budget: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            deadline: Duration::MAX,
            budget: 100,
        }
    }
}

impl RetryPolicy {
    /// Every call is sent once.
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often a call is sent at most, the first time included; 3 by default.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The most that the first wait can be; 250 ms by default. It doubles with every attempt, and the wait is drawn at
    /// random between nothing and that, so that many clients do not come back at once.
    #[must_use]
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The most that any such wait can be; 8 s by default.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that is waited for; 60 s by default. A longer one ends the call with the error, which
    /// says [how long](crate::Error::retry_after).
    #[must_use]
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// The time for all attempts and waits of one call; by default only [`Timeouts`](crate::Timeouts) limit it. No wait
    /// begins that would pass it.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many retries the clones of a client may have in credit; 100 by default. Each retry takes one, each call that
    /// succeeds at once gives a tenth back, so that an outage is not multiplied.
    #[must_use]
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// The wait before the next attempt, or `None` when there shall be none. `attempt` counts from 1, `random` is in
    /// `0.0..1.0`.
    pub(crate) fn decide(&self, effect: Effect, attempt: u32, outcome: Outcome, random: f64) -> Option<Duration> {
        if attempt >= self.max_attempts || !outcome.is_transient() || !(effect.can_repeat() || outcome.is_unexecuted())
        {
            return None;
        }
        match outcome.retry_after() {
            Some(wait) if wait > self.max_retry_after => None,
            Some(wait) => Some(wait),
            None => {
                let doubled = self.base_delay.saturating_mul(2_u32.saturating_pow(attempt - 1));
                Some(doubled.min(self.max_delay).mul_f64(random))
            }
        }
    }
}

impl Effect {
    fn can_repeat(self) -> bool {
        self != Self::Executes
    }
}

/// How an attempt ended, as far as the next one depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// No connection: nothing left this process.
    NotSent,
    /// The connection broke, or the time was up, after the request may have left.
    Lost,
    /// The server answered.
    Answered {
        status: u16,
        /// Its words say that it refused before it did anything.
        refused: bool,
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    fn is_transient(self) -> bool {
        match self {
            Self::NotSent | Self::Lost => true,
            Self::Answered { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether the attempt provably did nothing.
    fn is_unexecuted(self) -> bool {
        match self {
            Self::NotSent => true,
            Self::Lost => false,
            Self::Answered { status, refused, .. } => status == 429 || (status == 503 && refused),
        }
    }

    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => retry_after,
            Self::NotSent | Self::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::budget::RETRY_COST;
    use super::*;
    use Effect::{Executes, Read, Repeatable};

    fn answered(status: u16) -> Outcome {
        Outcome::Answered {
            status,
            refused: false,
            retry_after: None,
        }
    }

    fn retries(effect: Effect, outcome: Outcome) -> bool {
        RetryPolicy::default().decide(effect, 1, outcome, 0.5).is_some()
    }

    #[test]
    fn an_operation_that_executes_is_repeated_only_when_it_provably_did_not() {
        assert!(retries(Executes, Outcome::NotSent));
        assert!(retries(Executes, answered(429)));
        assert!(retries(
            Executes,
            Outcome::Answered {
                status: 503,
                refused: true,
                retry_after: None
            }
        ));
        assert!(!retries(Executes, Outcome::Lost));
        assert!(!retries(
            Executes,
            Outcome::Answered {
                status: 500,
                refused: true,
                retry_after: None
            }
        ));
        for status in [200, 400, 401, 404, 408, 409, 500, 502, 503, 504] {
            assert!(!retries(Executes, answered(status)), "{status}");
        }
    }

    #[test]
    fn reads_and_repeatable_changes_are_repeated_after_what_may_pass() {
        for effect in [Read, Repeatable] {
            for outcome in [Outcome::NotSent, Outcome::Lost] {
                assert!(retries(effect, outcome));
            }
            for status in [408, 429, 500, 502, 503, 504] {
                assert!(retries(effect, answered(status)), "{status}");
            }
            for status in [200, 301, 400, 401, 403, 404, 409, 410, 413, 422, 431, 501] {
                assert!(!retries(effect, answered(status)), "{status}");
            }
        }
    }

    #[test]
    fn the_attempts_are_counted_and_never_means_once() {
        let decide = |policy: &RetryPolicy, attempt| policy.decide(Read, attempt, Outcome::Lost, 0.5);
        let policy = RetryPolicy::default();
        assert!(decide(&policy, 2).is_some());
        assert!(decide(&policy, 3).is_none());
        assert!(decide(&RetryPolicy::never(), 1).is_none());
        assert!(decide(&RetryPolicy::default().max_attempts(0), 1).is_none());
    }

    #[test]
    fn waits_double_from_the_base_to_the_cap_and_are_drawn_from_all_of_it() {
        let policy = RetryPolicy::default().max_attempts(100);
        let wait = |attempt, random| policy.decide(Read, attempt, Outcome::Lost, random).unwrap();
        assert_eq!(wait(1, 1.0), Duration::from_millis(250));
        assert_eq!(wait(2, 1.0), Duration::from_millis(500));
        assert_eq!(wait(6, 1.0), Duration::from_secs(8));
        assert_eq!(wait(99, 1.0), Duration::from_secs(8));
        assert_eq!(wait(3, 0.0), Duration::ZERO);
        assert_eq!(wait(3, 0.5), Duration::from_millis(500));
    }

    #[test]
    fn the_servers_wait_is_kept_up_to_a_cap() {
        let after = |seconds| Outcome::Answered {
            status: 429,
            refused: false,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let policy = RetryPolicy::default();
        assert_eq!(policy.decide(Executes, 1, after(7), 0.1), Some(Duration::from_secs(7)));
        assert_eq!(policy.decide(Executes, 1, after(61), 0.1), None);
    }

    #[test]
    fn the_budget_is_spent_by_retries_and_filled_by_successes() {
        let budget = Budget::new(2);
        assert!(budget.take() && budget.take() && !budget.take());
        for _ in 0..RETRY_COST {
            budget.reward();
        }
        assert!(budget.take() && !budget.take());
        for _ in 0..1000 {
            budget.reward();
        }
        assert!(budget.take() && budget.take() && !budget.take());
    }
}
