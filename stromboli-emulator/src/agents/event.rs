//! The events of an agent as they go out.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use crate::json;

/// The last event of a stream.
pub(crate) const CLOSED: &str = "event: closed\ndata: {}\n\n";

/// What happened to an agent.
#[derive(Default, Serialize)]
pub(crate) struct Event<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turn_id: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'a str>,
    pub(crate) at: String,
}

impl Event<'_> {
    pub(crate) fn frame(&self) -> Bytes {
        let data = json::to_string(self).unwrap_or_default();
        Bytes::from(format!("event: {}\ndata: {data}\n\n", self.kind))
    }
}

/// RFC 3339 with as many digits as there are, up to nanoseconds, as Go writes it: `Z` for an offset of zero.
pub(crate) fn time(at: Timestamp, offset: Offset) -> String {
    if offset == Offset::UTC {
        at.to_string()
    } else {
        at.display_with_offset(offset).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        let east = Offset::from_seconds(5 * 3600 + 1800).unwrap();
        let cases = [
            ("2026-05-06T10:00:00.123456789Z", "2026-05-06T15:30:00.123456789+05:30"),
            ("2026-05-06T10:00:00.12Z", "2026-05-06T15:30:00.12+05:30"),
            ("2026-05-06T10:00:00.0000001Z", "2026-05-06T15:30:00.0000001+05:30"),
            ("2026-05-06T10:00:00Z", "2026-05-06T15:30:00+05:30"),
        ];
        for (utc, local) in cases {
            let at: Timestamp = utc.parse().unwrap();
            assert_eq!(time(at, Offset::UTC), utc);
            assert_eq!(time(at, east), local);
        }
    }
}
