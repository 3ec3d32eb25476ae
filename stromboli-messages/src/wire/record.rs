//! Records: objects with named fields, each optional, that keep what they have no field for.

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

/// What the records that are whole lines have in common.
pub(crate) trait Line {
    fn uuid(&self) -> Option<&str>;
    fn session_id(&self) -> Option<&str>;
    fn line(&self) -> Option<&str>;
    fn keep_line(&mut self, line: String);
}

impl<L: Line> Line for Box<L> {
    fn uuid(&self) -> Option<&str> {
        L::uuid(self)
    }

    fn session_id(&self) -> Option<&str> {
        L::session_id(self)
    }

    fn line(&self) -> Option<&str> {
        L::line(self)
    }

    fn keep_line(&mut self, line: String) {
        L::keep_line(self, line);
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

/// Defines a record: a struct of optional fields and [`Extra`], with everything that depends on the list of fields.
///
/// A macro, because reading (strict and lenient), writing, comparing and showing each go through the fields one by one
/// with their types; written by hand, every field would stand in six places that must agree. A field's name on the wire
/// is its own unless given; `hidden` keeps its content out of `Debug`; `keeps line` adds the text of the line.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident $([$($tag:literal = $value:literal),+])? $(keeps $line:ident)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $wire:literal)? $(, $hidden:ident)?;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What has no place in the fields above.
            pub extra: $crate::Extra,
            pub(crate) nulls: $crate::wire::Nulls,
            $(pub(crate) $line: Option<String>,)?
        }

        // A record may have no fields at all.
        #[allow(unused_variables, unused_mut)]
        const _: () = {
            use $crate::wire::{Nulls, Record, Variant, Wire};

            #[allow(non_camel_case_types)]
            #[derive(Clone, Copy)]
            pub(crate) enum Slot { $($field,)* Count }

            const _: () = assert!(Slot::Count as usize <= Nulls::CAPACITY);

            impl Record for $name {
                const TAGS: &'static [(&'static str, &'static str)] = &[$($(($tag, $value)),+)?];
                type Slot = Slot;

                fn slot(name: &str) -> Option<Slot> {
                    match name {
                        $($crate::wire::record!(@wire $field $($wire)?) => Some(Slot::$field),)*
                        _ => None,
                    }
                }

                fn read_slot<'de, D: ::serde::Deserializer<'de>>(&mut self, slot: Slot, deserializer: D)
                    -> ::std::result::Result<(), D::Error>
                {
                    match slot {
                        $(Slot::$field => $crate::wire::read_field(
                            &mut self.$field, &mut self.nulls, slot as usize, deserializer,
                        ),)*
                        Slot::Count => Ok(()),
                    }
                }

                fn recover_slot(&mut self, slot: Slot, raw: &::serde_json::value::RawValue, depth: usize) -> bool {
                    match slot {
                        $(Slot::$field => $crate::wire::recover_field(
                            &mut self.$field, &mut self.nulls, slot as usize, raw, depth,
                        ),)*
                        Slot::Count => false,
                    }
                }

                fn extra_mut(&mut self) -> &mut $crate::Extra {
                    &mut self.extra
                }
            }

            impl Wire for $name {
                fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    deserializer.deserialize_map($crate::wire::Whole::<Self>::default())
                }

                fn recover(raw: &::serde_json::value::RawValue, depth: usize) -> Option<Self> {
                    Self::recover_object(raw, depth)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeMap;

                    let mut map = serializer.serialize_map(None)?;
                    for (tag, value) in Self::TAGS {
                        map.serialize_entry(tag, value)?;
                    }
                    let mut written = Nulls::default();
                    $(
                        let wire = $crate::wire::record!(@wire $field $($wire)?);
                        let slot = Slot::$field as usize;
                        if let Some(value) = &self.$field {
                            map.serialize_entry(wire, value)?;
                            written.insert(slot);
                        } else if self.nulls.contains(slot) && !self.extra.contains(wire) {
                            map.serialize_entry(wire, &())?;
                        }
                    )*
                    for (name, value) in self.extra.iter() {
                        let tag = Self::TAGS.iter().any(|(tag, _)| *tag == name);
                        if !tag && !Self::slot(name).is_some_and(|slot| written.contains(slot as usize)) {
                            map.serialize_entry(name, value)?;
                        }
                    }
                    map.end()
                }
            }

            /// Equal when they are written alike.
            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    let null = |record: &Self, slot: Slot| record.nulls.contains(slot as usize);
                    $(
                        self.$field == other.$field
                            && (self.$field.is_some() || null(self, Slot::$field) == null(other, Slot::$field))
                            &&
                    )* self.extra == other.extra
                }
            }

            /// Shows the fields that are set, without the content of those that may hold secrets or text.
            impl ::std::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    let mut shown = f.debug_struct(stringify!($name));
                    $(if let Some(_value) = &self.$field {
                        shown.field(stringify!($field), $crate::wire::record!(@show _value $($hidden)?));
                    })*
                    if !self.extra.is_empty() {
                        shown.field("extra", &self.extra);
                    }
                    shown.finish()
                }
            }
        };

        $crate::wire::deserialize_by_wire!($name);

        $(
            impl $name {
                /// The line this was parsed from, as it was, whatever has been changed since; `None` for what was not
                /// parsed by [`Message::parse`](crate::Message::parse).
                pub fn raw(&self) -> Option<&str> {
                    self.$line.as_deref()
                }
            }

            impl $crate::wire::Line for $name {
                fn uuid(&self) -> Option<&str> {
                    self.uuid.as_deref()
                }

                fn session_id(&self) -> Option<&str> {
                    self.session_id.as_deref()
                }

                fn line(&self) -> Option<&str> {
                    self.$line.as_deref()
                }

                fn keep_line(&mut self, line: String) {
                    self.$line = Some(line);
                }
            }
        )?
    };
    (@wire $field:ident) => { stringify!($field) };
    (@wire $field:ident $wire:literal) => { $wire };
    (@show $value:ident) => { $value };
    (@show $value:ident hidden) => { &format_args!("[redacted]") };
}
pub(crate) use record;

/// Defines a record that is a whole line, with the two ids that every line has.
macro_rules! message {
    (
        $(#[$doc:meta])*
        pub struct $name:ident [$($tags:tt)+] { $($fields:tt)* }
    ) => {
        $crate::wire::record! {
            $(#[$doc])*
            pub struct $name [$($tags)+] keeps line {
                $($fields)*
                /// The id of this message.
                uuid: String;
                /// The session it belongs to.
                session_id: String;
            }
        }
    };
}
pub(crate) use message;
