//! The fields of a record that its type has no place for.

use std::fmt;

use crate::{Json, wire::Written};

/// Fields as they were written, by name: those this version does not know, and known ones whose value does not fit.
///
/// On writing, a typed field that is set wins over one of the same name here.
// A list in order and no map, because the code of each type of maps is compiled in each crate that drops it.
#[derive(Clone, Default, PartialEq)]
pub struct Extra(Vec<(String, Json)>);

impl Extra {
    pub(crate) const NONE: Self = Self(Vec::new());

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let at = self.find(name).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Whether there is such a field.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// A field that names what a message belongs to: what it says, or else as it is written where it does not fit, so
    /// that nothing is taken for what belongs to nobody.
    pub(crate) fn or_written<'a>(&'a self, field: &'a Option<String>, name: &str) -> Option<&'a str> {
        let written = || self.get(name).map(Json::get).filter(|written| *written != "null");
        field.as_deref().or_else(written)
    }

    /// Sets a field and gives back what it was.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Json>) -> Option<Json> {
        let (name, value) = (name.into(), value.into());
        match self.find(&name) {
            Ok(at) => self.0.get_mut(at).map(|field| std::mem::replace(&mut field.1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        let at = self.find(name).ok()?;
        Some(self.0.remove(at).1)
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

    /// Fields that were read. Of a repeated name the last one counts.
    pub(crate) fn of_fields(fields: Written<'_>) -> Self {
        let fields = fields.sorted().into_iter();
        Self(fields.map(|(name, value)| (name.into_owned(), value.into())).collect())
    }

    /// Sets fields. One by one they would move each other too often.
    pub(crate) fn extend(&mut self, fields: Self) {
        let mut mine = std::mem::take(&mut self.0).into_iter().peekable();
        for field in fields.0 {
            while let Some(before) = mine.next_if(|(name, _)| *name < field.0) {
                self.0.push(before);
            }
            mine.next_if(|(name, _)| *name == field.0);
            self.0.push(field);
        }
        self.0.extend(mine);
    }

    /// Where a field is, or where it would have to be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

/// Shows the names alone.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn extra(fields: &[(&'static str, &'static str)]) -> Extra {
        let mut written = Written::default();
        for (name, value) in fields {
            written.push(Cow::Borrowed(*name), serde_json::from_str(value).unwrap());
        }
        Extra::of_fields(written)
    }

    fn shown(extra: &Extra) -> Vec<(&str, &str)> {
        extra.iter().map(|(name, value)| (name, value.get())).collect()
    }

    #[test]
    fn fields_are_ordered_by_name_and_the_last_of_a_name_counts() {
        let extra = extra(&[("b", "1"), ("c", "2"), ("a", "3"), ("b", "4"), ("b", "5")]);
        assert_eq!(shown(&extra), [("a", "3"), ("b", "5"), ("c", "2")]);
    }

    #[test]
    fn a_field_that_is_set_replaces_the_one_of_its_name_or_takes_its_place_in_the_order() {
        let mut extra = extra(&[("b", "1"), ("d", "2")]);
        assert_eq!(extra.insert("d", Json::null()).unwrap().get(), "2");
        assert!(extra.insert("c", Json::null()).is_none());
        assert_eq!(shown(&extra), [("b", "1"), ("c", "null"), ("d", "null")]);
        assert_eq!(extra.remove("b").unwrap().get(), "1");
        assert!(extra.remove("b").is_none() && !extra.contains("b") && extra.contains("c"));
    }

    #[test]
    fn further_fields_are_added_and_replace_those_of_their_names() {
        let mut all = extra(&[("b", "1"), ("d", "2"), ("f", "3")]);
        all.extend(extra(&[("a", "4"), ("d", "5"), ("e", "6"), ("g", "7")]));
        let expected = [("a", "4"), ("b", "1"), ("d", "5"), ("e", "6"), ("f", "3"), ("g", "7")];
        assert_eq!(shown(&all), expected);
    }
}
