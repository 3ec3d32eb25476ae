//! JSON of any shape, kept as it was written.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

use crate::wire::{self, Place, Shown, View, Wire};

/// A JSON value as its text: numbers keep their digits, and no nesting is too deep for it.
///
/// ```
/// use stromboli_messages::Json;
///
/// let json: Json = serde_json::from_str(r#"{"score": 7.10}"#)?;
/// assert_eq!(json.get(), r#"{"score": 7.10}"#);
/// assert_eq!(json.to_value()?["score"], 7.1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The text of the value.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The text, if the value is a string. Halves of surrogate pairs, which programs that cut text in the middle of a
    /// character write and Rust's strings cannot hold, become U+FFFD.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        wire::text(&self.0).or_else(|| wire::text_of_halves(&self.0).map(Cow::Owned))
    }

    /// The value as a type of the caller's, which may borrow from it.
    ///
    /// # Errors
    /// If the value does not fit the type.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(self.get())
    }

    /// The value as a tree.
    ///
    /// # Errors
    /// If it is nested deeper than serde_json goes (127 levels), or holds half of a surrogate pair or a number beyond
    /// the range of `f64`.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        self.get().parse()
    }

    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    pub(crate) fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        // A tree of values always has a text, so the other branch is never taken.
        RawValue::from_string(value.to_string()).map_or_else(|_| Self::null(), Self)
    }
}

/// Equal as values: the order of fields, escapes and white space do not count, the digits of numbers do.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        wire::same(&self.0, &other.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl Shown for Json {
    fn view(&self) -> View<'_> {
        View::Json(self)
    }
}

impl Wire for Json {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Json(slot)
    }
}
