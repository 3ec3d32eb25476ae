//! What applies, and where each value comes from: flag, environment, file of the directory, file of the user, default.

mod edit;
mod file;

use std::fmt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::args::GlobalArgs;
use crate::exit::{Complaint, Failure};
use crate::output::{Color, Format};
use crate::shape::nearest;

pub(crate) use edit::set_in_file;
pub(crate) use file::check_key;
use file::{Choices, File};

/// The file that applies in its directory and below.
pub(crate) const PROJECT_FILE: &str = ".stromboli.toml";
/// The user's file, in the folder that the system has for configuration.
const USER_FILE: &str = "stromboli/config.toml";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(&'static str),
    /// A file, and the profile in it.
    File(PathBuf, Option<String>),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File(path, None) => write!(f, "{}", path.display()),
            Self::File(path, Some(profile)) => write!(f, "profile {profile} of {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// What applies to this call of the program.
pub(crate) struct Settings {
    pub(crate) url: Option<Set<String>>,
    pub(crate) profile: Option<Set<String>>,
    /// Not in any file of settings, which are copied and committed.
    pub(crate) token: Option<Set<Proof>>,
    pub(crate) output: Set<Format>,
    pub(crate) color: Set<Color>,
    files: Vec<PathBuf>,
    /// The user's own file, where there is a home for it.
    user_file: Option<PathBuf>,
}

/// What the environment has to prove who the user is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    Token(String),
    /// What access tokens are obtained with, for each call of the program anew.
    Credentials {
        client_id: String,
        api_token: String,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The value of an environment variable.
type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// Where settings come from; `of_process` in the program.
pub(crate) struct Sources<'a> {
    flags: &'a GlobalArgs,
    variable: Lookup<'a>,
    directory: PathBuf,
    /// The user's file, where there is a home for it.
    user_file: Option<PathBuf>,
}

impl<'a> Sources<'a> {
    pub(crate) fn of_process(flags: &'a GlobalArgs) -> Self {
        Self {
            flags,
            // An empty one counts as none, because that is what CI systems make of a secret that is not set.
            variable: Box::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty())),
            directory: std::env::current_dir().unwrap_or_default(),
            user_file: user_file(),
        }
    }
}

/// Where the user's file lies, whether it is there or not.
pub(crate) fn user_file() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join(USER_FILE))
}

/// The nearest file of the directory or one above it.
pub(crate) fn project_file(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|path| path.is_file())
}

impl Settings {
    pub(crate) fn resolve(sources: &Sources<'_>) -> Result<Self, Complaint> {
        let mut files = Vec::new();
        for path in [project_file(&sources.directory), sources.user_file.clone()]
            .into_iter()
            .flatten()
        {
            files.extend(File::read(path)?);
        }
        let variable = |name: &'static str| (sources.variable)(name).map(|value| set(value, Origin::Variable(name)));
        let flag = |name, value: &Option<String>| value.clone().map(|value| set(value, Origin::Flag(name)));
        let flags = sources.flags;

        let named = files.iter().find_map(|file| {
            let name = file.profile.clone()?;
            Some(set(name, Origin::File(file.path.clone(), None)))
        });
        let profile = flag("--profile", &flags.profile)
            .or_else(|| variable("STROMBOLI_PROFILE"))
            .or(named);
        if let Some(profile) = &profile {
            check_profile(&files, &profile.value)?;
        }
        let layers = layers(&files, profile.as_ref().map(|profile| profile.value.as_str()));
        let url = flag("--url", &flags.url).or_else(|| variable("STROMBOLI_URL"));
        let output = flags.output.map(|value| set(value, Origin::Flag("--output")));
        let color = flags.color.map(|value| set(value, Origin::Flag("--color")));
        Ok(Self {
            url: url.or_else(|| first(&layers, |choices| choices.url.clone())),
            token: proof(&variable)?,
            profile,
            output: output
                .or_else(|| first(&layers, |choices| choices.output))
                .unwrap_or_else(default),
            color: color
                .or_else(|| first(&layers, |choices| choices.color))
                .unwrap_or_else(default),
            files: files.iter().map(|file| file.path.clone()).collect(),
            user_file: sources.user_file.clone(),
        })
    }

    /// The files that were read, the most important first.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The file of the directory, if nobody but it names the server. It may have come with a repository of somebody
    /// else's, who must not be given what proves who the user is.
    pub(crate) fn foreign(&self) -> Option<&Path> {
        match &self.url.as_ref()?.origin {
            Origin::File(path, _) if Some(path) != self.user_file.as_ref() => Some(path),
            _ => None,
        }
    }

    /// The server's address.
    pub(crate) fn url(&self) -> Result<&str, Failure> {
        match &self.url {
            Some(url) => Ok(&url.value),
            None => Err(Failure::usage("no server is configured").next(
                "name one with --url or STROMBOLI_URL, or try `stromboli serve`, which needs no Podman and costs nothing",
            )),
        }
    }
}

/// As `Client::from_env` of the library reads it.
fn proof(variable: &impl Fn(&'static str) -> Option<Set<String>>) -> Result<Option<Set<Proof>>, Complaint> {
    if let Some(Set { value, origin }) = variable("STROMBOLI_TOKEN") {
        return Ok(Some(set(Proof::Token(value), origin)));
    }
    let half = |set: &str, missing: &str| Complaint {
        clause: format!("{set} is set without {missing}"),
        next: None,
    };
    match (variable("STROMBOLI_CLIENT_ID"), variable("STROMBOLI_API_TOKEN")) {
        (Some(id), Some(Set { value, origin })) => {
            let (client_id, api_token) = (id.value, value);
            Ok(Some(set(Proof::Credentials { client_id, api_token }, origin)))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(half("STROMBOLI_CLIENT_ID", "STROMBOLI_API_TOKEN")),
        (None, Some(_)) => Err(half("STROMBOLI_API_TOKEN", "STROMBOLI_CLIENT_ID")),
    }
}

fn set<T>(value: T, origin: Origin) -> Set<T> {
    Set { value, origin }
}

fn default<T: Default>() -> Set<T> {
    set(T::default(), Origin::Default)
}

type Layer<'a> = (&'a Choices, Origin);

/// What the files choose, the most important first: of each file the profile, then what stands above all profiles.
fn layers<'a>(files: &'a [File], profile: Option<&str>) -> Vec<Layer<'a>> {
    let of_file = |file: &'a File| {
        let origin = |profile: Option<&str>| Origin::File(file.path.clone(), profile.map(str::to_owned));
        let chosen = profile.and_then(|name| file.profiles.get(name));
        let chosen = chosen.map(|choices| (choices, origin(profile)));
        chosen.into_iter().chain([(&file.choices, origin(None))])
    };
    files.iter().flat_map(of_file).collect()
}

fn first<T>(layers: &[Layer<'_>], get: impl Fn(&Choices) -> Option<T>) -> Option<Set<T>> {
    layers
        .iter()
        .find_map(|(choices, origin)| Some(set(get(choices)?, origin.clone())))
}

/// Refuses the name of a profile that none of these files has.
pub(crate) fn known_profile(name: &str, paths: Vec<PathBuf>) -> Result<(), Complaint> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(File::read(path)?);
    }
    check_profile(&files, name)
}

fn check_profile(files: &[File], name: &str) -> Result<(), Complaint> {
    let names = || files.iter().flat_map(|file| file.profiles.keys().map(String::as_str));
    if names().any(|known| known == name) {
        return Ok(());
    }
    Err(Complaint {
        clause: format!("there is no profile {name}"),
        next: Some(match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("put it into {PROJECT_FILE} or the user's file, as [profiles.{name}]"),
        }),
    })
}

#[cfg(test)]
mod tests;
