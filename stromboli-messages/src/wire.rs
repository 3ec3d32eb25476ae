//! How values are read from a line, strictly and in one pass or leniently and field by field, and how they are looked at.
//!
//! Almost every line fits its types, so it is first read *strictly*: serde visitors that stream, never buffer a part of
//! unknown shape (as serde's `flatten`, `untagged` and tagged enums do) and fail at the first surprise. Only then it is
//! read again *leniently*: each field is looked at on its own as raw text, and what does not fit its type stays raw in
//! the innermost record that has a place for it. Whatever the strict way accepts, the lenient way reads the same.

mod lenient;
pub(crate) mod line;
mod object;
mod one_pass;
mod open_enum;
mod owner;
mod place;
mod record;
mod same;
mod strict;
mod tagged;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub(crate) use lenient::recover;
pub(crate) use line::{Line, message};
pub(crate) use object::{Object, Written, fields, lookup, text, text_of_halves};
pub(crate) use one_pass::deserialize;
pub use one_pass::from_slice;
pub(crate) use open_enum::open_enum;
pub(crate) use owner::Owner;
pub(crate) use place::{Fields, List, Named, Place, Shape, Slot, Tagged, Variant, Variants};
pub(crate) use record::{Field, Layout, Nulls, Record, record};
pub(crate) use same::same;
pub(crate) use strict::strict;
pub(crate) use tagged::tagged;
pub(crate) use view::{Choice, Label, Shown, View};

/// How many records inside of each other are typed; what is deeper stays raw. Only blocks hold themselves, and nobody
/// sends more than two of them inside of each other. Each level of the lenient way looks at all of the text again.
const MAX_DEPTH: usize = 16;

/// A type that stands for a JSON value of a line.
pub(crate) trait Wire: Shown + Sized {
    /// Where one is read to.
    fn place(slot: &mut Option<Self>) -> Place<'_>;

    /// Where a list of them is read to.
    fn place_of_list(slot: &mut Option<Vec<Self>>) -> Place<'_> {
        Place::List(<Option<Self> as Owner<Self>>::list_slot(slot))
    }
}

/// Reads valid JSON, strictly if it can be and leniently if it must be.
pub(crate) fn read_raw<T: Wire>(raw: &RawValue) -> Option<T> {
    strict(raw.get()).ok().or_else(|| recover(raw))
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

/// Implements `Serialize` by [`Shown`].
macro_rules! serialize_by_view {
    ($name:ty) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::wire::Shown::view(self).serialize(serializer)
            }
        }
    };
}
pub(crate) use serialize_by_view;

impl Wire for String {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Text(slot)
    }

    fn place_of_list(slot: &mut Option<Vec<Self>>) -> Place<'_> {
        Place::Texts(slot)
    }
}

impl Wire for bool {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Flag(slot)
    }
}

impl Wire for u64 {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Unsigned(slot)
    }
}

impl Wire for i64 {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Signed(slot)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        T::place_of_list(slot)
    }
}

impl<T: Wire> Wire for BTreeMap<String, T> {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Map(slot)
    }
}
