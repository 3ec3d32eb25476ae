//! Percent-decoding of paths and queries, as Go's `net/url` does it.

use std::borrow::Cow;

/// The text behind a path or a part of a query; none when an escape is malformed. In a query `+` is a space.
fn unescape(text: &str, in_query: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' if in_query => b' ',
            _ => byte,
        });
    }
    Some(String::from_utf8_lossy(&plain).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The decoded path; none when an escape is malformed.
pub(crate) fn path(path: &str) -> Option<Cow<'_, str>> {
    if path.contains('%') {
        unescape(path, false).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(path))
    }
}

/// The first value of `name`. A pair that holds a `;` or a malformed escape is as good as absent.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter(|pair| !pair.contains(';'))
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(key, true)?, unescape(value, true)?))
        })
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_go_reads_it() {
        let query = "a=1&prompt=%zz&prompt=x;y&prompt=one+two%2B%26%C3%A9%0A&prompt=later&empty";
        assert_eq!(query_value(query, "prompt").unwrap(), "one two+&é\n");
        assert_eq!(query_value(query, "empty").unwrap(), "");
        assert_eq!(query_value(query, "none"), None);
    }

    #[test]
    fn a_plus_in_a_path_stays_and_a_bad_escape_is_refused() {
        assert_eq!(path("/jobs/a+b%2Fc").unwrap(), "/jobs/a+b/c");
        assert_eq!(path("/jobs/%4"), None);
    }
}
