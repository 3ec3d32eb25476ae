//! Others' types that hold some of ours, read in one pass.
//!
//! A deserializer that has been read from cannot go back. Whoever is asked for one of our values by any of them therefore
//! takes its raw text first, and reads that: what does not fit must neither be lost nor fail the whole. Whoever has all of
//! the text can go back to its beginning, and need not take any raw text until something does not fit.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Wire, read_raw, strict::read};

/// Reads JSON as [`serde_json::from_slice`] does, for types that hold blocks, messages or other types of this crate.
///
/// It gives the same value or error, but looks once at JSON that fits its types, where serde_json looks twice at each
/// value of this crate and copies it in between. JSON with a value that does not fit is read again from the beginning.
/// What is not UTF-8 is an error wherever that shows, also in fields that nobody reads.
///
/// ```
/// use stromboli_messages::Block;
///
/// #[derive(serde::Deserialize)]
/// struct Page {
///     content: Vec<Block>,
/// }
///
/// let page: Page = stromboli_messages::from_slice(br#"{"content": [{"type": "text", "text": "Done."}]}"#)?;
/// assert_eq!(page.content[0].type_name(), "text");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// If it is no JSON, or does not fit the type.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> serde_json::Result<T> {
    match simdutf8::basic::from_utf8(json) {
        Ok(text) => read_all(text, Misfits::Fail).or_else(|_| read_all(text, Misfits::Keep)),
        Err(_) => Err(not_text(json)),
    }
}

/// The error of what is no JSON, because it is not UTF-8.
fn not_text(json: &[u8]) -> serde_json::Error {
    match serde_json::from_slice::<&RawValue>(json) {
        Err(error) => error,
        Ok(_) => serde::de::Error::custom("not UTF-8"),
    }
}

/// What becomes of our values that do not fit.
#[derive(Clone, Copy)]
pub(super) enum Misfits {
    /// The whole fails.
    Fail,
    /// They are read leniently, from their raw text.
    Keep,
}

// Both ways in one, so that the code for the caller's type exists once.
pub(super) fn read_all<'de, T: Deserialize<'de>>(text: &'de str, misfits: Misfits) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Passed(&mut deserializer, misfits))?;
    deserializer.end()?;
    Ok(value)
}

/// The implementation of `Deserialize` for the types of this crate, so that they also work inside others' types.
pub(crate) fn deserialize<'de, T: Wire, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(OURS, Ours(PhantomData))
}

/// What [`deserialize`] asks for.
const OURS: &str = "$stromboli_messages::Wire";

struct Ours<T>(PhantomData<T>);

impl<'de, T: Wire> Visitor<'de> for Ours<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// The answer of every other deserializer.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        read_raw(&raw).ok_or_else(|| serde::de::Error::custom("the value is of another JSON type"))
    }

    /// The answer of [`Passed`].
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        read(deserializer)
    }
}

/// A deserializer of serde_json that can let our values fail, and all that it is passed on by: what is inside of objects,
/// lists and options is read with it as well. What is inside of an enum is not, and so only slower.
struct Passed<T>(T, Misfits);

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($argument,)* Passed(visitor, self.1))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Passed<D> {
    type Error = D::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        if name == OURS {
            return match self.1 {
                Misfits::Fail => visitor.visit_some(self.0),
                Misfits::Keep => visitor.visit_newtype_struct(self.0),
            };
        }
        self.0.deserialize_newtype_struct(name, Passed(visitor, self.1))
    }

    forward! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {
        $(fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Passed<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    // All that serde_json calls.
    visit! {
        visit_bool(bool)
        visit_i64(i64)
        visit_i128(i128)
        visit_u64(u64)
        visit_u128(u128)
        visit_f64(f64)
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Passed(deserializer, self.1))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Passed(deserializer, self.1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Passed(list, self.1))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Passed(map, self.1))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(data)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Passed<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Passed(seed, self.1))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Passed<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Passed(seed, self.1))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Passed(seed, self.1))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Passed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Passed(deserializer, self.1))
    }
}
