//! What somebody writes by hand who needs only the texts, tools and cost: everything else is passed over.

use std::fmt;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;

#[derive(Deserialize)]
pub struct Line {
    pub r#type: String,
    pub subtype: Option<String>,
    pub session_id: Option<String>,
    pub uuid: Option<String>,
    pub parent_tool_use_id: Option<String>,
    pub message: Option<Body>,
    pub event: Option<Event>,
    pub result: Option<String>,
    pub is_error: Option<bool>,
    pub total_cost_usd: Option<f64>,
    pub num_turns: Option<u64>,
    pub usage: Option<Usage>,
}

#[derive(Deserialize)]
pub struct Body {
    pub id: Option<String>,
    pub role: String,
    pub model: Option<String>,
    pub content: Content,
    pub stop_reason: Option<String>,
    pub usage: Option<Usage>,
}

#[derive(Deserialize)]
pub struct Usage {
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cache_creation_input_tokens: Option<u64>,
    pub cache_read_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
pub struct Block {
    pub r#type: String,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<Value>,
    pub tool_use_id: Option<String>,
    pub content: Option<Content>,
    pub is_error: Option<bool>,
}

#[derive(Deserialize)]
pub struct Event {
    pub r#type: String,
    pub index: Option<u64>,
    pub delta: Option<Delta>,
    pub content_block: Option<Block>,
}

#[derive(Deserialize)]
pub struct Delta {
    pub r#type: Option<String>,
    pub text: Option<String>,
    pub partial_json: Option<String>,
    pub stop_reason: Option<String>,
}

/// By a visitor: `#[serde(untagged)]` would keep all of it in between.
pub enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Content, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Content::Blocks)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
pub struct Page {
    pub messages: Vec<PageMessage>,
    pub total: u64,
    pub has_more: bool,
}

#[derive(Deserialize)]
pub struct PageMessage {
    pub uuid: String,
    pub r#type: String,
    pub timestamp: Option<String>,
    pub content: PageContent,
}

#[derive(Deserialize)]
pub struct PageContent {
    pub role: String,
    pub model: Option<String>,
    pub content: Option<Vec<Block>>,
}
