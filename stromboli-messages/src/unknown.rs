//! What this version does not know, kept as it was written.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{
    Json,
    wire::{Object, Shape, Shown, Variant, View, lookup, text},
};

/// A part of a message of a type that this version does not know.
#[derive(Clone, PartialEq)]
pub struct Unknown {
    type_name: Option<String>,
    json: Json,
}

impl Unknown {
    /// Its `type`; `None` where it has none.
    pub fn type_name(&self) -> Option<&str> {
        self.type_name.as_deref()
    }

    /// All of it.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// One of its fields.
    pub fn get(&self, name: &str) -> Option<Json> {
        lookup(self.json.as_raw(), name).map(Json::from)
    }
}

impl From<Json> for Unknown {
    fn from(json: Json) -> Self {
        let type_name = lookup(json.as_raw(), "type").and_then(text).map(Cow::into_owned);
        Self { type_name, json }
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("type", &self.type_name)
            .finish_non_exhaustive()
    }
}

impl Shown for Unknown {
    fn view(&self) -> View<'_> {
        View::Unknown(self)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl Unknown {
    /// What the strict way has read of it: what says its type, and its other fields.
    pub(crate) fn of_fields((tag, value): (&str, &str), fields: &[(&str, &RawValue)]) -> serde_json::Result<Self> {
        let mut object = String::from("{");
        write(&mut object, tag, &serde_json::to_string(value)?)?;
        for (name, value) in fields {
            write(&mut object, name, value.get())?;
        }
        object.push('}');
        Ok(Json::from(RawValue::from_string(object)?).into())
    }

    pub(crate) fn of_object(object: &Object<'_>) -> Self {
        Self {
            type_name: object.text("type").map(Cow::into_owned),
            json: Json::from(object.raw),
        }
    }
}

impl Variant for Unknown {
    fn empty() -> Self {
        Self {
            type_name: None,
            json: Json::null(),
        }
    }

    fn shape(&mut self) -> Shape<'_> {
        Shape::Unknown(self)
    }
}

/// A message of a type or subtype that this version does not know.
#[derive(Clone)]
pub struct UnknownMessage {
    type_name: Option<String>,
    subtype: Option<String>,
    uuid: Option<String>,
    session_id: Option<String>,
    parent_tool_use_id: Option<String>,
    json: Json,
    line: Option<Arc<String>>,
}

impl UnknownMessage {
    /// Its `type`; `None` where it has none.
    pub fn type_name(&self) -> Option<&str> {
        self.type_name.as_deref()
    }

    /// Its `subtype`.
    pub fn subtype(&self) -> Option<&str> {
        self.subtype.as_deref()
    }

    /// The tool use it was said in, when a subagent said it.
    pub fn parent_tool_use_id(&self) -> Option<&str> {
        self.parent_tool_use_id.as_deref()
    }

    /// The line it was parsed from, as it was; `None` for what was not parsed by
    /// [`Message::parse`](crate::Message::parse).
    pub fn raw(&self) -> Option<&str> {
        self.line.as_deref().map(String::as_str)
    }

    /// All of it.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// One of its fields.
    pub fn get(&self, name: &str) -> Option<Json> {
        lookup(self.json.as_raw(), name).map(Json::from)
    }
}

impl UnknownMessage {
    pub(crate) fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    pub(crate) fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    pub(crate) fn keep_line(&mut self, line: Arc<String>) {
        self.line = Some(line);
    }

    pub(crate) fn of_object(object: &Object<'_>) -> Self {
        let text = |name| object.text(name).map(Cow::into_owned);
        Self {
            type_name: text("type"),
            subtype: text("subtype"),
            uuid: text("uuid"),
            session_id: text("session_id"),
            parent_tool_use_id: text("parent_tool_use_id"),
            json: Json::from(object.raw),
            line: None,
        }
    }
}

impl From<Json> for UnknownMessage {
    fn from(json: Json) -> Self {
        Self::of_object(&Object::new(json.as_raw()))
    }
}

impl PartialEq for UnknownMessage {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl fmt::Debug for UnknownMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownMessage")
            .field("type", &self.type_name)
            .field("subtype", &self.subtype)
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

impl Shown for UnknownMessage {
    fn view(&self) -> View<'_> {
        View::UnknownMessage(self)
    }
}

impl Serialize for UnknownMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl Variant for Box<UnknownMessage> {
    fn empty() -> Self {
        Self::new(UnknownMessage {
            type_name: None,
            subtype: None,
            uuid: None,
            session_id: None,
            parent_tool_use_id: None,
            json: Json::null(),
            line: None,
        })
    }

    fn shape(&mut self) -> Shape<'_> {
        Shape::UnknownMessage(self)
    }
}

/// Writes one more field.
fn write(object: &mut String, name: &str, value: &str) -> serde_json::Result<()> {
    if object.len() > 1 {
        object.push(',');
    }
    object.push_str(&serde_json::to_string(name)?);
    object.push(':');
    object.push_str(value);
    Ok(())
}
