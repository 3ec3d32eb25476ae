//! JSON as Go's `encoding/json` writes it, and the body of every JSON response.

use std::io;

use serde::Serialize;
use serde::ser::Error;
use serde_json::ser::{Formatter, Serializer};

/// `value` in Go's compact style.
///
/// # Errors
/// What the type's `Serialize` reports; none of ours fails.
pub(crate) fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    // Most answers fit.
    let mut bytes = Vec::with_capacity(512);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, GoNumbers))?;
    String::from_utf8(bytes).map(escaped).map_err(Error::custom)
}

/// Go escapes what could end a script element or a JavaScript line. In JSON none of it stands outside of a string.
fn escaped(json: String) -> String {
    // Nearly every text has none, which its bytes tell sooner than its characters.
    let special = |found, byte| found | matches!(byte, b'<' | b'>' | b'&' | 0xe2);
    if !json.bytes().fold(false, special) {
        return json;
    }
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => safe.push(character),
        }
    }
    safe
}

/// Go writes whole numbers without a point.
struct GoNumbers;

impl Formatter for GoNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size >= 1e21 {
            write!(writer, "{}", format!("{value:e}").replace('e', "e+"))
        } else if size != 0.0 && size < 1e-6 {
            write!(writer, "{value:e}")
        } else {
            write!(writer, "{value}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_html_and_javascript_could_misread_is_escaped() {
        let text = "a<b>&c\u{2028}\u{2029}é\"\\\n\u{1}";
        let expected = r#""a\u003cb\u003e\u0026c\u2028\u2029é\"\\\n\u0001""#;
        assert_eq!(to_string(&text).unwrap(), expected);
        let nested = json!({"<k>": ["<"]});
        let expected = r#"{"\u003ck\u003e":["\u003c"]}"#;
        assert_eq!(to_string(&nested).unwrap(), expected);
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let cases = [(0.0, "0"), (1.0, "1"), (2.5, "2.5"), (0.002655, "0.002655")];
        for (number, expected) in cases.into_iter().chain([(1e-7, "1e-7"), (1.5e21, "1.5e+21")]) {
            assert_eq!(to_string(&number).unwrap(), expected);
        }
    }
}
