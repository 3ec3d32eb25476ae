//! Request bodies read as Go's `encoding/json` reads them into structs: what is accepted, and the texts of what is not.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fields::Fields;
use crate::syntax;

/// How deep the values of an `AnyMap` may be nested; Go's limit is that of the syntax.
const MAX_DEPTH: usize = 100;

/// A Go struct: its name, its package's, and its fields by their JSON names.
pub(crate) struct Record {
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [(&'static str, Kind)],
}

/// The type of a field.
pub(crate) enum Kind {
    Text,
    Flag,
    Int,
    Float,
    TextList,
    TextMap,
    AnyMap,
    Record(&'static Record),
}

impl Kind {
    fn go_type(&self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Flag => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Float => "float64".to_owned(),
            Self::TextList => "[]string".to_owned(),
            Self::TextMap => "map[string]string".to_owned(),
            Self::AnyMap => "map[string]interface {}".to_owned(),
            Self::Record(record) => record.go_type(),
        }
    }
}

impl Record {
    fn go_type(&self) -> String {
        format!("{}.{}", self.package, self.name)
    }
}

/// The fields of `record` that `body` sets, by their own names; `null` counts as not set, other fields are dropped.
/// Only the first JSON value of the body is read.
///
/// # Errors
/// Go's text for what is wrong: the first syntax error, else the first field that does not fit.
pub(crate) fn decode(body: &[u8], record: &Record) -> Result<Fields, String> {
    let value = valid_utf8(syntax::check(body)?);
    match shape(&value) {
        "null" => Ok(Fields::default()),
        "object" => fields(&value, record, ""),
        other => Err(format!(
            "json: cannot unmarshal {other} into Go value of type {}",
            record.go_type()
        )),
    }
}

/// Checks that fields are there and not empty; each comes with what Go calls it.
///
/// # Errors
/// The validator's text, a line for each field that is missing.
pub(crate) fn require(fields: &Fields, record: &Record, required: &[(&str, &str)]) -> Result<(), String> {
    let is_empty = |name: &str| fields.text(name).is_empty();
    let missing = required.iter().filter(|(name, _)| is_empty(name));
    let lines = missing.map(|(_, go_name)| {
        let rule = format!("Field validation for '{go_name}' failed on the 'required' tag");
        format!("Key: '{}.{go_name}' Error:{rule}", record.name)
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(lines.join("\n"))
    }
}

/// The fields of an object that lies at `path`.
fn fields(object: &str, record: &Record, path: &str) -> Result<Fields, String> {
    let mut known = Fields::default();
    for (key, value) in read::<Entries>(object)?.0 {
        let value = value.get();
        let exact = record.fields.iter().find(|(name, _)| *name == key);
        // Go matches names without regard to case when none is the same.
        let folded = || record.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key));
        let Some((name, kind)) = exact.or_else(folded) else {
            continue;
        };
        let path = || match path {
            "" => (*name).to_owned(),
            path => format!("{path}.{name}"),
        };
        let wrong = |what: &str, go_type: &str| {
            let place = format!("{}.{}", record.name, path());
            format!("json: cannot unmarshal {what} into Go struct field {place} of type {go_type}")
        };
        let wrong_number = || wrong(&format!("number {value}"), &kind.go_type());
        let value = match (kind, shape(value)) {
            (_, "null") => continue,
            (Kind::Text, "string") => text(value, wrong)?,
            (Kind::Flag, "bool") => read(value)?,
            (Kind::Float, "number") => Value::Number(read(value).map_err(|_| wrong_number())?),
            (Kind::Int, "number") => Value::from(value.parse::<i64>().map_err(|_| wrong_number())?),
            (Kind::AnyMap, "object") => any(value, MAX_DEPTH, &wrong)?,
            (Kind::Record(inner), "object") => fields(value, inner, &path())?.into(),
            (Kind::TextList, "array") => {
                let items = read::<Vec<&RawValue>>(value)?.into_iter();
                Value::Array(items.map(|item| text(item.get(), wrong)).collect::<Result<_, _>>()?)
            }
            (Kind::TextMap, "object") => {
                let entries = read::<Entries>(value)?.0.into_iter();
                let entries = entries.map(|(key, item)| Ok((key.into_owned(), text(item.get(), wrong)?)));
                Value::Object(entries.collect::<Result<_, String>>()?)
            }
            (kind, other) => return Err(wrong(other, &kind.go_type())),
        };
        known.set(name, value);
    }
    Ok(known)
}

/// A string, or an element of a list or map of them, where `null` leaves Go's empty string.
fn text(value: &str, wrong: impl Fn(&str, &str) -> String) -> Result<Value, String> {
    match shape(value) {
        "null" => Ok(Value::from("")),
        "string" => Ok(Value::String(read::<Text>(value)?.0.into_owned())),
        other => Err(wrong(other, "string")),
    }
}

/// A value of any type, at most `depth` levels of it.
fn any(value: &str, depth: usize, wrong: &impl Fn(&str, &str) -> String) -> Result<Value, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err("the emulator does not read values nested so deep".to_owned());
    };
    Ok(match shape(value) {
        "object" => {
            let entries = read::<Entries>(value)?.0.into_iter();
            let entries = entries.map(|(key, item)| Ok((key.into_owned(), any(item.get(), depth, wrong)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        "array" => {
            let items = read::<Vec<&RawValue>>(value)?.into_iter();
            Value::Array(
                items
                    .map(|item| any(item.get(), depth, wrong))
                    .collect::<Result<_, _>>()?,
            )
        }
        "string" => text(value, wrong)?,
        "number" => Value::Number(read(value).map_err(|_| wrong(&format!("number {value}"), "float64"))?),
        _ => read(value)?,
    })
}

/// What Go calls a value of that type; its first byte tells, since the syntax was checked.
fn shape(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "bool",
        Some(b'"') => "string",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ => "number",
    }
}

/// One level of a value whose type is known.
fn read<'a, T: Deserialize<'a>>(value: &'a str) -> Result<T, String> {
    serde_json::from_str(value).map_err(|error| error.to_string())
}

/// Go puts one replacement character in the place of each byte that is not UTF-8.
fn valid_utf8(body: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let chunks = body.utf8_chunks();
            let replaced = chunks.map(|chunk| chunk.valid().to_owned() + &"\u{fffd}".repeat(chunk.invalid().len()));
            Cow::Owned(replaced.collect())
        }
    }
}

/// The members of an object in their order, each name as often as it is there.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A string, in which Go replaces the escapes of lone surrogates.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lossy;
        impl<'de> Visitor<'de> for Lossy {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            /// Without escapes.
            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                str::from_utf8(bytes)
                    .map(|text| Text(Cow::Borrowed(text)))
                    .map_err(E::custom)
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                let mut text = String::new();
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    // A surrogate comes as three bytes of which this is the first.
                    if chunk.invalid() == [0xed] {
                        text.push('\u{fffd}');
                    }
                }
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_bytes(Lossy)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INNER: Record = Record {
        package: "types",
        name: "Inner",
        fields: &[("flag", Kind::Flag), ("list", Kind::TextList), ("map", Kind::TextMap)],
    };
    const OUTER: Record = Record {
        package: "api",
        name: "Outer",
        fields: &[
            ("text", Kind::Text),
            ("int", Kind::Int),
            ("float", Kind::Float),
            ("any", Kind::AnyMap),
            ("inner", Kind::Record(&INNER)),
        ],
    };

    fn read(body: &str) -> Result<Value, String> {
        decode(body.as_bytes(), &OUTER).map(Value::from)
    }

    #[test]
    fn known_fields_are_kept_and_nulls_and_strangers_dropped() {
        let body = r#"{"text":"a","int":-3,"float":1,"any":{"x":[1]},"inner":{"flag":true,"map":{"k":"v"}},
            "other":1,"list":[]}"#;
        let kept = json!({"text":"a","int":-3,"float":1,"any":{"x":[1]},"inner":{"flag":true,"map":{"k":"v"}}});
        assert_eq!(read(body).unwrap(), kept);
        assert_eq!(read(r#"{"text":null,"inner":null}"#).unwrap(), json!({}));
        assert_eq!(read("null").unwrap(), json!({}));
    }

    #[test]
    fn names_match_without_regard_to_case() {
        assert_eq!(read(r#"{"TEXT":"a"}"#).unwrap(), json!({"text": "a"}));
    }

    #[test]
    fn only_the_first_value_of_a_body_counts() {
        assert_eq!(read(r#"{"text":"a"} trailing }{"#).unwrap(), json!({"text": "a"}));
    }

    #[test]
    fn what_is_not_unicode_in_a_string_is_replaced() {
        let read = |body: &[u8]| decode(body, &OUTER).map(Value::from).unwrap();
        let invalid = read(b"{\"text\":\"a\xe2\x82\"}");
        assert_eq!(invalid, json!({"text": "a\u{fffd}\u{fffd}"}));
        let lone = read(br#"{"text":"\ud800\u0041\udc00","any":{"\udfff":"\ud83d\ude00"}}"#);
        assert_eq!(
            lone,
            json!({"text": "\u{fffd}A\u{fffd}", "any": {"\u{fffd}": "\u{1f600}"}})
        );
    }

    #[test]
    fn a_stranger_may_hold_whatever_is_json() {
        let deep = "[".repeat(9000) + &"]".repeat(9000);
        let body = format!(r#"{{"deep":{deep},"big":1e999,"text":"a"}}"#);
        assert_eq!(read(&body).unwrap(), json!({"text": "a"}));
    }

    #[test]
    fn the_first_field_that_does_not_fit_is_named() {
        let error = read(r#"{"text":1,"int":"a","float":true}"#).unwrap_err();
        assert!(error.contains("Outer.text"), "{error}");
        let error = read(r#"{"int":"a","text":1}"#).unwrap_err();
        assert!(error.contains("Outer.int"), "{error}");
        // A syntax error comes before both.
        assert_eq!(read(r#"{"int":"a""#).unwrap_err(), "unexpected EOF");
    }

    #[test]
    fn an_any_map_holds_many_levels_but_not_more() {
        let nested = |levels: usize| format!(r#"{{"any":{}{}}}"#, r#"{"a":"#.repeat(levels) + "1", "}".repeat(levels));
        assert!(read(&nested(99)).is_ok());
        let error = read(&nested(100)).unwrap_err();
        assert_eq!(error, "the emulator does not read values nested so deep");
    }

    #[test]
    fn what_does_not_fit_is_named_as_go_names_it() {
        let cases = [
            ("", "EOF"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("[]", "json: cannot unmarshal array into Go value of type api.Outer"),
            ("\"a\"", "json: cannot unmarshal string into Go value of type api.Outer"),
        ];
        for (body, text) in cases {
            assert_eq!(read(body).unwrap_err(), text, "{body}");
        }
        let fields = [
            (r#"{"text":1}"#, "number", "Outer.text", "string"),
            (r#"{"int":"1"}"#, "string", "Outer.int", "int"),
            (r#"{"int":1.5}"#, "number 1.5", "Outer.int", "int"),
            (r#"{"int":1e3}"#, "number 1e3", "Outer.int", "int"),
            (
                r#"{"int":100000000000000000000}"#,
                "number 100000000000000000000",
                "Outer.int",
                "int",
            ),
            (r#"{"float":1e999}"#, "number 1e999", "Outer.float", "float64"),
            (r#"{"any":{"a":[-1e999]}}"#, "number -1e999", "Outer.any", "float64"),
            (r#"{"float":true}"#, "bool", "Outer.float", "float64"),
            (r#"{"any":[]}"#, "array", "Outer.any", "map[string]interface {}"),
            (r#"{"inner":"x"}"#, "string", "Outer.inner", "types.Inner"),
            (r#"{"inner":{"flag":"x"}}"#, "string", "Inner.inner.flag", "bool"),
            (r#"{"inner":{"list":"x"}}"#, "string", "Inner.inner.list", "[]string"),
            (r#"{"inner":{"list":["a",{}]}}"#, "object", "Inner.inner.list", "string"),
            (r#"{"inner":{"map":{"a":2}}}"#, "number", "Inner.inner.map", "string"),
        ];
        for (body, what, field, go_type) in fields {
            let text = format!("json: cannot unmarshal {what} into Go struct field {field} of type {go_type}");
            assert_eq!(read(body).unwrap_err(), text, "{body}");
        }
    }
}
