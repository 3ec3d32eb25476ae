//! How a record is read: strictly as its fields come, or leniently one field at a time.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MAX_DEPTH, Object, Pending, Variant, Wire, text};
use crate::Extra;

/// What [`record!`] implements: access to the fields by their slot, and leniently by name.
pub(crate) trait Record: Default + Lenient {
    /// The fields with a fixed value that tell this record from its siblings, `type` and `subtype`.
    const TAGS: &'static [(&'static str, &'static str)];

    /// One of the typed fields.
    type Slot: Copy;

    fn slot(name: &str) -> Option<Self::Slot>;
    fn read_slot<'de, D: Deserializer<'de>>(
        &mut self,
        slot: Self::Slot,
        deserializer: D,
        depth: usize,
    ) -> Result<(), D::Error>;
}

/// The part of it that is the same for all records, so that the code of the lenient way exists once.
pub(crate) trait Lenient {
    fn tags(&self) -> &'static [(&'static str, &'static str)];
    /// Sets a field if the value fits; `None` when there is no such field.
    fn recover_named(&mut self, name: &str, raw: &RawValue, depth: usize) -> Option<bool>;
    fn extra_mut(&mut self) -> &mut Extra;
}

/// A record that is small to move.
impl<R: Record> Record for Box<R> {
    const TAGS: &'static [(&'static str, &'static str)] = R::TAGS;
    type Slot = R::Slot;

    fn slot(name: &str) -> Option<Self::Slot> {
        R::slot(name)
    }

    fn read_slot<'de, D: Deserializer<'de>>(
        &mut self,
        slot: Self::Slot,
        deserializer: D,
        depth: usize,
    ) -> Result<(), D::Error> {
        R::read_slot(self, slot, deserializer, depth)
    }
}

impl<R: Lenient> Lenient for Box<R> {
    fn tags(&self) -> &'static [(&'static str, &'static str)] {
        R::tags(self)
    }

    fn recover_named(&mut self, name: &str, raw: &RawValue, depth: usize) -> Option<bool> {
        R::recover_named(self, name, raw, depth)
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
    depth: usize,
) -> Result<(), D::Error> {
    struct Nullable<T>(usize, PhantomData<T>);

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
            T::read(deserializer, self.0).map(Some)
        }
    }

    *field = deserializer.deserialize_option(Nullable(depth, PhantomData))?;
    if field.is_none() {
        nulls.insert(slot);
    }
    Ok(())
}

/// Reads a field leniently; `false` when the value does not fit.
// Not inlined into each record that has a field of this type.
#[inline(never)]
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
    depth: usize,
}

impl<'de, R: Record> DeserializeSeed<'de> for ValueSeed<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.name {
            Name::Slot(slot) => self.record.read_slot(slot, deserializer, self.depth),
            Name::Tag(tag) => match text(<&RawValue>::deserialize(deserializer)?) {
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
    fn read_rest<'de, A: MapAccess<'de>>(pending: Pending<'de>, mut map: A, depth: usize) -> Result<Self, A::Error> {
        if depth >= MAX_DEPTH {
            return Err(A::Error::custom("too deep"));
        }
        let depth = depth + 1;
        let mut record = R::default();
        for (name, raw) in pending.fields {
            let seed = ValueSeed {
                name: Name::of::<R>(&name),
                record: &mut record,
                depth,
            };
            // The type of deserializer that the rest of the line is read with, so that the code exists once.
            let read = seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
            read.map_err(A::Error::custom)?;
        }
        while let Some(name) = map.next_key_seed(NameSeed::<R>(PhantomData))? {
            map.next_value_seed(ValueSeed {
                record: &mut record,
                name,
                depth,
            })?;
        }
        Ok(record)
    }

    fn recover_object(object: &Object<'_>, depth: usize) -> Option<Self> {
        let mut record = R::default();
        recover_record(&mut record, object, depth).then_some(record)
    }
}

/// Reads a record leniently; `false` when it is of another type, too deep or no object.
fn recover_record(record: &mut dyn Lenient, object: &Object<'_>, depth: usize) -> bool {
    let Some(fields) = object.fields.as_ref().filter(|_| depth < MAX_DEPTH) else {
        return false;
    };
    for (name, value) in fields {
        let tag = record.tags().iter().find(|(tag, _)| tag == name);
        match (record.recover_named(name, value, depth + 1), tag) {
            (Some(true), _) => {}
            (None, Some((_, tag))) if text(value).is_some_and(|text| text == *tag) => {}
            (None, Some(_)) => return false,
            (Some(false) | None, _) => drop(record.extra_mut().insert(name.clone(), *value)),
        }
    }
    true
}
