//! What this version does not know, kept as it was written.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Serialize, Serializer,
    de::{Error, MapAccess},
};
use serde_json::value::RawValue;

use crate::{
    Json,
    wire::{Borrowed, Line, Object, Pending, Variant, lookup, text},
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

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl Variant for Unknown {
    fn read_rest<'de, A: MapAccess<'de>>(pending: Pending<'de>, mut map: A, _depth: usize) -> Result<Self, A::Error> {
        let mut fields = pending.fields;
        while let Some(name) = map.next_key_seed(Borrowed)? {
            if name == "type" {
                return Err(A::Error::custom("another type, which counts"));
            }
            fields.push((name, map.next_value()?));
        }
        let mut object = String::from("{");
        if let Some((tag, value)) = &pending.tag {
            write(
                &mut object,
                tag,
                &serde_json::to_string(value).map_err(A::Error::custom)?,
            )?;
        }
        for (name, value) in &fields {
            write(&mut object, name, value.get())?;
        }
        object.push('}');
        let json = RawValue::from_string(object).map_err(A::Error::custom)?;
        Ok(Json::from(json).into())
    }

    fn recover_object(object: &Object<'_>, _depth: usize) -> Option<Self> {
        Some(Self {
            type_name: object.text("type").map(Cow::into_owned),
            json: Json::from(object.raw),
        })
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
    fn new(object: &Object<'_>) -> Self {
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
        Self::new(&Object::new(json.as_raw()))
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

impl Serialize for UnknownMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl Line for UnknownMessage {
    fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    fn line(&self) -> Option<&str> {
        self.line.as_deref().map(String::as_str)
    }

    fn keep_line(&mut self, line: Arc<String>) {
        self.line = Some(line);
    }
}

impl Variant for Box<UnknownMessage> {
    /// The lenient way reads the whole line at once instead of putting its pieces together again.
    fn read_rest<'de, A: MapAccess<'de>>(_pending: Pending<'de>, _map: A, _depth: usize) -> Result<Self, A::Error> {
        Err(A::Error::custom("an unknown message"))
    }

    fn recover_object(object: &Object<'_>, _depth: usize) -> Option<Self> {
        // Of the JSON that is no object, nothing is a message.
        object
            .raw
            .get()
            .starts_with('{')
            .then(|| Self::new(UnknownMessage::new(object)))
    }
}

/// Writes one more field.
fn write<E: Error>(object: &mut String, name: &str, value: &str) -> Result<(), E> {
    if object.len() > 1 {
        object.push(',');
    }
    object.push_str(&serde_json::to_string(name).map_err(E::custom)?);
    object.push(':');
    object.push_str(value);
    Ok(())
}
