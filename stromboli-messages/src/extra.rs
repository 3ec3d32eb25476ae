//! The fields of a record that its type has no place for.

use std::{collections::BTreeMap, fmt};

use crate::Json;

/// Fields as they were written, by name: those this version does not know, and known ones whose value does not fit.
///
/// On writing, a typed field that is set wins over one of the same name here.
#[derive(Clone, Default, PartialEq)]
pub struct Extra(BTreeMap<String, Json>);

impl Extra {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// Whether there is such a field.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field that names what a message belongs to: what it says, or else as it is written where it does not fit, so
    /// that nothing is taken for what belongs to nobody.
    pub(crate) fn or_written<'a>(&'a self, field: &'a Option<String>, name: &str) -> Option<&'a str> {
        let written = || self.get(name).map(Json::get).filter(|written| *written != "null");
        field.as_deref().or_else(written)
    }

    /// Sets a field and gives back what it was.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Json>) -> Option<Json> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    /// The fields, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows the names alone.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
