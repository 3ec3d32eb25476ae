//! A file of settings.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::exit::Complaint;
use crate::output::{Color, Format};
use crate::shape::{Shape, nearest};

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
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::of(path, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(complain(&path, &format!("cannot be read: {error}"), None)),
        }
    }

    fn of(path: PathBuf, text: &str) -> Result<Self, Complaint> {
        let (head, choices, profiles) = parse(text).map_err(|(clause, next)| complain(&path, &clause, next))?;
        Ok(Self {
            profile: head.profile,
            choices,
            profiles,
            path,
        })
    }
}

fn complain(path: &Path, clause: &str, next: Option<String>) -> Complaint {
    Complaint {
        clause: format!("{}: {clause}", path.display()),
        next,
    }
}

/// Refuses a key that no file can have: those of [`Choices`], below `profiles.NAME.` as well, and `profile`.
pub(crate) fn check_key(key: &str) -> Result<(), Complaint> {
    let choices = names(&Shape::of::<Choices>());
    let segments: Vec<&str> = key.split('.').collect();
    let (above, last, known) = match segments.as_slice() {
        ["profiles", name, last] if !name.is_empty() => (format!("profiles.{name}."), *last, choices),
        _ => (String::new(), key, [choices, vec!["profile"]].concat()),
    };
    if known.contains(&last) {
        return Ok(());
    }
    Err(Complaint {
        clause: format!("there is no setting `{key}`"),
        next: Some(match nearest(last, known.iter().copied()) {
            Some(near) => format!("did you mean `{above}{near}`?"),
            None => format!("the settings are {}, and profiles.NAME.KEY", known.join(", ")),
        }),
    })
}

fn names(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Struct(fields) => fields.iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    }
}

/// Whether a file may say this.
pub(super) fn check(path: &Path, text: &str) -> Result<(), Complaint> {
    File::of(path.to_owned(), text).map(drop)
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
