//! Text within error texts, quoted as Go quotes it.

/// A string as Go's `%q` shows it.
pub(crate) fn text(text: &str) -> String {
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// A byte as a JSON syntax error shows it: the Latin-1 character in single quotes.
pub(crate) fn byte(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        other => format!("'{}'", escaped(char::from(other))),
    }
}

/// A string as Go's `time` package shows it, which leaves nothing but ASCII.
pub(crate) fn duration(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=0x7f => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

fn escaped(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\u{7}' => r"\a".to_owned(),
        '\u{8}' => r"\b".to_owned(),
        '\u{b}' => r"\v".to_owned(),
        '\u{c}' => r"\f".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        '"' | '\\' => format!("\\{c}"),
        '\0'..=' ' | '\u{7f}' if c != ' ' => format!("\\x{code:02x}"),
        // Rust's idea of what can be printed, which is nearly Go's.
        _ if c == '\'' || c.escape_debug().count() == 1 => c.to_string(),
        '\0'..='\u{ffff}' => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_quoted_as_go_quotes_it() {
        let plain = "a b's é\"\\\n\t\r\u{7}\u{8}\u{b}\u{c}\0\u{1b}\u{7f}\u{a0}\u{200b}\u{e0001}";
        let quoted = r#""a b's é\"\\\n\t\r\a\b\v\f\x00\x1b\x7f\u00a0\u200b\U000e0001""#;
        assert_eq!(text(plain), quoted);
    }

    #[test]
    fn a_byte_is_quoted_as_a_latin_1_character() {
        let cases = [
            (b'x', "'x'"),
            (b'\'', r"'\''"),
            (b'"', "'\"'"),
            (b'\\', r"'\\'"),
            (b'\n', r"'\n'"),
            (0, r"'\x00'"),
            (0x80, r"'\u0080'"),
            (0xff, "'ÿ'"),
        ];
        for (given, quoted) in cases {
            assert_eq!(byte(given), quoted);
        }
    }

    #[test]
    fn a_duration_is_quoted_in_ascii() {
        assert_eq!(duration("1 µ\"\\\n\u{7f}"), "\"1 \\xc2\\xb5\\\"\\\\\\x0a\u{7f}\"");
    }
}
