//! Objects of several shapes that one field tells apart.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Object, text};

/// What was read of an object to find out what it is.
#[derive(Default)]
pub(crate) struct Pending<'de> {
    /// The fields that came before the one that says it.
    pub(crate) fields: Vec<(Cow<'de, str>, &'de RawValue)>,
    /// That one, unless what it says is known.
    pub(crate) tag: Option<(&'static str, Cow<'de, str>)>,
}

/// An object whose first fields were read already, to find out what it is.
pub(crate) trait Variant: Sized {
    /// Reads the rest of it strictly.
    fn read_rest<'de, A: MapAccess<'de>>(pending: Pending<'de>, map: A, depth: usize) -> Result<Self, A::Error>;

    /// Reads the whole of it leniently; `None` when it does not fit at all.
    fn recover_object(object: &Object<'_>, depth: usize) -> Option<Self>;
}

/// Reads an object from its beginning, inside of so many records.
pub(crate) struct Whole<T>(usize, PhantomData<T>);

impl<T> Whole<T> {
    pub(crate) fn new(depth: usize) -> Self {
        Self(depth, PhantomData)
    }
}

impl<'de, T: Variant> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read_rest(Pending::default(), map, self.0)
    }
}

/// Reads up to the field that says what the object is, and gives its text.
pub(crate) fn read_tag<'de, A: MapAccess<'de>>(
    tag: &'static str,
    pending: &mut Pending<'de>,
    map: &mut A,
) -> Result<Cow<'de, str>, A::Error> {
    // The type of a line stands before its subtype or after it.
    if let Some(at) = pending.fields.iter().position(|(name, _)| name == tag) {
        let (_, raw) = pending.fields.remove(at);
        return text(raw).ok_or_else(|| A::Error::custom("a type that is no text"));
    }
    while let Some(name) = map.next_key_seed(Borrowed)? {
        if name == tag {
            return map.next_value_seed(Borrowed);
        }
        pending.fields.push((name, map.next_value()?));
    }
    Err(A::Error::custom("no type"))
}

/// Reads a string, borrowed where nothing in it is escaped.
pub(crate) struct Borrowed;

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

/// Defines an enum of records that a field tells apart, each in a `Box` or as it is, and one variant for the rest.
/// `of lines` is for records that are whole lines.
///
/// A macro, because reading (strict and lenient), writing and naming each go through the variants one by one; the
/// functions above do what does not depend on the variants.
macro_rules! tagged {
    (
        $(#[$doc:meta])*
        pub enum $name:ident of lines by $method:ident = $tag:literal {
            $($(#[$variant_doc:meta])* $variant:ident($record:ty) = $value:literal,)+
        } else $(#[$unknown_doc:meta])* Unknown($unknown:ty)
    ) => {
        $crate::wire::tagged! {
            $(#[$doc])*
            pub enum $name by $method = $tag {
                $($(#[$variant_doc])* $variant($record) = $value,)+
            } else $(#[$unknown_doc])* Unknown($unknown)
        }

        impl $crate::wire::Line for $name {
            fn uuid(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::uuid(value),)+
                    Self::Unknown(value) => $crate::wire::Line::uuid(value),
                }
            }

            fn session_id(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::session_id(value),)+
                    Self::Unknown(value) => $crate::wire::Line::session_id(value),
                }
            }

            fn line(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::line(value),)+
                    Self::Unknown(value) => $crate::wire::Line::line(value),
                }
            }

            fn keep_line(&mut self, line: ::std::sync::Arc<String>) {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::keep_line(value, line),)+
                    Self::Unknown(value) => $crate::wire::Line::keep_line(value, line),
                }
            }
        }
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident by $method:ident = $tag:literal {
            $($(#[$variant_doc:meta])* $variant:ident($record:ty) = $value:literal,)+
        } else $(#[$unknown_doc:meta])* Unknown($unknown:ty)
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant($record),)+
            $(#[$unknown_doc])*
            Unknown($unknown),
        }

        impl $name {
            #[doc = concat!("Its `", $tag, "` on the wire; empty where there is none.")]
            pub fn $method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)+
                    Self::Unknown(value) => value.$method().unwrap_or_default(),
                }
            }
        }

        impl $crate::wire::Variant for $name {
            fn read_rest<'de, A: ::serde::de::MapAccess<'de>>(
                mut pending: $crate::wire::Pending<'de>,
                mut map: A,
                depth: usize,
            ) -> ::std::result::Result<Self, A::Error> {
                let tag = $crate::wire::read_tag($tag, &mut pending, &mut map)?;
                match &*tag {
                    $($value => $crate::wire::Variant::read_rest(pending, map, depth).map(Self::$variant),)+
                    _ => {
                        pending.tag = Some(($tag, tag));
                        $crate::wire::Variant::read_rest(pending, map, depth).map(Self::Unknown)
                    }
                }
            }

            fn recover_object(object: &$crate::wire::Object<'_>, depth: usize) -> Option<Self> {
                let known = match object.text($tag).as_deref() {
                    $(Some($value) => $crate::wire::Variant::recover_object(object, depth).map(Self::$variant),)+
                    _ => None,
                };
                known.or_else(|| $crate::wire::Variant::recover_object(object, depth).map(Self::Unknown))
            }
        }

        impl $crate::wire::Wire for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D, depth: usize) -> ::std::result::Result<Self, D::Error> {
                deserializer.deserialize_map($crate::wire::Whole::<Self>::new(depth))
            }

            fn recover(raw: &::serde_json::value::RawValue, depth: usize) -> Option<Self> {
                $crate::wire::Variant::recover_object(&$crate::wire::Object::new(raw), depth)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => value.serialize(serializer),)+
                    Self::Unknown(value) => value.serialize(serializer),
                }
            }
        }

        $(impl From<$record> for $name {
            fn from(value: $record) -> Self {
                Self::$variant(value)
            }
        })+

        $crate::wire::deserialize_by_wire!($name);
    };
}
pub(crate) use tagged;
