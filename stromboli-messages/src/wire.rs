//! How values are read from a line: strictly and in one pass, or leniently and field by field.
//!
//! Almost every line fits its types, so it is first read *strictly*: serde visitors that stream, never buffer a part of
//! unknown shape (as serde's `flatten`, `untagged` and tagged enums do) and fail at the first surprise. Only then it is
//! read again *leniently*: each field is looked at on its own as raw text, and what does not fit its type stays raw in
//! the innermost record that has a place for it. Whatever the strict way accepts, the lenient way reads the same.

mod field;
pub(crate) mod line;
mod object;
mod one_pass;
mod open_enum;
mod record;
mod same;
mod tagged;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

pub(crate) use field::{Lenient, Nulls, Record, read_field, recover_field};
pub(crate) use line::{Line, message};
pub(crate) use object::{Object, fields, lookup, text, text_of_halves};
pub(crate) use one_pass::deserialize;
pub use one_pass::from_slice;
pub(crate) use open_enum::open_enum;
pub(crate) use record::record;
pub(crate) use same::same;
pub(crate) use tagged::{Borrowed, Pending, Variant, Whole, read_tag, tagged};

/// How many records inside of each other are typed; what is deeper stays raw. Only blocks hold themselves, and nobody
/// sends more than two of them inside of each other. Each level of the lenient way looks at all of the text again.
const MAX_DEPTH: usize = 16;

/// A type that stands for a JSON value of a line.
pub(crate) trait Wire: Sized {
    /// Reads it strictly, inside of so many records: an error says only that it does not fit.
    fn read<'de, D: Deserializer<'de>>(deserializer: D, depth: usize) -> Result<Self, D::Error>;

    /// Reads it leniently from valid JSON; `None` when it does not fit at all.
    fn recover(raw: &RawValue, depth: usize) -> Option<Self> {
        strict(raw.get(), depth).ok()
    }
}

/// Reads the whole text strictly.
// Not inlined: it is a lot of code, and the lenient way, which needs no speed, calls it for each field.
#[inline(never)]
pub(crate) fn strict<T: Wire>(text: &str, depth: usize) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::read(&mut deserializer, depth)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads valid JSON, strictly if it can be and leniently if it must be.
pub(crate) fn read_raw<T: Wire>(raw: &RawValue) -> Option<T> {
    strict(raw.get(), 0).ok().or_else(|| T::recover(raw, 0))
}

/// Implements `Deserialize` by [`Wire`].
macro_rules! deserialize_by_wire {
    ($name:ty) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::wire::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use deserialize_by_wire;

/// Reads a value where serde asks for a seed.
struct Seed<T>(usize, PhantomData<T>);

impl<'de, T: Wire> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer, self.0)
    }
}

impl Wire for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, _depth: usize) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Wire for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, _depth: usize) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Wire for u64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, _depth: usize) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Wire for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, _depth: usize) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl<T: Wire> Wire for Box<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, depth: usize) -> Result<Self, D::Error> {
        T::read(deserializer, depth).map(Self::new)
    }

    fn recover(raw: &RawValue, depth: usize) -> Option<Self> {
        T::recover(raw, depth).map(Self::new)
    }
}

/// A list fits when each of its elements does.
impl<T: Wire> Wire for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, depth: usize) -> Result<Self, D::Error> {
        struct List<T>(usize, PhantomData<T>);

        impl<'de, T: Wire> Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
                read_list(seq, self.0)
            }
        }

        deserializer.deserialize_seq(List(depth, PhantomData))
    }

    fn recover(raw: &RawValue, depth: usize) -> Option<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        items.into_iter().map(|item| T::recover(item, depth)).collect()
    }
}

/// Reads the elements of a list.
pub(crate) fn read_list<'de, T: Wire, A: SeqAccess<'de>>(mut seq: A, depth: usize) -> Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    while let Some(item) = seq.next_element_seed(Seed(depth, PhantomData))? {
        list.push(item);
    }
    Ok(list)
}

/// A map fits when each of its values does.
impl<T: Wire> Wire for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, depth: usize) -> Result<Self, D::Error> {
        struct Map<T>(usize, PhantomData<T>);

        impl<'de, T: Wire> Visitor<'de> for Map<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some(name) = access.next_key::<String>()? {
                    map.insert(name, access.next_value_seed(Seed(self.0, PhantomData))?);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Map(depth, PhantomData))
    }

    fn recover(raw: &RawValue, depth: usize) -> Option<Self> {
        let recover = |(name, value): (std::borrow::Cow<'_, str>, &RawValue)| {
            T::recover(value, depth).map(|value| (name.into_owned(), value))
        };
        fields(raw)?.into_iter().map(recover).collect()
    }
}
