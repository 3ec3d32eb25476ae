//! Numbers that keep the digits they were written with.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::wire::{Place, Shown, View, Wire, deserialize_by_wire};

/// A number as it was written: `0` stays apart from `0.0`, and no digit is lost.
///
/// ```
/// use stromboli_messages::Number;
///
/// let cost: Number = serde_json::from_str("0.0053100000000000005")?;
/// assert_eq!(cost.as_f64(), 0.0053100000000000005);
/// assert_eq!(cost.to_string(), "0.0053100000000000005");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Number(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// What none of the others would write the same.
    Text(Box<str>),
}

impl Number {
    /// The nearest `f64`; infinite where it is beyond the range.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            // The nearest value is what is promised.
            #[allow(clippy::cast_precision_loss)]
            Form::Unsigned(value) => *value as f64,
            #[allow(clippy::cast_precision_loss)]
            Form::Signed(value) => *value as f64,
            Form::Float(value) => *value,
            Form::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The value, if it is written as a whole number in the range of `u64`.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Form::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    /// Reads the text of a JSON value; `None` if it is not a number.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        if let Ok(value) = text.parse() {
            return Some(Self(Form::Unsigned(value)));
        }
        let form = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(value), _) if value != 0 => Form::Signed(value),
            (_, Ok(value)) if writes_as(value, text) => Form::Float(value),
            _ => Form::Text(text.into()),
        };
        Some(Self(form))
    }
}

/// Whether serde_json writes the value with exactly this text.
fn writes_as(value: f64, text: &str) -> bool {
    let mut buffer = [0; 40];
    let mut rest = buffer.as_mut_slice();
    let written = serde_json::to_writer(&mut rest, &value).is_ok();
    let left = rest.len();
    written && buffer.get(..buffer.len() - left) == Some(text.as_bytes())
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(Form::Unsigned(value))
    }
}

/// A value that is not finite is written as `null`, since JSON has no such number.
impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(Form::Float(value))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Unsigned(value) => value.fmt(f),
            Form::Signed(value) => value.fmt(f),
            Form::Float(value) => value.fmt(f),
            Form::Text(text) => f.pad(text),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Unsigned(value) => serializer.serialize_u64(*value),
            Form::Signed(value) => serializer.serialize_i64(*value),
            Form::Float(value) => serializer.serialize_f64(*value),
            Form::Text(text) => serde_json::from_str::<&RawValue>(text)
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

impl Shown for Number {
    fn view(&self) -> View<'_> {
        View::Number(self)
    }
}

impl Wire for Number {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Number(slot)
    }
}

deserialize_by_wire!(Number);
