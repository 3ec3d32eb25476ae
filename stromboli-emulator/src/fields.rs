//! What a request's body sets, by the names of the fields.

use serde_json::{Map, Value};

/// The fields that are set: few, so that they lie in a list, and each once.
#[derive(Default)]
pub(crate) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Sets a field, in the place of what it was set to before.
    pub(crate) fn set(&mut self, name: &'static str, value: Value) {
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The string at `name`, or an empty one: Go's zero value.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The same, taken out.
    pub(crate) fn take_text(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        }
    }

    /// The object at `name`, or an empty one, taken out.
    pub(crate) fn take_object(&mut self, name: &str) -> Map<String, Value> {
        match self.take(name) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        let named = fields.0.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self::Object(named.collect())
    }
}
