//! Options of a request, put together from a file, from `key=value` and from flags. The type of the request says which
//! keys there are and what fits, so a new field of the contract needs no line here.

use std::marker::PhantomData;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::exit::Failure;
use crate::shape::{Shape, UnknownKey};

/// Options of type `T` that are being put together. What is set later replaces what was set before.
pub(crate) struct Draft<T> {
    /// What they are called in messages: the flag `--claude`, or `--podman`.
    flag: &'static str,
    shape: Shape,
    values: Map<String, Value>,
    /// Lists that `assign` began, and that it goes on with.
    begun: Vec<String>,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> Draft<T> {
    /// Nothing set, or what a file says.
    pub(crate) fn new(flag: &'static str, file: Option<Map<String, Value>>) -> Self {
        Self {
            flag,
            shape: Shape::of::<T>(),
            values: file.unwrap_or_default(),
            begun: Vec::new(),
            of: PhantomData,
        }
    }

    /// Takes `key=value`. The value is JSON if that fits the key, else text; a list takes one element after the other, and
    /// a key of a nested object is written with a dot.
    pub(crate) fn assign(&mut self, text: &str) -> Result<(), Failure> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Failure::usage(format!("{} {text} has no value", self.flag))
                .next(format!("write it as {} {text}=VALUE", self.flag)));
        };
        let path: Vec<&str> = key.split('.').collect();
        let shape = self.shape.at(&path).map_err(|unknown| refuse(&unknown, self.flag))?;
        let text = Value::from(value);
        let mut candidates: Vec<Value> = serde_json::from_str(value).into_iter().collect();
        if *shape == Shape::List {
            let mut list = match self.begun.iter().any(|begun| begun == key) {
                true => self.get(&path).and_then(Value::as_array).cloned().unwrap_or_default(),
                false => Vec::new(),
            };
            list.push(text.clone());
            candidates.push(Value::Array(list));
            self.begun.push(key.to_owned());
        }
        candidates.push(text);
        let mut problem = None;
        for candidate in candidates {
            let mut values = self.values.clone();
            put(&mut values, &path, candidate);
            match T::deserialize(Value::Object(values.clone())) {
                Ok(_) => {
                    self.values = values;
                    return Ok(());
                }
                Err(error) => problem = Some(error),
            }
        }
        let problem = problem.map(|error| error.to_string()).unwrap_or_default();
        Err(Failure::usage(format!(
            "{} {key} cannot be {value}: {problem}",
            self.flag
        )))
    }

    /// Sets what a flag of its own gave, if it was given.
    pub(crate) fn set(&mut self, key: &'static str, value: Option<impl Serialize>) -> Result<(), Failure> {
        if let Some(value) = value {
            let value = serde_json::to_value(value).map_err(|error| Failure::usage(error.to_string()))?;
            self.values.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// The options, or none if nothing was set.
    pub(crate) fn build(self) -> Result<Option<T>, Failure> {
        if self.values.is_empty() {
            return Ok(None);
        }
        let options = T::deserialize(Value::Object(self.values));
        options
            .map(Some)
            .map_err(|error| Failure::usage(format!("{} options: {error}", self.flag)))
    }

    fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.values.get(*first)?, |value, key| value.get(*key))
    }
}

fn put(values: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => drop(values.insert((*key).to_owned(), value)),
        [key, rest @ ..] => {
            let below = values.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            if let Value::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

fn refuse(unknown: &UnknownKey, place: &str) -> Failure {
    let (clause, meant) = unknown.words(place);
    let failure = Failure::usage(clause);
    match meant {
        Some(meant) => failure.next(meant),
        None => failure,
    }
}

/// Reads a file of options, TOML or by its name JSON, and checks its keys against `T`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Map<String, Value>, Failure> {
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{place} cannot be read: {error}")))?;
    let values = match path.extension().is_some_and(|end| end == "json") {
        true => serde_json::from_str(&text).map_err(|error| error.to_string()),
        false => toml::from_str(&text).map_err(|error| error.to_string()),
    };
    let values: Map<String, Value> =
        values.map_err(|error| Failure::usage(format!("{place} cannot be understood: {}", error.trim_end())))?;
    Shape::of::<T>()
        .check(&values)
        .map_err(|unknown| refuse(&unknown, &place))?;
    match T::deserialize(Value::Object(values.clone())) {
        Ok(_) => Ok(values),
        Err(error) => Err(Failure::usage(format!("{place}: {error}"))),
    }
}

#[cfg(test)]
mod tests;
