//! How long calls may take: one table of classes. Which operation is of which class stands in `operation.rs`.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// The server's own limit for a run unless the request sets another is 30 minutes (WIRE §6).
pub(crate) const DEFAULT_RUN: Duration = RUN_SLACK.saturating_add(Duration::from_secs(30 * 60));
/// What a run gets beyond the server's limit, to say that it ended there: closing the connection would lose its output.
const RUN_SLACK: Duration = Duration::from_secs(5 * 60);

/// How long a run may take whose request limits it with this Go duration, if that is longer than the default.
pub(crate) fn longer_run(limit: &str) -> Option<Duration> {
    let needed = go_duration(limit)?.saturating_add(RUN_SLACK);
    (needed > DEFAULT_RUN).then_some(needed)
}

/// `1h30m`, `90s`, `1.5h`, as Go's `time.ParseDuration` reads them; `None` for what it refuses, and for what is negative.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, unit) = rest.split_at(rest.find(|c| !is_of_number(c))?);
        let (unit, next) = unit.split_at(unit.find(is_of_number).unwrap_or(unit.len()));
        rest = next;
        let number = seconds(number)?;
        let part = match unit {
            "h" => number.checked_mul(3600)?,
            "m" => number.checked_mul(60)?,
            "s" => number,
            "ms" => number / 1000,
            // Both signs of a micro that Unicode has.
            "us" | "\u{b5}s" | "\u{3bc}s" => number / 1_000_000,
            "ns" => number / 1_000_000_000,
            _ => return None,
        };
        total = total.saturating_add(part);
    }
    Some(total)
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// Seconds, with a fraction or without. Not read as `f64`, which would bring a program 16 KB of code and tables.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The first nine digits, with zeros behind what there is of them.
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
    Some(Duration::new(format!("0{whole}").parse().ok()?, nanoseconds))
}

/// How long each class of operation may take, all attempts and the waits between them included. `Duration::MAX` is no
/// limit.
///
/// ```
/// use std::time::Duration;
/// use stromboli::Timeouts;
///
/// let patient = Timeouts::default().run(Duration::from_secs(2 * 3600));
/// ```
#[derive(Clone, Debug)]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) quick: Duration,
    pub(crate) image_pull: Duration,
    /// None: the server's own limit for the run, and a little more.
    pub(crate) run: Option<Duration>,
    pub(crate) stream_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            quick: Duration::from_secs(30),
            // The server gives podman 10 minutes (WIRE §10).
            image_pull: Duration::from_secs(11 * 60),
            run: None,
            stream_idle: Duration::from_secs(35 * 60),
        }
    }
}

impl Timeouts {
    /// For a connection to be there, TLS included; 10 s by default.
    #[must_use]
    pub fn connect(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// For calls that run nothing; 30 s by default.
    #[must_use]
    pub fn quick(mut self, timeout: Duration) -> Self {
        self.quick = timeout;
        self
    }

    /// For pulling an image; 11 minutes by default, one more than the server's own limit.
    #[must_use]
    pub fn image_pull(mut self, timeout: Duration) -> Self {
        self.image_pull = timeout;
        self
    }

    /// For a run that is waited for. By default 35 minutes, five more than the server's own limit (WIRE §6); where the request
    /// sets another with `PodmanOptions::timeout`, five more than that. Compose runs have no limit on the server.
    #[must_use]
    pub fn run(mut self, timeout: Duration) -> Self {
        self.run = Some(timeout);
        self
    }

    /// A time of nothing would fail every call, some of them after they were sent.
    pub(crate) fn check(&self) -> Result<()> {
        let run = self.run.unwrap_or(DEFAULT_RUN);
        let all = [self.connect, self.quick, self.image_pull, run, self.stream_idle];
        if all.contains(&Duration::ZERO) {
            Err(Error::new(ErrorKind::InvalidInput, "a timeout is zero"))
        } else {
            Ok(())
        }
    }

    /// For silence on a stream, before its first event as well; 35 minutes by default, because the server says nothing
    /// at all until the agent prints its first line (WIRE §7).
    #[must_use]
    pub fn stream_idle(mut self, timeout: Duration) -> Self {
        self.stream_idle = timeout;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_the_servers_time_and_more() {
        let minutes = |m: u64| Some(Duration::from_secs(60 * m));
        for (limit, needed) in [
            ("2h", minutes(125)),
            ("1h30m", minutes(95)),
            ("3600s", minutes(65)),
            ("1.5h", minutes(95)),
            (".5h60.m", minutes(95)),
            ("7200000ms", minutes(125)),
            ("7200000000us", minutes(125)),
            ("7200000000\u{b5}s", minutes(125)),
            ("7200000000\u{3bc}s", minutes(125)),
            ("7200000000000ns", minutes(125)),
            ("+1h30m0.0000000000s", minutes(95)),
            ("10m", None),
            ("30m", None),
            ("", None),
            ("0", None),
            ("-2h", None),
            ("2 hours", None),
            ("h", None),
            ("2h 1s", None),
            ("2h+1s", None),
            ("1e300h", None),
            ("1..5h", None),
            (".h", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(longer_run(limit), needed, "{limit}");
        }
    }
}
