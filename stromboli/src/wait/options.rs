//! How long a wait takes, and how often it polls.

use std::fmt;
use std::time::Duration;

use stromboli_generated::types::Job;

/// The first pause and the longest one: a short job is seen to end at once, a long one costs a poll in five seconds.
const MIN_INTERVAL: Duration = Duration::from_millis(250);
const MAX_INTERVAL: Duration = Duration::from_secs(5);
/// How much longer each pause is than the one before, and how far one is drawn at random.
const GROWTH: f64 = 1.5;
/// No pause is shorter, so that an interval of zero is no busy loop.
const SHORTEST: Duration = Duration::from_millis(1);
/// How long nothing but errors is taken for an outage that may pass, when there is no deadline.
const OUTAGE: Duration = Duration::from_secs(2 * 60);

/// How [`JobHandle::wait_with`](crate::JobHandle::wait_with) and
/// [`updates_with`](crate::JobHandle::updates_with) wait.
///
/// ```no_run
/// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
/// use std::time::Duration;
/// use stromboli::WaitOptions;
///
/// let mut seen = Vec::new();
/// let options = WaitOptions::new()
///     .timeout(Duration::from_secs(3600))
///     .on_update(|job| seen.push(job.status.clone()));
/// let done = client.start("Audit everything").await?.wait_with(options).await?;
/// # Ok(())
/// # }
/// ```
pub struct WaitOptions<'a> {
    pub(super) timeout: Option<Duration>,
    min_interval: Duration,
    max_interval: Duration,
    give_up_after: Option<Duration>,
    pub(super) on_update: Option<OnUpdate<'a>>,
}

type OnUpdate<'a> = Box<dyn FnMut(&Job) + Send + 'a>;

impl<'a> WaitOptions<'a> {
    /// No deadline, and a poll every 250 ms at first and every 5 s in the end.
    pub fn new() -> Self {
        Self {
            timeout: None,
            min_interval: MIN_INTERVAL,
            max_interval: MAX_INTERVAL,
            give_up_after: None,
            on_update: None,
        }
    }

    /// The time for the whole wait, from its first poll. The job is not cancelled when it is up.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The pause after the first poll; 250 ms by default, 1 ms at least. Each is half as long again as the one before,
    /// less something random, so that many waits do not poll together.
    #[must_use]
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.min_interval = interval;
        self
    }

    /// The longest pause; 5 s by default. A server that asks for a longer one after an error gets it.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// How long nothing but errors is ridden out; 2 minutes by default, and with a [`timeout`](Self::timeout) as long as
    /// that. No pause begins that would pass it. [`Duration::ZERO`] ends the wait at the first error.
    #[must_use]
    pub fn give_up_after(mut self, outage: Duration) -> Self {
        self.give_up_after = Some(outage);
        self
    }

    /// Is called with the job as first seen, and again whenever it has changed, its end included.
    #[must_use]
    pub fn on_update(mut self, update: impl FnMut(&Job) + Send + 'a) -> Self {
        self.on_update = Some(Box::new(update));
        self
    }

    /// The pause after poll number `poll`, which counts from 1; `random` is in `0.0..1.0`.
    pub(super) fn pause(&self, poll: u32, random: f64) -> Duration {
        let shortest = self.min_interval.max(SHORTEST);
        let longest = self.max_interval.max(shortest);
        let top = (shortest.as_secs_f64() * GROWTH.powf(f64::from(poll))).min(longest.as_secs_f64());
        let bottom = (top / GROWTH).max(shortest.as_secs_f64());
        Duration::try_from_secs_f64(bottom + (top - bottom) * random).unwrap_or(longest)
    }

    /// How long an outage may last.
    pub(super) fn patience(&self) -> Duration {
        let default = if self.timeout.is_some() { Duration::MAX } else { OUTAGE };
        self.give_up_after.unwrap_or(default)
    }
}

impl Default for WaitOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitOptions")
            .field("timeout", &self.timeout)
            .field("min_interval", &self.min_interval)
            .field("max_interval", &self.max_interval)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_half_from_the_least_to_the_most() {
        let options = WaitOptions::new();
        let millis = |poll, random| options.pause(poll, random).as_millis();
        assert_eq!((millis(1, 0.0), millis(1, 1.0)), (250, 375));
        assert_eq!((millis(2, 0.0), millis(2, 1.0)), (375, 562));
        assert_eq!((millis(8, 0.0), millis(8, 1.0)), (3333, 5000));
        assert_eq!((millis(9, 0.0), millis(9, 1.0)), (3333, 5000));
        assert_eq!(millis(u32::MAX, 0.5), 4166);
    }

    #[test]
    fn no_interval_makes_a_pause_of_nothing_or_a_panic() {
        let pause = |min, max| {
            let options = WaitOptions::new().min_interval(min).max_interval(max);
            (options.pause(1, 0.5), options.pause(u32::MAX, 0.999))
        };
        assert_eq!(pause(Duration::ZERO, Duration::ZERO), (SHORTEST, SHORTEST));
        assert_eq!(pause(Duration::MAX, Duration::MAX), (Duration::MAX, Duration::MAX));
        let (first, last) = pause(Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!(
            (first, last),
            (Duration::from_secs(2), Duration::from_secs(2)),
            "the least counts"
        );
        assert!(pause(SHORTEST, Duration::MAX).1 > Duration::from_secs(1 << 62));
    }

    #[test]
    fn without_a_deadline_an_outage_is_bounded() {
        let second = Duration::from_secs(1);
        assert_eq!(WaitOptions::new().patience(), OUTAGE);
        assert_eq!(WaitOptions::new().timeout(second).patience(), Duration::MAX);
        assert_eq!(
            WaitOptions::new().timeout(second).give_up_after(second).patience(),
            second
        );
    }
}
