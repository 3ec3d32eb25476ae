//! The strict way: fields are read as they come, and the first surprise is an error.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{List, MAX_DEPTH, Map, Named, Nulls, Place, Record, Shape, Wire, text};
use crate::{Block, Content, Number, Unknown};

/// Reads the whole text strictly.
pub(crate) fn strict<T: Wire>(text: &str) -> serde_json::Result<T> {
    let mut value = None;
    read_text(text, T::place(&mut value), 0)?;
    value.ok_or_else(missing)
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
pub(super) fn read_text(text: &str, place: Place<'_>, depth: usize) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    place.read(&mut deserializer, depth)?;
    deserializer.end()
}

impl Place<'_> {
    /// Reads a value strictly, inside of so many records: an error says only that it does not fit.
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D, depth: usize) -> Result<(), D::Error> {
        match self {
            Self::Text(slot) => *slot = Some(String::deserialize(deserializer)?),
            Self::Texts(slot) => *slot = Some(Vec::deserialize(deserializer)?),
            Self::Flag(slot) => *slot = Some(bool::deserialize(deserializer)?),
            Self::Unsigned(slot) => *slot = Some(u64::deserialize(deserializer)?),
            Self::Signed(slot) => *slot = Some(i64::deserialize(deserializer)?),
            Self::Json(slot) => *slot = Some(<&RawValue>::deserialize(deserializer)?.into()),
            Self::Number(slot) => {
                let number = Number::from_text(<&RawValue>::deserialize(deserializer)?.get());
                *slot = Some(number.ok_or_else(|| D::Error::custom("not a number"))?);
            }
            Self::Content(slot) => return deserializer.deserialize_any(Value { to: slot, depth }),
            Self::Name(to) => return deserializer.deserialize_str(Value { to, depth }),
            Self::List(to) => return deserializer.deserialize_seq(Value { to, depth }),
            Self::Map(to) => return deserializer.deserialize_map(Value { to, depth }),
            Self::Record(to) => {
                let to = Shape::Record(to.begin());
                return deserializer.deserialize_map(Value { to, depth });
            }
            Self::Tagged(to) => {
                let to = Shape::Tagged(to);
                return deserializer.deserialize_map(Value { to, depth });
            }
        }
        Ok(())
    }
}

/// Where serde asks for a visitor or a seed.
struct Value<T> {
    to: T,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Value<Place<'_>> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.to.read(deserializer, self.depth)
    }
}

impl Visitor<'_> for Value<&mut dyn Named> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.to.set(value);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Value<&mut Option<Content>> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of blocks")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.to = Some(Content::Text(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let mut blocks: Option<Vec<Block>> = None;
        let to: &mut dyn List = &mut blocks;
        Value { to, depth: self.depth }.visit_seq(seq)?;
        *self.to = blocks.map(Content::Blocks);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Value<&mut dyn List> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { to, depth } = self;
        let mut read = Ok(());
        to.fill(&mut |to| match seq.next_element_seed(Value { to, depth }) {
            Ok(item) => item.is_some(),
            Err(error) => {
                read = Err(error);
                false
            }
        });
        read
    }
}

impl<'de> Visitor<'de> for Value<&mut dyn Map> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { to: entries, depth } = self;
        let mut entry = |name: &mut String, to: Place<'_>| {
            let Some(key) = map.next_key()? else { return Ok(false) };
            *name = key;
            map.next_value_seed(Value { to, depth }).map(|()| true)
        };
        let mut read = Ok(());
        entries.fill(&mut |name, to| {
            entry(name, to).unwrap_or_else(|error| {
                read = Err(error);
                false
            })
        });
        read
    }
}

impl<'de> Visitor<'de> for Value<Shape<'_>> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        read_shape(self.to, Vec::new(), None, &mut map, self.depth)
    }
}

/// The fields that came before the one that says what an object is.
type Pending<'de> = Vec<(Cow<'de, str>, &'de RawValue)>;

/// Reads the rest of an object whose first fields were read already, to find out what it is; what said it is `tag`.
fn read_shape<'de, A: MapAccess<'de>>(
    shape: Shape<'_>,
    mut pending: Pending<'de>,
    tag: Option<(&str, &str)>,
    map: &mut A,
    depth: usize,
) -> Result<(), A::Error> {
    match shape {
        Shape::Record(record) => read_record(record, pending, map, depth),
        Shape::Tagged(tagged) => {
            let name = tagged.tag();
            let value = read_tag(name, &mut pending, map)?;
            let mut read = Ok(());
            tagged.choose(Some(&value), &mut |shape| {
                let pending = std::mem::take(&mut pending);
                read = read_shape(shape, pending, Some((name, &value)), map, depth);
                read.is_ok()
            });
            read
        }
        Shape::Unknown(slot) => {
            while let Some(name) = map.next_key_seed(Borrowed)? {
                if name == "type" {
                    return Err(A::Error::custom("another type, which counts"));
                }
                pending.push((name, map.next_value()?));
            }
            *slot = Some(Unknown::of_fields(tag, &pending).map_err(A::Error::custom)?);
            Ok(())
        }
        // The lenient way reads the whole line at once instead of putting its pieces together again.
        Shape::UnknownMessage(_) => Err(A::Error::custom("an unknown message")),
    }
}

/// Reads up to the field that says what the object is, and gives its text.
fn read_tag<'de, A: MapAccess<'de>>(
    tag: &str,
    pending: &mut Pending<'de>,
    map: &mut A,
) -> Result<Cow<'de, str>, A::Error> {
    // The type of a line stands before its subtype or after it.
    if let Some(at) = pending.iter().position(|(name, _)| name == tag) {
        let (_, raw) = pending.remove(at);
        return text(raw).ok_or_else(|| A::Error::custom("a type that is no text"));
    }
    while let Some(name) = map.next_key_seed(Borrowed)? {
        if name == tag {
            return map.next_value_seed(Borrowed);
        }
        pending.push((name, map.next_value()?));
    }
    Err(A::Error::custom("no type"))
}

fn read_record<'de, A: MapAccess<'de>>(
    record: &mut dyn Record,
    pending: Pending<'de>,
    map: &mut A,
    depth: usize,
) -> Result<(), A::Error> {
    if depth >= MAX_DEPTH {
        return Err(A::Error::custom("too deep"));
    }
    let depth = depth + 1;
    let tags = record.tags();
    let mut set = Nulls::default();
    for (name, raw) in pending {
        let to = Field::of(record, tags, &name);
        // The type of deserializer that the rest of the line is read with, so that the code exists once.
        let read = Value { to, depth }.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
        match read.map_err(A::Error::custom)? {
            Read::Field(field) => set.insert(field),
            other => keep(record, set, other)?,
        }
    }
    while let Some(to) = map.next_key_seed(FieldSeed(record, tags))? {
        match map.next_value_seed(Value { to, depth })? {
            Read::Field(field) => set.insert(field),
            other => keep(record, set, other)?,
        }
    }
    Ok(())
}

/// Takes what has no place; `set` are the fields that were read.
fn keep<E: Error>(record: &mut dyn Record, set: Nulls, read: Read<'_>) -> Result<(), E> {
    match read {
        Read::Null(field) if set.contains(field) => return Err(E::custom("a field that is there twice")),
        Read::Null(field) => record.nulls_mut().insert(field),
        Read::Field(_) | Read::Tag => {}
        Read::Extra(name, raw) => drop(record.extra_mut().insert(name, raw)),
    }
    Ok(())
}

/// A field of a record by its name, told apart without allocating for those that are known.
enum Field<'a> {
    Known(usize, Place<'a>),
    Tag(&'static str),
    Other(String),
}

/// Names and values.
type Tags = &'static [(&'static str, &'static str)];

impl<'a> Field<'a> {
    fn of(record: &'a mut dyn Record, tags: Tags, name: &str) -> Self {
        match record.place(name) {
            Some((field, place)) => Self::Known(field, place),
            None => match tags.iter().find(|(tag, _)| *tag == name) {
                Some((_, value)) => Self::Tag(value),
                None => Self::Other(name.to_owned()),
            },
        }
    }
}

struct FieldSeed<'a>(&'a mut dyn Record, Tags);

impl<'de, 'a> DeserializeSeed<'de> for FieldSeed<'a> {
    type Value = Field<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for FieldSeed<'a> {
    type Value = Field<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field<'a>, E> {
        Ok(Field::of(self.0, self.1, name))
    }
}

/// What became of a field's value.
enum Read<'de> {
    /// It is in its place.
    Field(usize),
    Null(usize),
    Tag,
    Extra(String, &'de RawValue),
}

impl<'de> DeserializeSeed<'de> for Value<Field<'_>> {
    type Value = Read<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        Ok(match self.to {
            Field::Known(field, to) => {
                let there = deserializer.deserialize_option(Nullable(Value { to, depth: self.depth }))?;
                if there { Read::Field(field) } else { Read::Null(field) }
            }
            Field::Tag(tag) => {
                if Borrowed.deserialize(deserializer)? != tag {
                    return Err(D::Error::custom("another type"));
                }
                Read::Tag
            }
            Field::Other(name) => Read::Extra(name, <&RawValue>::deserialize(deserializer)?),
        })
    }
}

/// Whether there was a value to read.
struct Nullable<'a>(Value<Place<'a>>);

impl<'de> Visitor<'de> for Nullable<'_> {
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

/// Reads a string, borrowed where nothing in it is escaped.
struct Borrowed;

impl<'de> DeserializeSeed<'de> for Borrowed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Borrowed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}
