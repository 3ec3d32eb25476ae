//! Which keys a type has, asked of its own `Deserialize`: there is no list that could fall behind the contract.

mod probe;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Names further apart than this are not taken for slips of each other; 1 is the same name.
const SIMILAR: f64 = 0.5;

/// What a value of a type looks like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Text, a number or a boolean.
    Scalar,
    List,
    /// An object with keys of the user's.
    Map,
    /// An object with these keys.
    Struct(Vec<(&'static str, Shape)>),
    Any,
}

/// A key that a type does not have.
#[derive(Debug, PartialEq)]
pub(crate) struct UnknownKey {
    /// With the keys above it, joined by dots.
    pub(crate) path: String,
    pub(crate) nearest: Option<String>,
}

impl Shape {
    pub(crate) fn of<T: DeserializeOwned>() -> Self {
        probe::shape::<T>()
    }

    /// The shape at a path of keys, or the key that does not exist.
    pub(crate) fn at(&self, path: &[&str]) -> Result<&Shape, UnknownKey> {
        let mut shape = self;
        for (depth, key) in path.iter().enumerate() {
            shape = match shape {
                Self::Struct(fields) => match fields.iter().find(|(name, _)| name == key) {
                    Some((_, shape)) => shape,
                    None => {
                        let above = path.get(..depth).unwrap_or_default();
                        return Err(unknown(above, key, fields.iter().map(|(name, _)| *name)));
                    }
                },
                _ => &Self::Any,
            };
        }
        Ok(shape)
    }

    /// The first key of an object, at any depth, that the type does not have.
    pub(crate) fn check(&self, object: &Map<String, Value>) -> Result<(), UnknownKey> {
        self.check_below(object, &mut Vec::new())
    }

    fn check_below<'a>(&self, object: &'a Map<String, Value>, above: &mut Vec<&'a str>) -> Result<(), UnknownKey> {
        for (key, value) in object {
            above.push(key);
            self.at(above)?;
            if let Value::Object(object) = value {
                self.check_below(object, above)?;
            }
            above.pop();
        }
        Ok(())
    }

    /// Every key, those of nested objects with the keys above them.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> Vec<String> {
        let Self::Struct(fields) = self else { return Vec::new() };
        let below = |(name, shape): &(&'static str, Shape)| {
            let nested = shape.keys().into_iter().map(|key| format!("{name}.{key}"));
            std::iter::once((*name).to_owned())
                .chain(nested.collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        fields.iter().flat_map(below).collect()
    }
}

fn unknown<'a>(above: &[&str], key: &str, names: impl Iterator<Item = &'a str>) -> UnknownKey {
    let joined = |key: &str| [above, &[key]].concat().join(".");
    UnknownKey {
        path: joined(key),
        nearest: nearest(key, names).map(joined),
    }
}

/// The name that `key` is most probably a slip of.
pub(crate) fn nearest<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let key = key.to_lowercase().replace('-', "_");
    names
        .map(|name| (strsim::normalized_damerau_levenshtein(&key, name), name))
        .filter(|(similar, _)| *similar >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

impl UnknownKey {
    /// One clause, and what was probably meant.
    pub(crate) fn words(&self, place: &str) -> (String, Option<String>) {
        let meant = self
            .nearest
            .as_ref()
            .map(|nearest| format!("did you mean `{nearest}`?"));
        (format!("{place} has no key `{}`", self.path), meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stromboli::{ClaudeOptions, PodmanOptions, RunRequest};

    #[test]
    fn a_type_tells_its_keys() {
        let Shape::Struct(fields) = Shape::of::<RunRequest>() else {
            panic!()
        };
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["claude", "podman", "prompt", "webhook_url", "workdir"]);
        let podman = Shape::of::<PodmanOptions>();
        for (path, shape) in [
            ("cpus", Shape::Scalar),
            ("cpu_shares", Shape::Scalar),
            ("volumes", Shape::List),
            ("secrets_env", Shape::Map),
            ("lifecycle.post_start", Shape::List),
        ] {
            assert_eq!(podman.at(&path.split('.').collect::<Vec<_>>()), Ok(&shape), "{path}");
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let claude = Shape::of::<ClaudeOptions>();
        for (key, near) in [
            ("modle", Some("model")),
            ("max-turns", Some("max_turns")),
            ("allowedTools", Some("allowed_tools")),
            ("zzz", None),
        ] {
            let unknown = claude.at(&[key]).unwrap_err();
            assert_eq!(unknown.nearest.as_deref(), near, "{key}");
        }
        let value = json!({"memory": "1g", "lifecycle": {"post_strat": []}});
        let unknown = Shape::of::<PodmanOptions>()
            .check(value.as_object().unwrap())
            .unwrap_err();
        assert_eq!(unknown.path, "lifecycle.post_strat");
        assert_eq!(unknown.nearest.as_deref(), Some("lifecycle.post_start"));
    }
}
