//! Objects and strings as raw text.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A value whose fields were looked at once.
pub(crate) struct Object<'a> {
    /// All of it.
    pub(crate) raw: &'a RawValue,
    /// Its fields, if they can be told by name; see [`fields`].
    pub(crate) fields: Option<Vec<(Cow<'a, str>, &'a RawValue)>>,
}

impl<'a> Object<'a> {
    pub(crate) fn new(raw: &'a RawValue) -> Self {
        let fields = fields(raw);
        Self { raw, fields }
    }

    /// The text of a field, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        match &self.fields {
            Some(fields) => {
                let at = fields.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok();
                at.and_then(|at| fields.get(at)).map(|(_, value)| *value)
            }
            None => lookup(self.raw, name),
        }
        .and_then(text)
    }
}

/// Written as they were written.
#[derive(Default)]
pub(crate) struct Written<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Written<'a> {
    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        self.0.push((name, value));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ordered by name; of a repeated name the last one, as everywhere in serde_json.
    pub(crate) fn sorted(self) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        let mut fields = self.0;
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, kept| {
            let again = later.0 == kept.0;
            if again {
                kept.1 = later.1;
            }
            again
        });
        fields
    }
}

/// The fields, ordered by name. `None` for what is no object, or one with a name that Rust's strings cannot hold (half of
/// a surrogate pair).
pub(crate) fn fields(raw: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    let mut found = Written::default();
    let mut fits = true;
    each(raw, |name, value| match name {
        Some(name) => found.push(name, value),
        None => fits = false,
    })?;
    fits.then(|| found.sorted())
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

/// The text of a raw string in which halves of surrogate pairs stand alone: each becomes U+FFFD.
pub(crate) fn text_of_halves(raw: &RawValue) -> Option<String> {
    raw.get().starts_with('"').then_some(())?;
    let mut whole = String::with_capacity(raw.get().len());
    let mut rest = raw.get();
    while let Some((before, escape)) = rest.split_once('\\') {
        whole.push_str(before);
        // Two bytes, or six of `\u0000`; all of them are ASCII.
        let (length, replacement) = match (
            unit(escape),
            escape.get(5..).and_then(|next| unit(next.strip_prefix('\\')?)),
        ) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (11, None),
            (Some(0xD800..=0xDFFF), _) => (5, Some("\\ufffd")),
            _ => (1, None),
        };
        match replacement {
            Some(replacement) => whole.push_str(replacement),
            None => {
                whole.push('\\');
                whole.push_str(escape.get(..length)?);
            }
        }
        rest = escape.get(length..)?;
    }
    whole.push_str(rest);
    serde_json::from_str(&whole).ok()
}

/// The UTF-16 unit of `u0000`.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
