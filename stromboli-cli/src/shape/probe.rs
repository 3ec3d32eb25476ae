//! A deserializer that has no data: it looks at what a type asks for.

use std::cell::RefCell;

use serde::de::value::{Error, MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Shape;

/// What `T` asks for. A part of it that refuses the stand-ins it is given is [`Shape::Any`], and so is what follows it.
pub(super) fn shape<T: DeserializeOwned>() -> Shape {
    let found = RefCell::new(Shape::Any);
    let _ = T::deserialize(Probe(&found));
    found.into_inner()
}

struct Probe<'a>(&'a RefCell<Shape>);

impl Probe<'_> {
    fn is(&self, shape: Shape) {
        *self.0.borrow_mut() = shape;
    }
}

type Nothing = std::iter::Empty<&'static str>;

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Scalar);
        visitor.visit_bool(false)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Scalar);
        visitor.visit_i64(0)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Scalar);
        visitor.visit_f64(0.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Scalar);
        visitor.visit_str("")
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::List);
        visitor.visit_seq(SeqDeserializer::new(Nothing::default()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Map);
        visitor.visit_map(MapDeserializer::new(Nothing::default().map(|key| (key, key))))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut fields = Fields {
            names,
            found: Vec::new(),
        };
        let value = visitor.visit_map(&mut fields);
        let rest = names.get(fields.found.len()..).unwrap_or_default();
        fields.found.extend(rest.iter().map(|name| (*name, Shape::Any)));
        self.is(Shape::Struct(fields.found));
        value
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.is(Shape::Scalar);
        Err(Error::custom("no stand-in for a value of an enum"))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Fields {
    names: &'static [&'static str],
    found: Vec<(&'static str, Shape)>,
}

impl<'de> MapAccess<'de> for &mut Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.names.get(self.found.len()) {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let shape = RefCell::new(Shape::Any);
        let value = seed.deserialize(Probe(&shape));
        if let Some(name) = self.names.get(self.found.len()) {
            self.found.push((*name, shape.into_inner()));
        }
        value
    }
}
