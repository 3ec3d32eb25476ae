//! The wait that a response asks for, in milliseconds, seconds or as a date.
//!
//! Input: a line for `retry-after-ms`, a line for `retry-after`, and eight bytes for a time to write as a date.
#![no_main]

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;
use reqwest::header::{HeaderValue, RETRY_AFTER};

#[path = "../common/answer.rs"]
mod answer;

/// How long it may take to look at a header, on a machine that is held up.
const SLACK: Duration = Duration::from_secs(5);

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (milliseconds, value, time) = (line(), line(), line());
    let wait = asked(milliseconds, value);
    if let Some(expected) = whole(milliseconds).map(Duration::from_millis) {
        assert_eq!(wait, Some(expected));
    } else if milliseconds.is_empty() {
        if let Some(expected) = whole(value).map(Duration::from_secs) {
            assert_eq!(wait, Some(expected));
        }
        if value.is_empty() {
            assert_eq!(wait, None);
        }
        // Nothing but a date has a colon, and no date is so far away.
        if value.contains(&b':') {
            assert!(wait.unwrap_or_default() < Duration::from_secs(10_000 * 366 * 24 * 3600));
        }
    }

    let seconds = time.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes)) % 250_000_000_000;
    let Ok(at) = Timestamp::from_second(seconds) else {
        return;
    };
    let date = at
        .to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let before = Timestamp::now();
    let wait = asked(b"", date.as_bytes());
    // A year before 0 has a sign, which no date may have.
    if seconds >= 0 {
        let wait = wait.expect("it is a date");
        let expected = Duration::try_from(at.duration_since(before)).unwrap_or_default();
        assert!(
            wait <= expected && wait + SLACK >= expected,
            "{date}: {wait:?} and not {expected:?}"
        );
    }
});

/// The wait of a response with these headers; an empty one is left out.
fn asked(milliseconds: &[u8], value: &[u8]) -> Option<Duration> {
    let mut response = http::Response::new(Vec::new());
    *response.status_mut() = reqwest::StatusCode::TOO_MANY_REQUESTS;
    for (name, value) in [("retry-after-ms", milliseconds), (RETRY_AFTER.as_str(), value)] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_bytes(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    answer::error("run_sync", response).retry_after()
}

/// A number of at most nine digits, which no reading of floating point numbers can change.
fn whole(text: &[u8]) -> Option<u64> {
    let digits = (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}
