//! Formats that lend no text, as most but JSON.

use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use stromboli_generated::types::{JobStatus, SessionInfo};

/// A text that is there for whoever asks for a `String`.
struct Owned(&'static str);

impl<'de> Deserializer<'de> for Owned {
    type Error = Error;

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0.to_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not lent"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for Owned {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[test]
fn texts_need_not_be_lent() {
    let fields = [("id", Owned("s-1")), ("title", Owned("a"))];
    let info = SessionInfo::deserialize(MapDeserializer::new(fields.into_iter())).unwrap();
    assert_eq!((info.id.as_str(), info.title.as_deref()), ("s-1", Some("a")));
    assert_eq!(JobStatus::deserialize(Owned("running")), Ok(JobStatus::Running));
}
