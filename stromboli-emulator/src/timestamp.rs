//! Times as the programs behind the wire print them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

/// RFC 3339 with as many digits of the second as there are, as Go writes it: `Z` for an offset of zero.
pub(crate) fn rfc3339(time: Timestamp, offset: Offset) -> String {
    if offset == Offset::UTC {
        time.to_string()
    } else {
        time.display_with_offset(offset).to_string()
    }
}

/// RFC 3339 with milliseconds in UTC, as Claude Code writes it.
pub(crate) fn milliseconds(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// How long ago something was, as podman's lists say it.
pub(crate) fn ago(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    let time = match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, ..48) => format!("{hours} hours"),
        (_, _, ..336) => format!("{} days", hours / 24),
        (_, _, ..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, ..17_520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    };
    format!("{time} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_writes_no_more_digits_than_there_are() {
        let time: Timestamp = "2026-11-20T11:52:17.620Z".parse().unwrap();
        assert_eq!(rfc3339(time, Offset::UTC), "2026-11-20T11:52:17.62Z");
        assert_eq!(rfc3339(time, Offset::constant(2)), "2026-11-20T13:52:17.62+02:00");
        assert_eq!(milliseconds(time), "2026-11-20T11:52:17.620Z");
    }

    #[test]
    fn podman_says_roughly_how_long_ago_it_was() {
        let hour = 3600;
        let day = 24 * hour;
        let cases = [
            (0, "Less than a second ago"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "About a minute ago"),
            (119, "About a minute ago"),
            (120, "2 minutes ago"),
            (hour - 1, "59 minutes ago"),
            (hour, "About an hour ago"),
            (hour + 1800, "2 hours ago"),
            (2 * day - 1801, "47 hours ago"),
            (10 * day, "10 days ago"),
            (14 * day, "2 weeks ago"),
            (60 * day, "2 months ago"),
            (730 * day, "2 years ago"),
        ];
        for (seconds, text) in cases {
            assert_eq!(ago(Duration::from_secs(seconds)), text);
        }
    }
}
