//! JSON texts read, compared and written by code that shares nothing with the crate: numbers by their digits, strings by
//! their characters (halves of surrogate pairs included), objects without order and with the last of repeated names.

use std::collections::BTreeMap;

/// A JSON value; a number as it is written, a string as UTF-16, an object with all of its fields in order.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Plain(String),
    Text(Vec<u16>),
    List(Vec<Tree>),
    Object(Vec<(Vec<u16>, Tree)>),
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                let last =
                    |fields: &[(Vec<u16>, Tree)]| -> BTreeMap<Vec<u16>, Tree> { fields.iter().cloned().collect() };
                last(a) == last(b)
            }
            _ => false,
        }
    }
}

pub(crate) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Reads valid JSON.
pub(crate) fn tree(text: &str) -> Tree {
    let mut reader = Reader { rest: text.as_bytes() };
    let value = reader.value();
    reader.space();
    assert_eq!(reader.rest, b"", "more after the value");
    value
}

/// Fails unless both texts are the same value.
#[track_caller]
pub(crate) fn assert_same(a: &str, b: &str) {
    let short = |text: &str| text.chars().take(3000).collect::<String>();
    assert!(tree(a) == tree(b), "not the same:\n{}\n{}", short(a), short(b));
}

/// Writes it; what must not be escaped is, where `escape` says so.
pub(crate) fn write(tree: &Tree, escape: bool) -> String {
    let text = |units: &[u16]| {
        let one = |unit: Result<char, u16>| match unit {
            Ok(plain) if plain >= ' ' && plain != '"' && plain != '\\' && !escape => plain.to_string(),
            Ok(other) => other
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
            Err(half) => format!("\\u{half:04x}"),
        };
        let each = char::decode_utf16(units.iter().copied());
        let inner: String = each
            .map(|unit| one(unit.map_err(|half| half.unpaired_surrogate())))
            .collect();
        format!("\"{inner}\"")
    };
    let list = |items: Vec<String>| items.join(if escape { " , " } else { "," });
    match tree {
        Tree::Plain(plain) => plain.clone(),
        Tree::Text(units) => text(units),
        Tree::List(items) => format!("[{}]", list(items.iter().map(|item| write(item, escape)).collect())),
        Tree::Object(fields) => {
            let field = |(name, value): &(Vec<u16>, Tree)| format!("{}:{}", text(name), write(value, escape));
            format!("{{{}}}", list(fields.iter().map(field).collect()))
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn space(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn next(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().expect("the text ends too early");
        self.rest = rest;
        *first
    }

    fn value(&mut self) -> Tree {
        self.space();
        match self.rest[0] {
            b'"' => Tree::Text(self.text()),
            b'[' => {
                self.next();
                let mut list = Vec::new();
                while !self.ends(b']') {
                    list.push(self.value());
                }
                Tree::List(list)
            }
            b'{' => {
                self.next();
                let mut object = Vec::new();
                while !self.ends(b'}') {
                    self.space();
                    let name = self.text();
                    self.space();
                    assert_eq!(self.next(), b':');
                    object.push((name, self.value()));
                }
                Tree::Object(object)
            }
            _ => {
                let end = self.rest.iter().position(|byte| b",]} \t\r\n".contains(byte));
                let (plain, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                Tree::Plain(String::from_utf8(plain.to_vec()).unwrap())
            }
        }
    }

    /// Steps over a comma, or over the end and says so.
    fn ends(&mut self, end: u8) -> bool {
        self.space();
        if self.rest[0] == b',' {
            self.next();
            self.space();
        }
        let ends = self.rest[0] == end;
        if ends {
            self.next();
        }
        ends
    }

    fn text(&mut self) -> Vec<u16> {
        assert_eq!(self.next(), b'"');
        let mut units = Vec::new();
        loop {
            let plain = self.rest.iter().position(|byte| b"\"\\".contains(byte)).unwrap();
            let (start, rest) = self.rest.split_at(plain);
            units.extend(std::str::from_utf8(start).unwrap().encode_utf16());
            self.rest = rest;
            if self.next() == b'"' {
                return units;
            }
            units.push(match self.next() {
                b'n' => 10,
                b't' => 9,
                b'r' => 13,
                b'b' => 8,
                b'f' => 12,
                b'u' => {
                    let (digits, rest) = self.rest.split_at(4);
                    self.rest = rest;
                    u16::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
                }
                other => other.into(),
            });
        }
    }
}

#[test]
fn the_comparison_itself_tells_values_apart() {
    assert_same(
        r#"{"a":[1,"x\n",null],"b":{}}"#,
        r#" {"b" : { }, "a":[ 1 ,"\u0078\u000a", null ]}"#,
    );
    assert_same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#);
    for (a, b) in [
        ("1", "1.0"),
        ("0.1", "0.10"),
        ("null", "{}"),
        (r#"{"a":null}"#, "{}"),
        (r#""\ud800""#, r#""\ud801""#),
        ("[1,2]", "[2,1]"),
        ("\"1\"", "1"),
    ] {
        assert_ne!(tree(a), tree(b), "{a} {b}");
    }
    let text = r#"{"a":[1.50,"x\n\"🌋\ud800\u0000",null,{"":{}}],"a":true}"#;
    assert_same(text, &write(&tree(text), false));
    assert_same(text, &write(&tree(text), true));
}
