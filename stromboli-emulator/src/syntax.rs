//! The syntax of JSON, with Go's texts for what breaks it.

use crate::quote;

/// How deep Go lets values be nested.
const MAX_DEPTH: usize = 10_000;

const UNEXPECTED_EOF: &str = "unexpected EOF";

/// The first value of `body`, which is checked; what comes after it does not matter.
///
/// # Errors
/// Go's text for the first byte that is wrong, or missing.
pub(crate) fn check(body: &[u8]) -> Result<&[u8], String> {
    use Expected::{After, Colon, FirstItem, FirstKey, Key, Value};
    let spaces = body.iter().take_while(|byte| is_space(**byte)).count();
    let body = body.split_at(spaces).1;
    if body.is_empty() {
        return Err("EOF".to_owned());
    }
    let mut scanner = Scanner { rest: body };
    // The brackets and braces that are open: a list and not recursion, since the depth is the sender's choice.
    let mut open = Vec::new();
    let mut expected = Value;
    loop {
        let byte = scanner.next_after_space()?;
        expected = match (expected, byte, open.last()) {
            (Value | FirstItem, b'{' | b'[', _) => {
                open.push(byte);
                if open.len() > MAX_DEPTH {
                    return Err(invalid(byte, "exceeded max depth"));
                }
                if byte == b'{' { FirstKey } else { FirstItem }
            }
            (FirstItem, b']', _) | (FirstKey, b'}', _) | (After, b']', Some(b'[')) | (After, b'}', Some(b'{')) => {
                open.pop();
                After
            }
            (Value | FirstItem, _, _) => {
                scanner.scalar(byte)?;
                After
            }
            (FirstKey | Key, b'"', _) => {
                scanner.string()?;
                Colon
            }
            (Colon, b':', _) | (After, b',', Some(b'[')) => Value,
            (After, b',', Some(b'{')) => Key,
            (FirstKey | Key, _, _) => return Err(invalid(byte, "looking for beginning of object key string")),
            (Colon, _, _) => return Err(invalid(byte, "after object key")),
            (After, _, Some(b'{')) => return Err(invalid(byte, "after object key:value pair")),
            (After, _, _) => return Err(invalid(byte, "after array element")),
        };
        if open.is_empty() {
            return Ok(body.split_at(body.len() - scanner.rest.len()).0);
        }
    }
}

/// What may come next.
#[derive(Clone, Copy)]
enum Expected {
    Value,
    /// A value, or the end of the array.
    FirstItem,
    /// A key, or the end of the object.
    FirstKey,
    Key,
    Colon,
    /// A comma, or the end of what is open.
    After,
}

struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    fn next(&mut self) -> Result<u8, String> {
        let (byte, rest) = self.rest.split_first().ok_or(UNEXPECTED_EOF)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn next_after_space(&mut self) -> Result<u8, String> {
        loop {
            let byte = self.next()?;
            if !is_space(byte) {
                return Ok(byte);
            }
        }
    }

    /// The next byte, if it is one of `wanted`.
    fn accept(&mut self, wanted: &[u8]) -> bool {
        match self.rest.split_first() {
            Some((byte, rest)) if wanted.contains(byte) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The rest of a value that holds no others, which begins with `first`.
    fn scalar(&mut self, first: u8) -> Result<(), String> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(first),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => Err(invalid(first, "looking for beginning of value")),
        }
    }

    fn string(&mut self) -> Result<(), String> {
        loop {
            let plain = self
                .rest
                .iter()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' '));
            self.rest = self.rest.split_at(plain.count()).1;
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                control => return Err(invalid(control, "in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                for _ in 0..4 {
                    let digit = self.next()?;
                    if !digit.is_ascii_hexdigit() {
                        return Err(invalid(digit, r"in \u hexadecimal character escape"));
                    }
                }
            }
            other => return Err(invalid(other, "in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Result<(), String> {
        let digit = match first {
            b'-' => self.digit("in numeric literal")?,
            digit => digit,
        };
        if digit != b'0' {
            self.digits();
        }
        if self.accept(b".") {
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if self.accept(b"eE") {
            self.accept(b"+-");
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Result<u8, String> {
        let byte = self.next()?;
        if byte.is_ascii_digit() {
            Ok(byte)
        } else {
            Err(invalid(byte, place))
        }
    }

    fn digits(&mut self) {
        while self.accept(b"0123456789") {}
    }

    /// The rest of `literal`, whose first letter was read.
    fn literal(&mut self, literal: &str) -> Result<(), String> {
        for wanted in literal.bytes().skip(1) {
            let byte = self.next()?;
            if byte != wanted {
                let place = format!("in literal {literal} (expecting {})", quote::byte(wanted));
                return Err(invalid(byte, &place));
            }
        }
        Ok(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn invalid(byte: u8, place: &str) -> String {
    format!("invalid character {} {place}", quote::byte(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_passes_and_what_follows_it_does_not_matter() {
        let nested = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        let mixed = r#"{"a":[1,-0.5e+3,{},[]],"b\u00e9\n":{"c":null,"d":true,"e":false}}"#;
        let cases = [
            (format!(" {mixed}"), mixed),
            ("{} }{".to_owned(), "{}"),
            ("1x".to_owned(), "1"),
            ("01".to_owned(), "0"),
            ("truex".to_owned(), "true"),
            ("\"\\ud800\u{7f}\" ]".to_owned(), "\"\\ud800\u{7f}\""),
            (nested.clone(), &nested),
        ];
        for (body, value) in cases {
            assert_eq!(check(body.as_bytes()), Ok(value.as_bytes()), "{body}");
        }
        assert_eq!(check(b"\"\xff\""), Ok(&b"\"\xff\""[..]));
    }

    #[test]
    fn what_ends_too_early_is_an_end_of_file() {
        for body in ["", " \t\r\n"] {
            assert_eq!(check(body.as_bytes()).unwrap_err(), "EOF");
        }
        for body in [
            "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[1", "[1,", "tru", "-", "1.", "1e", "\"\\u00",
        ] {
            assert_eq!(check(body.as_bytes()).unwrap_err(), "unexpected EOF", "{body}");
        }
    }

    #[test]
    fn the_first_wrong_byte_is_named_with_its_place() {
        let value = "looking for beginning of value";
        let key = "looking for beginning of object key string";
        let cases: [(&[u8], &str, &str); 22] = [
            (b"x", "'x'", value),
            (b"\x0c", r"'\f'", value),
            (b"\xff", "'ÿ'", value),
            (b"[1,]", "']'", value),
            (b"{\"a\": ?}", "'?'", value),
            (b"{'a':1}", r"'\''", key),
            (b"{\"a\":1,}", "'}'", key),
            (b"{\"a\"}", "'}'", "after object key"),
            (b"{\"a\":1]", "']'", "after object key:value pair"),
            (b"{\"a\":01}", "'1'", "after object key:value pair"),
            (b"[1 \"a\"]", "'\"'", "after array element"),
            (b"[1}", "'}'", "after array element"),
            (b"\"a\n\"", r"'\n'", "in string literal"),
            (b"\"\0\"", r"'\x00'", "in string literal"),
            (b"\"\\x\"", "'x'", "in string escape code"),
            (b"\"\\u00g0\"", "'g'", r"in \u hexadecimal character escape"),
            (b"-a", "'a'", "in numeric literal"),
            (b"1.e", "'e'", "after decimal point in numeric literal"),
            (b"1e+x", "'x'", "in exponent of numeric literal"),
            (b"tRue", "'R'", "in literal true (expecting 'r')"),
            (b"falsy", "'y'", "in literal false (expecting 'e')"),
            (b"nul ", "' '", "in literal null (expecting 'l')"),
        ];
        for (body, byte, place) in cases {
            let text = format!("invalid character {byte} {place}");
            assert_eq!(check(body).unwrap_err(), text, "{}", body.escape_ascii());
        }
        let nested = "[".repeat(MAX_DEPTH + 1);
        assert_eq!(
            check(nested.as_bytes()).unwrap_err(),
            "invalid character '[' exceeded max depth"
        );
    }
}
