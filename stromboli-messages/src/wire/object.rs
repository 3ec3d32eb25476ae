//! The fields of an object as raw text, in any order and of any shape.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields by name; of a repeated name the last one, as everywhere in serde_json. `None` for what is no object, or
/// one with a name that Rust's strings cannot hold (half of a surrogate pair).
pub(crate) fn fields(raw: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    let mut found = BTreeMap::new();
    let mut fits = true;
    each(raw, |name, value| match name {
        Some(name) => drop(found.insert(name, value)),
        None => fits = false,
    })?;
    fits.then_some(found)
}

/// The value of one field, of the last one where the name is repeated.
pub(crate) fn lookup<'a>(raw: &'a RawValue, wanted: &str) -> Option<&'a RawValue> {
    let mut found = None;
    each(raw, |name, value| {
        if name.as_deref() == Some(wanted) {
            found = Some(value);
        }
    })?;
    found
}

/// Calls `visit` with each name, if it can be held, and each value. `None` for what is no object.
fn each<'a>(raw: &'a RawValue, visit: impl FnMut(Option<Cow<'a, str>>, &'a RawValue)) -> Option<()> {
    struct Each<F>(F);

    impl<'de, F: FnMut(Option<Cow<'de, str>>, &'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                (self.0)(text(name), value);
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(raw.get())
        .deserialize_map(Each(visit))
        .ok()
}

/// The text of a raw string, borrowed where nothing in it is escaped.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if quoted.contains('\\') {
        serde_json::from_str(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(quoted))
    }
}
