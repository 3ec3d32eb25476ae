//! Where a value is read to: what the two ways of reading have to know of the types.
//!
//! The types say it with values instead of code of their own, so that each way of reading exists once and not once for
//! each type: in every crate that reads, such code was half of what there was to compile.

use std::collections::BTreeMap;

use super::{Owner, Record, View, Wire};
use crate::{Content, Json, Number, Unknown, UnknownMessage};

/// A place for one value, empty until it is read.
pub(crate) enum Place<'a> {
    Text(&'a mut Option<String>),
    Texts(&'a mut Option<Vec<String>>),
    Flag(&'a mut Option<bool>),
    Unsigned(&'a mut Option<u64>),
    Signed(&'a mut Option<i64>),
    Number(&'a mut Option<Number>),
    Json(&'a mut Option<Json>),
    Content(&'a mut Option<Content>),
    Name(&'a mut dyn Named),
    List(&'a mut dyn List),
    Map(&'a mut dyn Map),
    Record(&'a mut dyn Begin),
    Tagged(&'a mut dyn Tagged),
}

/// What has a value or not, as a record for each field.
pub(crate) trait Slot {
    /// What is there.
    fn view(&self) -> Option<View<'_>>;
    /// Where a value is read to.
    fn place(&mut self) -> Place<'_>;
}

impl<T: Wire> Slot for Option<T> {
    fn view(&self) -> Option<View<'_>> {
        Some(self.as_ref()?.view())
    }

    fn place(&mut self) -> Place<'_> {
        T::place(self)
    }
}

impl Place<'_> {
    /// Empties it.
    pub(crate) fn clear(self) {
        match self {
            Self::Text(slot) => *slot = None,
            Self::Texts(slot) => *slot = None,
            Self::Flag(slot) => *slot = None,
            Self::Unsigned(slot) => *slot = None,
            Self::Signed(slot) => *slot = None,
            Self::Number(slot) => *slot = None,
            Self::Json(slot) => *slot = None,
            Self::Content(slot) => *slot = None,
            Self::Name(slot) => slot.clear(),
            Self::List(slot) => slot.clear(),
            Self::Map(slot) => slot.clear(),
            Self::Record(slot) => slot.clear(),
            Self::Tagged(slot) => slot.clear(),
        }
    }
}

/// A place that can be emptied.
pub(crate) trait Clear {
    fn clear(&mut self);
}

impl<T> Clear for Option<T> {
    fn clear(&mut self) {
        *self = None;
    }
}

/// A place for a value that is told by a text.
pub(crate) trait Named: Clear {
    fn set(&mut self, value: &str);
}

/// A place for a list.
pub(crate) trait List: Clear {
    /// Reads elements to the places that it hands out, until `next` says that there is none, or none that fits.
    fn fill(&mut self, next: &mut dyn FnMut(Place<'_>) -> bool);
}

impl<T: Wire> List for Option<Vec<T>> {
    fn fill(&mut self, next: &mut dyn FnMut(Place<'_>) -> bool) {
        let list = self.insert(Vec::new());
        let mut item = None;
        while next(T::place(&mut item)) {
            if let Some(item) = item.take() {
                // Most lists have one element, and a vector would begin with room for four.
                if list.is_empty() {
                    list.reserve_exact(1);
                }
                list.push(item);
            }
        }
    }
}

/// A place for a map.
pub(crate) trait Map: Clear {
    /// Reads names and values to the places that it hands out, until `next` says that there is none, or none that fits.
    fn fill(&mut self, next: &mut dyn FnMut(&mut String, Place<'_>) -> bool);
}

impl<T: Wire> Map for Option<BTreeMap<String, T>> {
    fn fill(&mut self, next: &mut dyn FnMut(&mut String, Place<'_>) -> bool) {
        let map = self.insert(BTreeMap::new());
        let (mut name, mut value) = (String::new(), None);
        while next(&mut name, T::place(&mut value)) {
            if let Some(value) = value.take() {
                map.insert(std::mem::take(&mut name), value);
            }
        }
    }
}

/// A place for a record.
pub(crate) trait Begin: Clear {
    /// Puts a record without fields there.
    fn begin(&mut self) -> &mut dyn Record;
}

impl<F: Fields> Begin for Option<F> {
    fn begin(&mut self) -> &mut dyn Record {
        self.insert(F::default()).record()
    }
}

/// A record, or the box that it is in.
pub(crate) trait Fields: Default {
    fn record(&mut self) -> &mut dyn Record;
}

impl<F: Fields> Fields for Box<F> {
    fn record(&mut self) -> &mut dyn Record {
        F::record(self)
    }
}

/// A place for what [`tagged!`](super::tagged!) defines: one of several records that a field tells apart.
pub(crate) trait Tagged {
    /// The field that says which it is.
    fn tag(&self) -> &'static str;
    /// Puts an empty one with this value there, or one of unknown shape, and gives what there is to fill.
    fn choose(&mut self, value: Option<&str>) -> Shape<'_>;
    /// What is there.
    fn chosen(&mut self) -> Option<Shape<'_>>;
    fn clear(&mut self);
}

/// What there is to fill, once it is known what an object is.
pub(crate) enum Shape<'a> {
    Record(&'a mut dyn Record),
    Tagged(&'a mut dyn Tagged),
    Unknown(&'a mut Unknown),
    UnknownMessage(&'a mut UnknownMessage),
}

/// What [`tagged!`](super::tagged!) implements.
pub(crate) trait Variants: Variant {
    const TAG: &'static str;

    /// An empty one with this value, or one of unknown shape.
    fn of(value: Option<&str>) -> Self;
    /// What is in it.
    fn inner(&mut self) -> Shape<'_>;
}

impl<T: Variants> Tagged for Option<T> {
    fn tag(&self) -> &'static str {
        T::TAG
    }

    fn choose(&mut self, value: Option<&str>) -> Shape<'_> {
        self.insert(T::of(value)).inner()
    }

    fn chosen(&mut self) -> Option<Shape<'_>> {
        self.as_mut().map(T::inner)
    }

    fn clear(&mut self) {
        *self = None;
    }
}

/// One that stands in another.
impl<T: Variants> Tagged for T {
    fn tag(&self) -> &'static str {
        T::TAG
    }

    fn choose(&mut self, value: Option<&str>) -> Shape<'_> {
        Option::put(self, T::of(value));
        self.inner()
    }

    fn chosen(&mut self) -> Option<Shape<'_>> {
        Some(self.inner())
    }

    fn clear(&mut self) {
        Option::put(self, T::of(None));
    }
}

/// What a variant of such an enum holds.
pub(crate) trait Variant {
    fn empty() -> Self;
    fn shape(&mut self) -> Shape<'_>;
}

impl<F: Fields> Variant for F {
    fn empty() -> Self {
        F::default()
    }

    fn shape(&mut self) -> Shape<'_> {
        Shape::Record(self.record())
    }
}
