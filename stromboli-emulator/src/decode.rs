//! Request bodies read as Go's `encoding/json` reads them into structs: what is accepted, and the texts of what is not.

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

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
/// Go's text for what is wrong.
pub(crate) fn decode(body: &[u8], record: &Record) -> Result<Map<String, Value>, String> {
    // Go replaces invalid UTF-8 in strings; elsewhere it stays a syntax error in both.
    let text = String::from_utf8_lossy(body);
    let mut reader = serde_json::Deserializer::from_str(&text);
    match Value::deserialize(&mut reader) {
        Ok(Value::Null) => Ok(Map::new()),
        Ok(Value::Object(object)) => fields(object, record, ""),
        Ok(other) => Err(format!(
            "json: cannot unmarshal {} into Go value of type {}",
            shape(&other),
            record.go_type()
        )),
        Err(error) if error.classify() != Category::Eof => Err(syntax_error(&text, &error)),
        Err(_) if text.trim_ascii().is_empty() => Err("EOF".to_owned()),
        Err(_) => Err("unexpected EOF".to_owned()),
    }
}

fn fields(object: Map<String, Value>, record: &Record, path: &str) -> Result<Map<String, Value>, String> {
    let mut known = Map::new();
    for (key, value) in object {
        let exact = record.fields.iter().find(|(name, _)| *name == key);
        // Go matches names without regard to case when none is the same.
        let folded = || record.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key));
        let Some((name, kind)) = exact.or_else(folded) else {
            continue;
        };
        let path = if path.is_empty() {
            (*name).to_owned()
        } else {
            format!("{path}.{name}")
        };
        let wrong = |what: &str, go_type: &str| {
            let place = format!("{}.{path}", record.name);
            format!("json: cannot unmarshal {what} into Go struct field {place} of type {go_type}")
        };
        let value = match (kind, value) {
            (_, Value::Null) => continue,
            (Kind::Text, value @ Value::String(_)) | (Kind::Flag, value @ Value::Bool(_)) => value,
            (Kind::Float, value @ Value::Number(_)) => value,
            (Kind::Int, Value::Number(number)) if number.is_i64() => Value::Number(number),
            (Kind::Int, Value::Number(number)) => {
                return Err(wrong(&format!("number {number}"), "int"));
            }
            (Kind::AnyMap, value @ Value::Object(_)) => value,
            (Kind::Record(inner), Value::Object(object)) => Value::Object(fields(object, inner, &path)?),
            (Kind::TextList, Value::Array(items)) => {
                let items = items.into_iter().map(|item| text(item, wrong));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            (Kind::TextMap, Value::Object(entries)) => {
                let entries = entries.into_iter().map(|(k, v)| Ok((k, text(v, wrong)?)));
                Value::Object(entries.collect::<Result<_, String>>()?)
            }
            (kind, other) => return Err(wrong(shape(&other), &kind.go_type())),
        };
        known.insert((*name).to_owned(), value);
    }
    Ok(known)
}

/// An element of a list or map of strings; `null` leaves Go's empty string.
fn text(value: Value, wrong: impl Fn(&str, &str) -> String) -> Result<Value, String> {
    match value {
        Value::Null => Ok(Value::from("")),
        Value::String(_) => Ok(value),
        other => Err(wrong(shape(&other), "string")),
    }
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Go names the character and what it was looking for; we know the character only, and say the commonest of its texts.
fn syntax_error(text: &str, error: &serde_json::Error) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1));
    let at = error.column().saturating_sub(1);
    let found = line.and_then(|line| line.as_bytes().get(at)).copied();
    let found = found.map_or('\n', char::from).escape_default();
    format!("invalid character '{found}' looking for beginning of value")
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
        decode(body.as_bytes(), &OUTER).map(Value::Object)
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
    fn invalid_utf8_in_a_string_is_replaced() {
        let read = decode(b"{\"text\":\"a\xff\"}", &OUTER).unwrap();
        assert_eq!(Value::Object(read), json!({"text": "a\u{fffd}"}));
    }

    #[test]
    fn what_does_not_fit_is_named_as_go_names_it() {
        let cases = [
            ("", "EOF"),
            (" \n", "EOF"),
            ("{\"text\":", "unexpected EOF"),
            ("x", "invalid character 'x' looking for beginning of value"),
            (
                "{\n\"text\": ?}",
                "invalid character '?' looking for beginning of value",
            ),
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
