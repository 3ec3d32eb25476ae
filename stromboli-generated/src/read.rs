//! The reader of all responses.
//!
//! What is being read stays where it is and is lent: a processor that loads in one piece what it has just stored in several
//! has to wait for the stores.

use std::{fmt, marker::PhantomData, mem};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::{RawValue, Value};

use stromboli_messages::Block;

use crate::place::{Answer, List, Place, Record, Slot};
use crate::types::{RunStreamEnd, SessionEntry, SessionInfo};

/// The implementation of `Deserialize` for a response's type, which can hold blocks of messages or not.
pub(crate) fn deserialize<'de, B: Blocks, T: Slot, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::blank();
    to::<B>(&mut value.place()).deserialize(deserializer)?;
    Ok(value)
}

/// Reads a body that holds no blocks. What reads JSON is compiled for this one function: if it were generic, it would be
/// there once more in each crate that awaits a call.
#[inline(never)]
fn read_body(json: &[u8], place: &mut Place<'_>) -> serde_json::Result<()> {
    let Ok(text) = simdutf8::basic::from_utf8(json) else {
        let error = serde_json::from_slice::<&RawValue>(json).err();
        return Err(error.unwrap_or_else(|| Error::custom("not UTF-8")));
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    to::<WithoutBlocks>(place).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Reads JSON of any kind. For the crate `stromboli`, which would have a reader of its own otherwise.
#[doc(hidden)]
pub fn json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

/// Reads the event that ends the output of a run; see [`json`].
#[doc(hidden)]
pub fn run_stream_end(text: &str) -> serde_json::Result<RunStreamEnd> {
    WithoutBlocks::body(text.as_bytes())
}

/// How blocks are read. There are two readers, so that a program which reads no messages does without all of their code.
pub(crate) trait Blocks {
    /// Reads the body of a response.
    fn body<T: Answer>(json: &[u8]) -> serde_json::Result<T>;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Block>, D::Error>;
}

/// For what can hold them.
pub(crate) struct WithBlocks;

impl Blocks for WithBlocks {
    fn body<T: Answer>(json: &[u8]) -> serde_json::Result<T> {
        stromboli_messages::from_slice(json)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Block>, D::Error> {
        Vec::deserialize(deserializer)
    }
}

/// For what holds none.
pub(crate) struct WithoutBlocks;

impl Blocks for WithoutBlocks {
    fn body<T: Answer>(json: &[u8]) -> serde_json::Result<T> {
        let mut value = T::blank();
        read_body(json, &mut value.place())?;
        Ok(value)
    }

    fn read<'de, D: Deserializer<'de>>(_: D) -> Result<Vec<Block>, D::Error> {
        Err(D::Error::custom("blocks where the contract has none"))
    }
}

/// Puts what it reads to a place.
struct To<'a, 'b, B>(&'a mut Place<'b>, PhantomData<B>);

fn to<'a, 'b, B>(place: &'a mut Place<'b>) -> To<'a, 'b, B> {
    To(place, PhantomData)
}

impl<'de, B: Blocks> DeserializeSeed<'de> for To<'_, '_, B> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            // Not `deserialize_str`: formats other than JSON lend short texts only.
            Place::Text(_) | Place::Parsed(_) => deserializer.deserialize_string(self),
            Place::Optional(_) | Place::OptionalText(_) => deserializer.deserialize_option(self),
            Place::Record(_) | Place::Texts(_) => deserializer.deserialize_map(self),
            Place::List(_) => deserializer.deserialize_seq(self),
            Place::Session(_) => deserializer.deserialize_any(self),
            _ => self.0.assign::<B, D>(deserializer),
        }
    }
}

impl Place<'_> {
    /// Reads what serde has a reader for.
    // Not inlined, so that the others need not save as many registers.
    #[inline(never)]
    fn assign<'de, B: Blocks, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Flag(slot) => **slot = bool::deserialize(deserializer)?,
            Self::Int32(slot) => **slot = i32::deserialize(deserializer)?,
            Self::Int64(slot) => **slot = i64::deserialize(deserializer)?,
            Self::Float(slot) => **slot = f64::deserialize(deserializer)?,
            Self::Json(slot) => **slot = Deserialize::deserialize(deserializer)?,
            Self::Blocks(slot) => **slot = B::read(deserializer)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'de, B: Blocks> Visitor<'de> for To<'_, '_, B> {
    type Value = ();

    /// In serde's words.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Place::Record(record) => record.label(),
            Place::Parsed(slot) => slot.expected(),
            Place::Session(_) => "a string or an object",
            Place::List(_) => "a sequence",
            Place::Texts(_) => "a map",
            Place::Optional(_) | Place::OptionalText(_) => "option",
            _ => "a string",
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.0 {
            Place::Text(slot) => **slot = text.to_owned(),
            Place::Parsed(slot) => slot.set(text).map_err(E::custom)?,
            Place::Session(slot) => **slot = SessionEntry::String(text.to_owned()),
            _ => return Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
        Ok(())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        match self.0 {
            Place::Text(slot) => {
                **slot = text;
                Ok(())
            }
            _ => self.visit_str(&text),
        }
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    /// An optional value is none before it is read.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.0 {
            Place::Optional(_) | Place::OptionalText(_) => Ok(()),
            _ => Err(E::invalid_type(Unexpected::Unit, &self)),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Place::Optional(slot) => to::<B>(&mut slot.begin()).deserialize(deserializer),
            Place::OptionalText(slot) => {
                deserializer.deserialize_string(to::<B>(&mut Place::Text(slot.insert(String::new()))))
            }
            _ => Err(D::Error::invalid_type(Unexpected::Option, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self.0 {
            Place::List(list) => {
                while seq.next_element_seed(Item::<B>(&mut **list, PhantomData))?.is_some() {}
                Ok(())
            }
            _ => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.0 {
            Place::Texts(texts) => {
                while let Some((name, text)) = map.next_entry()? {
                    texts.insert(name, text);
                }
                Ok(())
            }
            Place::Record(record) => read_record::<B, A>(&mut **record, map),
            Place::Session(slot) => {
                let mut info = SessionInfo::blank();
                read_record::<B, A>(&mut info, map)?;
                **slot = SessionEntry::SessionInfo(info);
                Ok(())
            }
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

/// One more item of a list.
struct Item<'a, B>(&'a mut dyn List, PhantomData<B>);

impl<'de, B: Blocks> DeserializeSeed<'de> for Item<'_, B> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.push() {
            Some(mut place) => to::<B>(&mut place).deserialize(deserializer),
            None => Ok(()),
        }
    }
}

fn read_record<'de, B: Blocks, A: MapAccess<'de>>(record: &mut dyn Record, mut map: A) -> Result<(), A::Error> {
    let mut reading = Reading {
        record,
        seen: 0,
        other: String::new(),
    };
    while let Some(field) = map.next_key_seed(&mut reading)? {
        let Some(field) = field else {
            let value = map.next_value()?;
            reading.record.extra().insert(mem::take(&mut reading.other), value);
            continue;
        };
        if let Some(place) = &mut reading.record.place_of(field) {
            map.next_value_seed(to::<B>(place))?;
        }
    }
    match reading.missing() {
        Some(name) => Err(A::Error::missing_field(name)),
        None => Ok(()),
    }
}

/// A record that is being read, and the seed for the name of its next field: gives the field's number.
struct Reading<'a> {
    record: &'a mut dyn Record,
    /// A bit for each field that was there.
    seen: u64,
    /// The name, if it is none that the contract has.
    other: String,
}

impl Reading<'_> {
    fn missing(&self) -> Option<&'static str> {
        let missing = self.record.required() & !self.seen;
        if missing == 0 {
            return None;
        }
        self.record.names().get(missing.trailing_zeros() as usize).copied()
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for &mut Reading<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        let field = self.record.field(name);
        match field {
            Some(field) if self.seen & 1 << field != 0 => {
                return Err(E::duplicate_field(self.record.names().get(field).unwrap_or(&"")));
            }
            Some(field) => self.seen |= 1 << field,
            None => self.other = name.to_owned(),
        }
        Ok(field)
    }
}

#[cfg(test)]
mod tests;
