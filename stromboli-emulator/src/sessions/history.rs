//! A transcript as the server shows it: each line that it can read becomes a message, WIRE §8.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::timestamp;

/// How long a line, with its end, may be before the server gives up on the whole transcript.
const MAX_LINE: usize = 10 << 20;

/// A line above the limit; the text is Go's.
pub(crate) const LINE_TOO_LONG: &str = "bufio.Scanner: token too long";

/// A message: its names on the wire, and those of the transcript where they differ. What is empty is left out, but for
/// the fields that are always there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Message {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) uuid: String,
    #[serde(rename(deserialize = "parentUuid"), skip_serializing_if = "String::is_empty")]
    #[serde(default, deserialize_with = "or_default")]
    parent_uuid: String,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(rename(deserialize = "sessionId"), default, deserialize_with = "or_default")]
    session_id: String,
    #[serde(default, deserialize_with = "or_default")]
    timestamp: String,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    cwd: String,
    #[serde(rename(deserialize = "gitBranch"), skip_serializing_if = "String::is_empty")]
    #[serde(default, deserialize_with = "or_default")]
    git_branch: String,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(rename(deserialize = "permissionMode"), skip_serializing_if = "String::is_empty")]
    #[serde(default, deserialize_with = "or_default")]
    permission_mode: String,
    #[serde(rename(deserialize = "message"), default, deserialize_with = "object_or_default")]
    pub(crate) content: Content,
    #[serde(rename(deserialize = "toolUseResult"), skip_serializing_if = "Option::is_none")]
    #[serde(default, deserialize_with = "object")]
    tool_result: Option<ToolResult>,
}

/// What a message says; empty for lines that say nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Content {
    #[serde(default, deserialize_with = "or_default")]
    role: String,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub(crate) model: String,
    #[serde(rename(deserialize = "id"), skip_serializing_if = "String::is_empty")]
    #[serde(default, deserialize_with = "or_default")]
    message_id: String,
    /// None, and `null` on the wire, as soon as one block does not fit.
    #[serde(default, deserialize_with = "blocks")]
    content: Option<Vec<Block>>,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    stop_reason: String,
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Counts>,
}

/// A block of any type; those that the server does not know lose what they hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Block {
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Map::is_empty")]
    input: Map<String, Value>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    tool_use_id: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    content: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
}

/// The tokens of one message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Counts {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub(crate) input_tokens: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub(crate) output_tokens: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub(crate) cache_creation_input_tokens: i64,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub(crate) cache_read_input_tokens: i64,
}

/// What a tool gave back.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct ToolResult {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    stderr: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    #[serde(rename(deserialize = "isImage"), skip_serializing_if = "std::ops::Not::not")]
    #[serde(deserialize_with = "or_default")]
    is_image: bool,
}

/// The messages of a transcript: all lines but those that cannot be read and the queue's.
///
/// # Errors
/// [`LINE_TOO_LONG`].
pub(crate) fn messages(transcript: &str, clock: &Clock, utc_offset: Offset) -> Result<Vec<Message>, &'static str> {
    let mut messages = Vec::new();
    for line in transcript.lines() {
        if line.len() >= MAX_LINE {
            return Err(LINE_TOO_LONG);
        }
        let Ok(mut message) = read_object::<Message>(line) else {
            continue;
        };
        if message.kind != "queue-operation" {
            message.timestamp = match message.timestamp.parse::<Timestamp>() {
                Ok(time) => timestamp::rfc3339(time, Offset::UTC),
                Err(_) => timestamp::rfc3339(clock.timestamp(), utc_offset),
            };
            messages.push(message);
        }
    }
    Ok(messages)
}

/// Go's zero value where there is a `null`.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A string is one block of text; a list that has something else than blocks in it is nothing.
fn blocks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Block>>, D::Error> {
    let content = Box::<RawValue>::deserialize(deserializer)?;
    if let Ok(text) = serde_json::from_str::<String>(content.get()) {
        let kind = "text".to_owned();
        return Ok(Some(vec![Block {
            kind,
            text,
            ..Block::default()
        }]));
    }
    let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(content.get()) else {
        return Ok(None);
    };
    let blocks = items.iter().map(|item| read_object(item.get()));
    Ok(blocks.collect::<Result<_, _>>().ok())
}

/// An object, or none where there is a `null`.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let object = value.map(|value| read_object(value.get()));
    object.transpose().map_err(D::Error::custom)
}

fn object_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(object(deserializer)?.unwrap_or_default())
}

/// Reads an object into a struct. Serde would take a list for its fields as well, which Go does not.
fn read_object<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde_json::Error::custom("not an object"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
