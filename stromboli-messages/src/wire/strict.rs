//! The strict way: fields are read as they come, and the first surprise is an error.
//!
//! What has just been written is lent and never moved: a processor that loads in one piece what it has stored in several
//! has to wait for the stores, which took a fifth of the time of a line.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{List, MAX_DEPTH, Nulls, Owner, Place, Record, Shape, Tagged, Wire, Written};
use crate::{Block, Content, Extra, Number, Unknown};

/// Reads the whole text strictly.
pub(crate) fn strict<T: Wire>(text: &str) -> serde_json::Result<T> {
    let mut read = Ok(());
    let value = Option::filled(
        &mut |slot| {
            read = read_text(text, slot.place(), 0);
            read.is_ok()
        },
        &mut |_| (),
    );
    match value {
        Some(value) => Ok(value),
        None => Err(read.err().unwrap_or_else(missing)),
    }
}

/// Reads what a deserializer has strictly.
pub(super) fn read<'de, T: Wire, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = None;
    T::place(&mut value).read(deserializer, 0)?;
    value.ok_or_else(missing)
}

/// What has been read is there, so this is never seen.
fn missing<E: Error>() -> E {
    E::custom("nothing was read")
}

/// The whole text to its place.
// Not inlined: it is a lot of code.
#[inline(never)]
pub(super) fn read_text(text: &str, mut place: Place<'_>, depth: usize) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    place.read(&mut deserializer, depth)?;
    deserializer.end()
}

impl Place<'_> {
    /// Reads a value strictly, inside of so many records: an error says only that it does not fit.
    fn read<'de, D: Deserializer<'de>>(&mut self, deserializer: D, depth: usize) -> Result<(), D::Error> {
        match self {
            Self::Texts(slot) => **slot = Some(Vec::deserialize(deserializer)?),
            Self::Flag(slot) => **slot = Some(bool::deserialize(deserializer)?),
            Self::Unsigned(slot) => **slot = Some(u64::deserialize(deserializer)?),
            Self::Signed(slot) => **slot = Some(i64::deserialize(deserializer)?),
            Self::Json(slot) => **slot = Some(<&RawValue>::deserialize(deserializer)?.into()),
            Self::Number(slot) => {
                let number = Number::from_text(<&RawValue>::deserialize(deserializer)?.get());
                **slot = Some(number.ok_or_else(misfit)?);
            }
            Self::Text(_) | Self::Name(_) => return deserializer.deserialize_str(Value { to: self, depth }),
            Self::Content(_) => return deserializer.deserialize_any(Value { to: self, depth }),
            Self::List(_) => return deserializer.deserialize_seq(Value { to: self, depth }),
            Self::Map(_) | Self::Record(_) | Self::Tagged(_) => {
                return deserializer.deserialize_map(Value { to: self, depth });
            }
        }
        Ok(())
    }
}

fn misfit<E: Error>() -> E {
    E::custom("a value that does not fit")
}

/// Where serde asks for a visitor or a seed.
struct Value<'a, 'b> {
    to: &'a mut Place<'b>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.to.read(deserializer, self.depth)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what fits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.to {
            Place::Text(slot) => **slot = Some(text.to_owned()),
            Place::Name(to) => to.set(text),
            Place::Content(slot) => **slot = Some(Content::Text(text.to_owned())),
            _ => return Err(misfit()),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        match self.to {
            Place::List(to) => read_list(&mut **to, seq, self.depth),
            Place::Content(slot) => {
                let mut blocks: Option<Vec<Block>> = None;
                read_list(&mut blocks, seq, self.depth)?;
                **slot = blocks.map(Content::Blocks);
                Ok(())
            }
            _ => Err(misfit()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.to {
            Place::Record(to) => Reading::new(to.begin(), self.depth)?.read(&[], &mut map),
            Place::Tagged(to) => read_tagged(&mut **to, &mut Vec::new(), &mut map, self.depth),
            Place::Map(to) => {
                let mut entry = |name: &mut String, mut to: Place<'_>| {
                    let Some(key) = map.next_key()? else { return Ok(false) };
                    *name = key;
                    map.next_value_seed(Value {
                        to: &mut to,
                        depth: self.depth,
                    })
                    .map(|()| true)
                };
                let mut read = Ok(());
                to.fill(&mut |name, to| entry(name, to).unwrap_or_else(|error| failed(&mut read, error)));
                read
            }
            _ => Err(misfit()),
        }
    }
}

/// Ends a list or a map.
fn failed<E>(read: &mut Result<(), E>, error: E) -> bool {
    *read = Err(error);
    false
}

fn read_list<'de, A: SeqAccess<'de>>(list: &mut dyn List, mut seq: A, depth: usize) -> Result<(), A::Error> {
    let mut read = Ok(());
    list.fill(
        &mut |mut to| match seq.next_element_seed(Value { to: &mut to, depth }) {
            Ok(item) => item.is_some(),
            Err(error) => failed(&mut read, error),
        },
    );
    read
}

/// The fields that came before the one that says what an object is.
///
/// A name with an escape in it cannot be lent, and is for the lenient way, as is such a type.
type Pending<'de> = Vec<(&'de str, &'de RawValue)>;

/// Reads the rest of an object whose first fields were read already, to find out what it is.
fn read_tagged<'de, A: MapAccess<'de>>(
    tagged: &mut dyn Tagged,
    pending: &mut Pending<'de>,
    map: &mut A,
    depth: usize,
) -> Result<(), A::Error> {
    let name = tagged.tag();
    let value = read_tag(name, pending, map)?;
    match tagged.choose(Some(value)) {
        Shape::Record(record) => Reading::new(record, depth)?.read(pending, map),
        Shape::Tagged(tagged) => read_tagged(tagged, pending, map, depth),
        Shape::Unknown(unknown) => read_unknown(unknown, (name, value), pending, map),
        // The lenient way reads the whole line at once instead of putting its pieces together again.
        Shape::UnknownMessage(_) => Err(misfit()),
    }
}

fn read_unknown<'de, A: MapAccess<'de>>(
    unknown: &mut Unknown,
    tag: (&str, &str),
    pending: &mut Pending<'de>,
    map: &mut A,
) -> Result<(), A::Error> {
    while let Some(name) = map.next_key()? {
        if name == tag.0 {
            return Err(A::Error::custom("another type, which counts"));
        }
        pending.push((name, map.next_value()?));
    }
    *unknown = Unknown::of_fields(tag, pending).map_err(A::Error::custom)?;
    Ok(())
}

/// Reads up to the field that says what the object is, and gives its text.
fn read_tag<'de, A: MapAccess<'de>>(tag: &str, pending: &mut Pending<'de>, map: &mut A) -> Result<&'de str, A::Error> {
    // The type of a line stands before its subtype or after it.
    if let Some(at) = pending.iter().position(|(name, _)| *name == tag) {
        let (_, raw) = pending.remove(at);
        return serde_json::from_str(raw.get()).map_err(A::Error::custom);
    }
    while let Some(name) = map.next_key()? {
        if name == tag {
            return map.next_value();
        }
        pending.push((name, map.next_value()?));
    }
    Err(A::Error::custom("no type"))
}

/// A record that is being read, and the seed for each of its values.
struct Reading<'a, 'de> {
    record: &'a mut dyn Record,
    /// The fields that were read.
    set: Nulls,
    /// The field that is read.
    name: &'de str,
    /// The fields that the record does not have.
    rest: Written<'de>,
    depth: usize,
}

impl<'a, 'de> Reading<'a, 'de> {
    fn new<E: Error>(record: &'a mut dyn Record, depth: usize) -> Result<Self, E> {
        if depth >= MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self {
            record,
            set: Nulls::default(),
            name: "",
            rest: Written::default(),
            depth: depth + 1,
        })
    }

    fn read<A: MapAccess<'de>>(&mut self, pending: &[(&'de str, &'de RawValue)], map: &mut A) -> Result<(), A::Error> {
        for (name, raw) in pending {
            self.name = name;
            // The type of deserializer that the rest of the line is read with, so that the code exists once.
            let read = self.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
            read.map_err(A::Error::custom)?;
        }
        while let Some(name) = map.next_key()? {
            self.name = name;
            map.next_value_seed(&mut *self)?;
        }
        if !self.rest.is_empty() {
            *self.record.extra_mut() = Extra::of_fields(std::mem::take(&mut self.rest));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let Some((field, to)) = &mut self.record.place(self.name) {
            let (field, depth) = (*field, self.depth);
            let there = deserializer.deserialize_option(Nullable(Value { to, depth }))?;
            if there {
                self.set.insert(field);
            } else if self.set.contains(field) {
                return Err(D::Error::custom("a field that is there twice"));
            } else {
                self.record.nulls_mut().insert(field);
            }
        } else if let Some((_, value)) = self.record.layout().tags.iter().find(|(tag, _)| *tag == self.name) {
            if <&str>::deserialize(deserializer)? != *value {
                return Err(D::Error::custom("another type"));
            }
        } else {
            let raw = <&RawValue>::deserialize(deserializer)?;
            self.rest.push(Cow::Borrowed(self.name), raw);
        }
        Ok(())
    }
}

/// Whether there was a value to read.
struct Nullable<'a, 'b>(Value<'a, 'b>);

impl<'de> Visitor<'de> for Nullable<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null or a value")
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        self.0.deserialize(deserializer).map(|()| true)
    }
}
