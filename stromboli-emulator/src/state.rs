//! What all requests share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::agents::Agents;
use crate::answer::Answerer;
use crate::blacklist::LoggedOut;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::images::Images;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::observe::{Kept, Received, Stats};
use crate::rate_limit::RateLimiter;
use crate::scripted::Scripted;
use crate::secrets::{self, Secrets};
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::store::{Change, Contents, Store};

/// How many requests are remembered.
const RECEIVED: usize = 1024;

/// The state of one emulator.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) logged_out: LoggedOut,
    /// None when requests are not limited.
    pub(crate) limiter: Option<RateLimiter>,
    pub(crate) metrics: Metrics,
    pub(crate) scripted: Scripted,
    pub(crate) jobs: Jobs,
    pub(crate) sessions: Sessions,
    pub(crate) secrets: Secrets,
    pub(crate) images: Images,
    pub(crate) agents: Agents,
    pub(crate) faults: Faults,
    /// None when nothing need outlive the process.
    store: Option<Store>,
    stats: watch::Sender<Stats>,
    received: Mutex<VecDeque<Kept>>,
    random: Mutex<fastrand::Rng>,
    stop: watch::Receiver<()>,
}

impl State {
    pub(crate) fn new(
        settings: Settings,
        answerer: Box<dyn Answerer>,
        seed: Option<u64>,
        stop: watch::Receiver<()>,
        store: Option<Store>,
        mut kept: Contents,
    ) -> Self {
        let clock = Clock::default();
        let mut random = seed.map_or_else(fastrand::Rng::new, |seed| {
            // Other ids each time, since those of the last time are taken.
            fastrand::Rng::with_seed(seed.wrapping_add(kept.starts))
        });
        // The same numbers again, so that faults come as they did however many ids were drawn before.
        let faults = Faults::new(random.clone());
        let limiter = |rate| {
            let proxies = settings.trusted_proxies.clone();
            RateLimiter::new(rate, proxies, settings.dialect, clock.clone())
        };
        let jobs = std::mem::take(&mut kept.jobs);
        let state = Self {
            logged_out: LoggedOut::new(settings.blacklist.clone()),
            limiter: settings.rate_limit.map(limiter),
            metrics: Metrics::default(),
            jobs: Jobs::new(
                settings.job_ttl,
                settings.utc_offset,
                clock.clone(),
                store.clone(),
                jobs,
            ),
            sessions: Sessions::new(store.clone(), &mut kept),
            secrets: Secrets::new(&mut random, clock.clone(), store.clone(), &mut kept),
            images: Images::new(&settings.registry_images),
            agents: Agents::new(),
            faults,
            clock,
            settings,
            scripted: Scripted::new(answerer),
            stats: watch::Sender::new(Stats::default()),
            received: Mutex::default(),
            random: Mutex::new(random),
            stop,
            store,
        };
        if let Some(store) = &state.store {
            // Last, so that the first start counts only when the server's own secret is there.
            store.write([Change::Starts(kept.starts + 1)]);
        }
        state
    }

    /// Waits until all that was done so far would outlive the process, if that was asked for. Nobody may be told of
    /// anything before.
    ///
    /// # Errors
    /// Why that will never be.
    pub(crate) async fn settle(&self) -> Result<(), String> {
        match &self.store {
            Some(store) => store.settle().await,
            None => Ok(()),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        *self.stats.borrow()
    }

    pub(crate) fn count(&self, update: impl FnOnce(&mut Stats)) {
        self.stats.send_if_modified(|stats| {
            update(stats);
            // Telling nobody costs as much as telling someone. Who comes now waits for the lock, and then sees the change.
            self.stats.receiver_count() > 0
        });
    }

    pub(crate) async fn wait_for(&self, reached: impl FnMut(&Stats) -> bool) -> Stats {
        let mut stats = self.stats.subscribe();
        // The sender is ours, so that the wait can only end well.
        stats
            .wait_for(reached)
            .await
            .map_or_else(|_| self.stats(), |reached| *reached)
    }

    pub(crate) fn record(&self, request: Kept) {
        let mut received = lock(&self.received);
        if received.len() == RECEIVED {
            received.pop_front();
        }
        received.push_back(request);
        drop(received);
        self.count(|stats| stats.requests += 1);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.received).iter().map(Kept::received).collect()
    }

    /// 16 random hexadecimal digits after `prefix`: a request's, a run's or a job's id.
    pub(crate) fn random_id(&self, prefix: &str) -> String {
        let mut id = String::with_capacity(prefix.len() + 16);
        id.push_str(prefix);
        let number = lock(&self.random).u64(..);
        id.push_str(str::from_utf8(&hex(number)).unwrap_or_default());
        id
    }

    /// A random (version 4) UUID.
    pub(crate) fn random_uuid(&self) -> String {
        uuid(&mut lock(&self.random))
    }

    pub(crate) fn random_secret_id(&self) -> String {
        secrets::id(&mut lock(&self.random))
    }

    /// Random numbers of their own for something that needs many.
    pub(crate) fn fork_random(&self) -> fastrand::Rng {
        lock(&self.random).fork()
    }

    pub(crate) fn shuffle<T>(&self, items: &mut [T]) {
        lock(&self.random).shuffle(items);
    }

    /// Runs `work` in its own task until its end or the emulator's.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Nothing is ever sent: it changes when the sender is dropped.
                _ = stop.changed() => {}
                () = work => {}
            }
        });
    }
}

/// A random (version 4) UUID.
pub(crate) fn uuid(random: &mut fastrand::Rng) -> String {
    let (high, low) = (random.u64(..), random.u64(..));
    let (high, low) = (high & !0xf000 | 0x4000, low & !(0x3 << 62) | (0x2 << 62));
    let (high, low) = (hex(high), hex(low));
    let (first, rest) = high.split_at(8);
    let (second, third) = rest.split_at(4);
    let (fourth, fifth) = low.split_at(4);
    let mut id = Vec::with_capacity(36);
    for group in [first, second, third, fourth, fifth] {
        if !id.is_empty() {
            id.push(b'-');
        }
        id.extend_from_slice(group);
    }
    // Letters are always UTF-8.
    String::from_utf8(id).unwrap_or_default()
}

/// All 16 hexadecimal digits. Every answer has some, and `format!` would be a tenth of the work for it.
fn hex(number: u64) -> [u8; 16] {
    // Each digit gets a byte of its own, and all become letters at once.
    let mut spread = u128::from(number);
    for (bits, mask) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, NIBBLES),
    ] {
        spread = (spread | spread << bits) & mask;
    }
    let above_nine = ((spread + 6 * ONES) >> 4) & ONES;
    let letters = spread + u128::from(b'0') * ONES + u128::from(b'a' - b'0' - 10) * above_nine;
    letters.to_be_bytes()
}

/// A one in each byte, and the lower half of each.
const ONES: u128 = u128::MAX / 0xff;
const NIBBLES: u128 = ONES * 0xf;

/// Locks; what a panicking holder left is whole, since no holder runs foreign code.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_digits() {
        for number in [
            0,
            0x0123_4567_89ab_cdef,
            0xfedc_ba98_7654_3210,
            u64::MAX,
            0x9a09_a90a_a0f9_0e9f,
        ] {
            assert_eq!(hex(number).escape_ascii().to_string(), format!("{number:016x}"));
        }
        let id = uuid(&mut fastrand::Rng::with_seed(1));
        let shape: String = id
            .chars()
            .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
            .collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("4", true));
    }
}
