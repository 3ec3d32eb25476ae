//! How often a client may use the protected routes: a token bucket for each address, as WIRE §4 has it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::state::lock;

/// How long a bucket is kept after its last use, and how often the server looks for such.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10 * 60);

const FORWARDED_FOR: &str = "x-forwarded-for";
const REAL_IP: &str = "x-real-ip";

/// What the configuration says of it.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// Requests, and tokens that a bucket gains.
    pub(crate) per_second: u32,
    /// Tokens that a bucket holds.
    pub(crate) burst: u32,
}

/// The buckets of all clients.
pub(crate) struct RateLimiter {
    rate: Rate,
    trusted_proxies: Vec<IpNet>,
    dialect: Dialect,
    clock: Clock,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    /// By address, or by whatever a proxy that is trusted calls one.
    by_client: HashMap<String, Bucket>,
    cleaned: Instant,
}

struct Bucket {
    tokens: f64,
    updated: Instant,
}

/// What a request was told about its client's bucket.
pub(crate) struct Quota {
    pub(crate) allowed: bool,
    limit: u32,
    remaining: u32,
    /// Unix seconds.
    reset: i64,
}

impl RateLimiter {
    pub(crate) fn new(rate: Rate, trusted_proxies: Vec<IpNet>, dialect: Dialect, clock: Clock) -> Self {
        let buckets = Buckets {
            by_client: HashMap::new(),
            cleaned: clock.instant(),
        };
        Self {
            rate,
            trusted_proxies,
            dialect,
            clock,
            buckets: Mutex::new(buckets),
        }
    }

    /// Takes a token for a request from `peer`, if its client has one left.
    pub(crate) fn take(&self, peer: IpAddr, headers: &HeaderMap) -> Quota {
        let client = self.client(peer, headers);
        let whole = self.take_for(client);
        let remaining = match self.dialect {
            // Those that were used, in the place of those that are left.
            Dialect::V0_4_3 => whole.map(|whole| self.rate.burst - whole),
            Dialect::V0_5_7 => whole,
        };
        Quota {
            allowed: whole.is_some(),
            limit: self.rate.per_second,
            remaining: remaining.unwrap_or(0),
            reset: self.clock.timestamp().as_second() + 1,
        }
    }

    /// The whole tokens left after one was taken; none when there was none.
    fn take_for(&self, client: String) -> Option<u32> {
        let now = self.clock.instant();
        let mut buckets = lock(&self.buckets);
        if now.duration_since(buckets.cleaned) >= FORGOTTEN_AFTER {
            let used = |bucket: &Bucket| now.duration_since(bucket.updated) <= FORGOTTEN_AFTER;
            buckets.by_client.retain(|_, bucket| used(bucket));
            buckets.cleaned = now;
        }
        let burst = f64::from(self.rate.burst);
        let bucket = buckets.by_client.entry(client).or_insert(Bucket {
            tokens: burst,
            updated: now,
        });
        let gained = now.duration_since(bucket.updated).as_secs_f64() * f64::from(self.rate.per_second);
        bucket.tokens = burst.min(bucket.tokens + gained);
        bucket.updated = now;
        if bucket.tokens < 1.0 {
            return None;
        }
        bucket.tokens -= 1.0;
        Some(bucket.tokens as u32)
    }

    /// Whose bucket it is: the peer's, or that of the client that a trusted proxy names.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> String {
        let header = |name| headers.get(name).filter(|value: &&HeaderValue| !value.is_empty());
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        if !self.trusts(peer) {
            return peer.to_string();
        }
        match (header(FORWARDED_FOR), header(REAL_IP)) {
            (Some(chain), _) => leftmost(&text(chain)).to_owned(),
            (None, Some(client)) => text(client),
            (None, None) => peer.to_string(),
        }
    }

    /// Before 0.5.0 the server believed everybody.
    fn trusts(&self, peer: IpAddr) -> bool {
        self.dialect < Dialect::V0_5_7 || self.trusted_proxies.iter().any(|proxies| proxies.contains(&peer))
    }
}

impl Quota {
    /// The headers that every response of a limited route carries.
    pub(crate) fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        [
            (HeaderName::from_static("x-ratelimit-limit"), self.limit.into()),
            (HeaderName::from_static("x-ratelimit-remaining"), self.remaining.into()),
            (HeaderName::from_static("x-ratelimit-reset"), self.reset.into()),
        ]
    }
}

/// The first address of an `X-Forwarded-For`, without its port.
fn leftmost(chain: &str) -> &str {
    let first = chain.split_once(',').map_or(chain, |(first, _)| first.trim());
    match first.rsplit_once(':') {
        Some((host, _)) if host.starts_with('[') && host.ends_with(']') => host.trim_matches(['[', ']']),
        Some((host, _)) if !host.contains(':') => host,
        // None, or an IPv6 address without a port.
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_address_of_a_chain_loses_its_port() {
        let cases = [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("10.0.0.1:80, 10.0.0.2", "10.0.0.1"),
            (" a , b,c", "a"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:80,10.0.0.2", "2001:db8::1"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("anything", "anything"),
        ];
        for (chain, client) in cases {
            assert_eq!(leftmost(chain), client, "{chain}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn buckets_that_nobody_uses_are_forgotten() {
        let rate = Rate {
            per_second: 1,
            burst: 3000,
        };
        let clock = Clock::default();
        let limiter = RateLimiter::new(rate, Vec::new(), Dialect::V0_5_7, clock.clone());
        let take = |last| {
            limiter
                .take(IpAddr::from([127, 0, 0, last]), &HeaderMap::new())
                .remaining
        };
        for _ in 0..1000 {
            take(1);
        }
        clock.advance(FORGOTTEN_AFTER);
        assert_eq!(take(2), 2999);
        assert_eq!(take(1), 2599);
        clock.advance(FORGOTTEN_AFTER + Duration::from_secs(1));
        assert_eq!(take(2), 2999);
        assert_eq!(lock(&limiter.buckets).by_client.len(), 1);
        assert_eq!(take(1), 2999);
    }
}
