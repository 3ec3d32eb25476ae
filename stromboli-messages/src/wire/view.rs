//! What a value is: what writing, comparing and showing have to know of the types.
//!
//! As with a [`Place`](super::Place), the types say it with values instead of code of their own, so that each of the
//! three exists once and not once for each type.

use std::{collections::BTreeMap, fmt};

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use super::{Nulls, Record};
use crate::{Content, Json, Number, Unknown, UnknownMessage};

/// A type that can be looked at.
pub(crate) trait Shown {
    fn view(&self) -> View<'_>;
}

/// A value that is lent.
pub(crate) enum View<'a> {
    Text(&'a str),
    Flag(bool),
    Unsigned(u64),
    Signed(i64),
    Number(&'a Number),
    Json(&'a Json),
    Content(&'a Content),
    Label(&'a dyn Label),
    List(&'a dyn Items),
    Map(&'a dyn Entries),
    Record(&'a dyn Record),
    Tagged(&'a dyn Choice),
    Unknown(&'a Unknown),
    UnknownMessage(&'a UnknownMessage),
}

/// A value that is told by a text.
pub(crate) trait Label: fmt::Debug {
    fn as_text(&self) -> &str;
}

/// A list.
pub(crate) trait Items {
    fn count(&self) -> usize;
    fn item(&self, index: usize) -> Option<View<'_>>;
}

impl<T: Shown> Items for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<View<'_>> {
        self.get(index).map(T::view)
    }
}

/// All of a list.
fn items(list: &dyn Items) -> impl Iterator<Item = View<'_>> {
    (0..).map_while(|index| list.item(index))
}

/// A map.
pub(crate) trait Entries {
    fn entries(&self) -> Box<dyn Iterator<Item = (&str, View<'_>)> + '_>;
}

impl<T: Shown> Entries for BTreeMap<String, T> {
    fn entries(&self) -> Box<dyn Iterator<Item = (&str, View<'_>)> + '_> {
        Box::new(self.iter().map(|(name, value)| (name.as_str(), value.view())))
    }
}

/// What [`tagged!`](super::tagged!) defines: one of several records that a field tells apart.
pub(crate) trait Choice {
    /// The name of the variant.
    fn variant(&self) -> &'static str;
    /// The record, or the JSON of what is of unknown layout.
    fn chosen(&self) -> View<'_>;
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(value) => serializer.serialize_bool(value),
            Self::Unsigned(value) => serializer.serialize_u64(value),
            Self::Signed(value) => serializer.serialize_i64(value),
            Self::Number(number) => number.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
            Self::Content(Content::Text(text)) => serializer.serialize_str(text),
            Self::Content(Content::Blocks(blocks)) => write_list(blocks, serializer),
            Self::Label(label) => serializer.serialize_str(label.as_text()),
            Self::List(list) => write_list(list, serializer),
            Self::Map(map) => serializer.collect_map(map.entries()),
            Self::Record(record) => write_record(record, serializer),
            Self::Tagged(choice) => choice.chosen().serialize(serializer),
            Self::Unknown(unknown) => unknown.json().serialize(serializer),
            Self::UnknownMessage(unknown) => unknown.json().serialize(serializer),
        }
    }
}

fn write_list<S: Serializer>(list: &dyn Items, serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(list.count()))?;
    for item in items(list) {
        seq.serialize_element(&item)?;
    }
    seq.end()
}

/// Writes the tags, the fields, and what has no place in them.
fn write_record<S: Serializer>(record: &dyn Record, serializer: S) -> Result<S::Ok, S::Error> {
    let (layout, nulls, extra) = (record.layout(), record.nulls(), record.extra());
    let mut map = serializer.serialize_map(None)?;
    for (tag, value) in layout.tags {
        map.serialize_entry(tag, value)?;
    }
    for (number, field) in layout.fields.iter().enumerate() {
        if let Some(value) = record.value(number) {
            map.serialize_entry(field.wire, &value)?;
        } else if nulls.contains(number) && !extra.contains(field.wire) {
            map.serialize_entry(field.wire, &())?;
        }
    }
    for (name, value) in extra.iter() {
        let tag = layout.tags.iter().any(|(tag, _)| *tag == name);
        let number = layout.fields.iter().position(|field| field.wire == name);
        if !tag && number.is_none_or(|number| record.value(number).is_none()) {
            map.serialize_entry(name, value)?;
        }
    }
    map.end()
}

/// Equal when they are written alike.
impl PartialEq for View<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Flag(a), Self::Flag(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Signed(a), Self::Signed(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Json(a), Self::Json(b)) => a == b,
            (Self::Content(a), Self::Content(b)) => a == b,
            (Self::Label(a), Self::Label(b)) => a.as_text() == b.as_text(),
            (Self::List(a), Self::List(b)) => items(*a).eq(items(*b)),
            (Self::Map(a), Self::Map(b)) => a.entries().eq(b.entries()),
            (Self::Record(a), Self::Record(b)) => equal(*a, *b),
            (Self::Tagged(a), Self::Tagged(b)) => a.chosen() == b.chosen(),
            (Self::Unknown(a), Self::Unknown(b)) => a.json() == b.json(),
            (Self::UnknownMessage(a), Self::UnknownMessage(b)) => a == b,
            _ => false,
        }
    }
}

fn equal(a: &dyn Record, b: &dyn Record) -> bool {
    let layout = a.layout();
    if layout.name != b.layout().name {
        return false;
    }
    let mut set = Nulls::default();
    for number in 0..layout.fields.len() {
        let value = a.value(number);
        if value.is_some() {
            set.insert(number);
        }
        if value != b.value(number) {
            return false;
        }
    }
    a.nulls().equal_beside(b.nulls(), set) && a.extra() == b.extra()
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Text(text) => text.fmt(f),
            Self::Flag(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Json(json) => json.fmt(f),
            Self::Content(content) => content.fmt(f),
            Self::Label(label) => label.fmt(f),
            Self::List(list) => f.debug_list().entries(items(list)).finish(),
            Self::Map(map) => f.debug_map().entries(map.entries()).finish(),
            Self::Record(record) => show(record, f),
            Self::Tagged(choice) => f.debug_tuple(choice.variant()).field(&choice.chosen()).finish(),
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::UnknownMessage(unknown) => unknown.fmt(f),
        }
    }
}

/// Shows the fields that are set, without the content of those that may hold secrets or text.
fn show(record: &dyn Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let layout = record.layout();
    let mut shown = f.debug_struct(layout.name);
    for (number, field) in layout.fields.iter().enumerate() {
        match record.value(number) {
            Some(_) if field.hidden => shown.field(field.name, &format_args!("[redacted]")),
            Some(value) => shown.field(field.name, &value),
            None => &mut shown,
        };
    }
    if !record.extra().is_empty() {
        shown.field("extra", record.extra());
    }
    shown.finish()
}

impl Shown for String {
    fn view(&self) -> View<'_> {
        View::Text(self)
    }
}

impl Shown for bool {
    fn view(&self) -> View<'_> {
        View::Flag(*self)
    }
}

impl Shown for u64 {
    fn view(&self) -> View<'_> {
        View::Unsigned(*self)
    }
}

impl Shown for i64 {
    fn view(&self) -> View<'_> {
        View::Signed(*self)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn view(&self) -> View<'_> {
        View::List(self)
    }
}

impl<T: Shown> Shown for BTreeMap<String, T> {
    fn view(&self) -> View<'_> {
        View::Map(self)
    }
}

impl<T: Shown> Shown for Box<T> {
    fn view(&self) -> View<'_> {
        T::view(self)
    }
}
