//! A file of settings.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::exit::Complaint;
use crate::output::{Color, Format};
use crate::shape::Shape;

/// What a file, or a profile of it, can choose.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Choices {
    pub(super) url: Option<String>,
    pub(super) output: Option<Format>,
    pub(super) color: Option<Color>,
}

/// The keys that stand in a file beside those of [`Choices`].
#[derive(Deserialize)]
struct Head {
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Map<String, Value>>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// The profile that applies if nobody names one.
    pub(super) profile: Option<String>,
    pub(super) choices: Choices,
    pub(super) profiles: BTreeMap<String, Choices>,
}

impl File {
    /// Reads a file, if it is there.
    pub(super) fn read(path: PathBuf) -> Result<Option<Self>, Complaint> {
        let complain = |clause: String, next: Option<String>| Complaint {
            clause: format!("{}: {clause}", path.display()),
            next,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(complain(format!("cannot be read: {error}"), None)),
        };
        let parsed = parse(&text).map_err(|(clause, next)| complain(clause, next))?;
        let (head, choices, profiles) = parsed;
        Ok(Some(Self {
            profile: head.profile,
            choices,
            profiles,
            path,
        }))
    }
}

type Problem = (String, Option<String>);

fn parse(text: &str) -> Result<(Head, Choices, BTreeMap<String, Choices>), Problem> {
    let whole: Map<String, Value> =
        toml::from_str(text).map_err(|error| (error.to_string().trim_end().to_owned(), None))?;
    let is_head = |key: &str| Shape::of::<Head>().at(&[key]).is_ok();
    let (head, rest): (Map<_, _>, Map<_, _>) = whole.into_iter().partition(|(key, _)| is_head(key));
    let head: Head = typed(head, "the file")?;
    let choices = typed(rest, "the file")?;
    let mut profiles = BTreeMap::new();
    for (name, table) in &head.profiles {
        profiles.insert(name.clone(), typed(table.clone(), &format!("profile {name}"))?);
    }
    Ok((head, choices, profiles))
}

fn typed<T: DeserializeOwned>(table: Map<String, Value>, place: &str) -> Result<T, Problem> {
    Shape::of::<T>().check(&table).map_err(|unknown| unknown.words(place))?;
    T::deserialize(Value::Object(table)).map_err(|error| (format!("{place}: {error}"), None))
}
