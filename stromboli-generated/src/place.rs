//! What the responses' types say of how they are read: where each value goes.
//!
//! They say it with values, which one reader (`read.rs`) goes by. Code of their own, as serde derives it, would be made for
//! each type and each way to read, in every crate that reads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use stromboli_messages::Block;

use crate::read::Blocks;
use crate::types::SessionEntry;

/// A place for one value, which holds a blank until it is read.
pub(crate) enum Place<'a> {
    Text(&'a mut String),
    Flag(&'a mut bool),
    Int32(&'a mut i32),
    Int64(&'a mut i64),
    Float(&'a mut f64),
    Texts(&'a mut dyn Texts),
    Json(&'a mut Value),
    Blocks(&'a mut Vec<Block>),
    Parsed(&'a mut dyn Parsed),
    Record(&'a mut dyn Record),
    Session(&'a mut SessionEntry),
    List(&'a mut dyn List),
    Optional(&'a mut dyn Optional),
    /// What most of it is.
    OptionalText(&'a mut Option<String>),
}

/// A type of which a response can hold a value.
#[diagnostic::on_unimplemented(
    message = "no response has held a `{Self}` so far",
    note = "say where it is read to with an `impl Slot` in stromboli-generated/src/place.rs"
)]
pub(crate) trait Slot: Sized {
    /// What is there before it is read.
    fn blank() -> Self;
    fn place(&mut self) -> Place<'_>;

    /// The place of one that may be null.
    fn place_of_optional(slot: &mut Option<Self>) -> Place<'_> {
        Place::Optional(slot)
    }
}

/// A type that a response's body can become.
#[diagnostic::on_unimplemented(
    message = "no response's body has been a `{Self}` so far",
    note = "say which reader its blocks have with an `impl Answer` in stromboli-generated/src/place.rs"
)]
pub(crate) trait Answer: Slot + DeserializeOwned {
    /// The reader of its blocks.
    type Blocks: Blocks;
}

impl<T: Answer> Answer for Vec<T> {
    type Blocks = T::Blocks;
}

/// An object with fields that the contract names, and others; what [`record!`](crate::record::record) implements.
pub(crate) trait Record {
    /// As errors call it.
    fn label(&self) -> &'static str;
    /// The number of a field by its name on the wire.
    fn field(&self, name: &str) -> Option<usize>;
    /// The place of a field by its number.
    fn place_of(&mut self, field: usize) -> Option<Place<'_>>;
    /// The names of the fields, by their numbers.
    fn names(&self) -> &'static [&'static str];
    /// A bit for each field that has to be there.
    fn required(&self) -> u64;
    fn extra(&mut self) -> &mut Map<String, Value>;
}

/// Whether a field has to be there.
pub(crate) enum Presence {
    Optional = 0,
    Required = 1,
}

/// A value that is made of a text. Behind a table, so that a program which reads no times has no parser of them in it.
pub(crate) trait Parsed {
    /// As errors call the text.
    fn expected(&self) -> &'static str;

    fn set(&mut self, text: &str) -> Result<(), String>;
}

impl Parsed for Timestamp {
    /// In jiff's words.
    fn expected(&self) -> &'static str {
        "a timestamp string"
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = text.parse().map_err(|error: jiff::Error| error.to_string())?;
        Ok(())
    }
}

pub(crate) trait List {
    /// The place of one more item.
    fn push(&mut self) -> Option<Place<'_>>;
}

impl<T: Slot> List for Vec<T> {
    fn push(&mut self) -> Option<Place<'_>> {
        Vec::push(self, T::blank());
        self.last_mut().map(T::place)
    }
}

/// Texts by name. Behind a table, as are values made of a text.
pub(crate) trait Texts {
    fn insert(&mut self, name: String, text: String);
}

impl Texts for BTreeMap<String, String> {
    fn insert(&mut self, name: String, text: String) {
        Self::insert(self, name, text);
    }
}

/// A value that may be null.
pub(crate) trait Optional {
    /// The place of one that is not.
    fn begin(&mut self) -> Place<'_>;
}

impl<T: Slot> Optional for Option<T> {
    fn begin(&mut self) -> Place<'_> {
        self.insert(T::blank()).place()
    }
}

impl<T: Slot> Slot for Option<T> {
    fn blank() -> Self {
        None
    }

    fn place(&mut self) -> Place<'_> {
        T::place_of_optional(self)
    }
}

impl<T: Slot> Slot for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }

    fn place(&mut self) -> Place<'_> {
        Place::List(self)
    }
}

impl Slot for SessionEntry {
    fn blank() -> Self {
        Self::String(String::new())
    }

    fn place(&mut self) -> Place<'_> {
        Place::Session(self)
    }
}

impl Slot for String {
    fn blank() -> Self {
        Self::new()
    }

    fn place(&mut self) -> Place<'_> {
        Place::Text(self)
    }

    fn place_of_optional(slot: &mut Option<Self>) -> Place<'_> {
        Place::OptionalText(slot)
    }
}

/// Types whose blank is their default, each with its kind of place.
macro_rules! slots {
    ($($type:ty => $place:ident,)*) => {
        $(impl Slot for $type {
            fn blank() -> Self {
                Self::default()
            }

            fn place(&mut self) -> Place<'_> {
                Place::$place(self)
            }
        })*
    };
}

slots! {
    bool => Flag,
    i32 => Int32,
    i64 => Int64,
    f64 => Float,
    Timestamp => Parsed,
    BTreeMap<String, String> => Texts,
    Value => Json,
    Vec<Block> => Blocks,
}
