//! How a record is read: strictly as its fields come, or leniently one field at a time.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MAX_DEPTH, Pending, Variant, Wire, fields, object};
use crate::Extra;

/// What [`record!`] implements: access to the fields by their slot.
pub(crate) trait Record: Default {
    /// The fields with a fixed value that tell this record from its siblings, `type` and `subtype`.
    const TAGS: &'static [(&'static str, &'static str)];

    /// One of the typed fields.
    type Slot: Copy;

    fn slot(name: &str) -> Option<Self::Slot>;
    fn read_slot<'de, D: Deserializer<'de>>(&mut self, slot: Self::Slot, deserializer: D) -> Result<(), D::Error>;
    /// Sets a field leniently; `false` when the value does not fit.
    fn recover_slot(&mut self, slot: Self::Slot, raw: &RawValue, depth: usize) -> bool;
    fn extra_mut(&mut self) -> &mut Extra;
}

/// A record that is small to move.
impl<R: Record> Record for Box<R> {
    const TAGS: &'static [(&'static str, &'static str)] = R::TAGS;
    type Slot = R::Slot;

    fn slot(name: &str) -> Option<Self::Slot> {
        R::slot(name)
    }

    fn read_slot<'de, D: Deserializer<'de>>(&mut self, slot: Self::Slot, deserializer: D) -> Result<(), D::Error> {
        R::read_slot(self, slot, deserializer)
    }

    fn recover_slot(&mut self, slot: Self::Slot, raw: &RawValue, depth: usize) -> bool {
        R::recover_slot(self, slot, raw, depth)
    }

    fn extra_mut(&mut self) -> &mut Extra {
        R::extra_mut(self)
    }
}

/// Which fields of a record were `null`, so that they are written as `null` again: a bit for each slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Nulls(u64);

impl Nulls {
    pub(crate) const CAPACITY: usize = 64;

    pub(crate) fn insert(&mut self, slot: usize) {
        self.0 |= 1 << slot;
    }

    pub(crate) fn contains(self, slot: usize) -> bool {
        self.0 & (1 << slot) != 0
    }
}

/// Reads a field strictly: `null` is remembered and reads as `None`.
pub(crate) fn read_field<'de, T: Wire, D: Deserializer<'de>>(
    field: &mut Option<T>,
    nulls: &mut Nulls,
    slot: usize,
    deserializer: D,
) -> Result<(), D::Error> {
    struct Nullable<T>(PhantomData<T>);

    impl<'de, T: Wire> Visitor<'de> for Nullable<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("null or a value")
        }

        fn visit_none<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
            T::read(deserializer).map(Some)
        }
    }

    *field = deserializer.deserialize_option(Nullable(PhantomData))?;
    if field.is_none() {
        nulls.insert(slot);
    }
    Ok(())
}

/// Reads a field leniently; `false` when the value does not fit.
pub(crate) fn recover_field<T: Wire>(
    field: &mut Option<T>,
    nulls: &mut Nulls,
    slot: usize,
    raw: &RawValue,
    depth: usize,
) -> bool {
    if raw.get() == "null" {
        nulls.insert(slot);
        return true;
    }
    *field = T::recover(raw, depth);
    field.is_some()
}

/// The name of a field, told apart without allocating for those that are known.
enum Name<S> {
    Slot(S),
    Tag(&'static str),
    Other(String),
}

impl<S> Name<S> {
    fn of<R: Record<Slot = S>>(name: &str) -> Self {
        match (R::slot(name), R::TAGS.iter().find(|(tag, _)| *tag == name)) {
            (Some(slot), _) => Self::Slot(slot),
            (None, Some((_, value))) => Self::Tag(value),
            (None, None) => Self::Other(name.to_owned()),
        }
    }
}

struct NameSeed<R>(PhantomData<R>);

impl<'de, R: Record> DeserializeSeed<'de> for NameSeed<R> {
    type Value = Name<R::Slot>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<R: Record> Visitor<'_> for NameSeed<R> {
    type Value = Name<R::Slot>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Name::of::<R>(name))
    }
}

/// Reads the value of a field whose name is known.
struct ValueSeed<'a, R: Record> {
    record: &'a mut R,
    name: Name<R::Slot>,
}

impl<'de, R: Record> DeserializeSeed<'de> for ValueSeed<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.name {
            Name::Slot(slot) => self.record.read_slot(slot, deserializer),
            Name::Tag(tag) => match object::text(<&RawValue>::deserialize(deserializer)?) {
                Some(value) if value == tag => Ok(()),
                _ => Err(D::Error::custom("another type")),
            },
            Name::Other(name) => {
                let raw = <&RawValue>::deserialize(deserializer)?;
                self.record.extra_mut().insert(name, raw);
                Ok(())
            }
        }
    }
}

impl<R: Record> Variant for R {
    fn read_rest<'de, A: MapAccess<'de>>(pending: Pending<'de>, mut map: A) -> Result<Self, A::Error> {
        let mut record = R::default();
        for (name, raw) in pending {
            let seed = ValueSeed {
                name: Name::of::<R>(&name),
                record: &mut record,
            };
            // The type of deserializer that the rest of the line is read with, so that the code exists once.
            let read = seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
            read.map_err(A::Error::custom)?;
        }
        while let Some(name) = map.next_key_seed(NameSeed::<R>(PhantomData))? {
            map.next_value_seed(ValueSeed {
                record: &mut record,
                name,
            })?;
        }
        Ok(record)
    }

    fn recover_object(raw: &RawValue, depth: usize) -> Option<Self> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut record = R::default();
        for (name, value) in fields(raw)? {
            match Name::of::<R>(&name) {
                Name::Slot(slot) => {
                    if !record.recover_slot(slot, value, depth + 1) {
                        record.extra_mut().insert(name, value);
                    }
                }
                Name::Tag(tag) => {
                    if object::text(value) != Some(Cow::Borrowed(tag)) {
                        return None;
                    }
                }
                Name::Other(name) => drop(record.extra_mut().insert(name, value)),
            }
        }
        Some(record)
    }
}
