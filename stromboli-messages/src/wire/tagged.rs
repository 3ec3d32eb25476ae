//! Objects of several shapes that one field tells apart.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::object;

/// The fields of an object that came before the one that says what it is.
pub(crate) type Pending<'de> = Vec<(Cow<'de, str>, &'de RawValue)>;

/// An object whose first fields were read already, to find out what it is.
pub(crate) trait Variant: Sized {
    /// Reads the rest of it strictly.
    fn read_rest<'de, A: MapAccess<'de>>(pending: Pending<'de>, map: A) -> Result<Self, A::Error>;

    /// Reads the whole of it leniently; `None` when it does not fit at all.
    fn recover_object(raw: &RawValue, depth: usize) -> Option<Self>;
}

/// Reads an object from its beginning.
pub(crate) struct Whole<T>(PhantomData<T>);

impl<T> Default for Whole<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Variant> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read_rest(Pending::new(), map)
    }
}

/// Reads up to the field that says what the object is, and gives its text. It and all before it are pending then.
pub(crate) fn read_tag<'de, A: MapAccess<'de>>(
    tag: &str,
    pending: &mut Pending<'de>,
    map: &mut A,
) -> Result<Option<Cow<'de, str>>, A::Error> {
    if let Some((_, raw)) = pending.iter().find(|(name, _)| name == tag) {
        return Ok(object::text(raw));
    }
    while let Some((name, raw)) = map.next_entry::<&RawValue, &RawValue>()? {
        let name = object::text(name).ok_or_else(|| A::Error::custom("a name that no string can hold"))?;
        let found = name == tag;
        pending.push((name, raw));
        if found {
            return Ok(object::text(raw));
        }
    }
    Ok(None)
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
            ) -> ::std::result::Result<Self, A::Error> {
                let tag = $crate::wire::read_tag($tag, &mut pending, &mut map)?;
                match tag.as_deref() {
                    $(Some($value) => $crate::wire::Variant::read_rest(pending, map).map(Self::$variant),)+
                    _ => $crate::wire::Variant::read_rest(pending, map).map(Self::Unknown),
                }
            }

            fn recover_object(raw: &::serde_json::value::RawValue, depth: usize) -> Option<Self> {
                let tag = $crate::wire::lookup(raw, $tag).and_then($crate::wire::text);
                let known = match tag.as_deref() {
                    $(Some($value) => $crate::wire::Variant::recover_object(raw, depth).map(Self::$variant),)+
                    _ => None,
                };
                known.or_else(|| $crate::wire::Variant::recover_object(raw, depth).map(Self::Unknown))
            }
        }

        impl $crate::wire::Wire for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                deserializer.deserialize_map($crate::wire::Whole::<Self>::default())
            }

            fn recover(raw: &::serde_json::value::RawValue, depth: usize) -> Option<Self> {
                $crate::wire::Variant::recover_object(raw, depth)
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
