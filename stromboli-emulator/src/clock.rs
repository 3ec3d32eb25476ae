//! The server's clock, which a test can set forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The machine's clocks, both ahead by as much as a test has set them forward.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    nanoseconds_ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Sets the clock forward, at most to 584 years from now.
    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let add = |ahead: u64| Some(ahead.saturating_add(by));
        // Only a closure that returns none makes it fail.
        let _ = self
            .nanoseconds_ahead
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// What time it is.
    pub(crate) fn timestamp(&self) -> Timestamp {
        let now = Timestamp::now();
        match self.ahead() {
            Duration::ZERO => now,
            ahead => now.checked_add(ahead).unwrap_or(Timestamp::MAX),
        }
    }

    /// A moment to measure from.
    pub(crate) fn instant(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.ahead()).unwrap_or(now)
    }

    fn ahead(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds_ahead.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_go_forward_together_and_never_overflow() {
        let clock = Clock::default();
        let (time, moment) = (clock.timestamp(), clock.instant());
        clock.clone().advance(Duration::from_secs(3600));
        assert!(clock.timestamp().duration_since(time).as_secs() >= 3600);
        assert!(clock.instant().duration_since(moment).as_secs() >= 3600);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.timestamp() > time && clock.instant() > moment);
    }
}
