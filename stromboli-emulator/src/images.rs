//! The images on the server, and the registry that more of them come from.

mod catalogue;
pub(crate) mod name;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use jiff::Timestamp;

use crate::state::lock;

use catalogue::{CATALOGUE, Entry, MIRRORS};
use name::Name;

/// The label of an image that was made for Stromboli.
const COMPATIBLE: &str = "ai.stromboli.compatible";
/// Our names for labels of which only the effects are known.
const CLAUDE_CLI: &str = "ai.stromboli.claude-cli";
const TOOLS: &str = "ai.stromboli.tools";
const DESCRIPTION: &str = "org.opencontainers.image.description";

/// What the registry can deliver an image for.
const PLATFORMS: [&str; 3] = ["linux/amd64", "linux/arm64", "linux/arm64/v8"];
/// How large an image is, and when it was built, that nothing else is known of.
const SIZE: i64 = 100_000_000;
const BUILT: i64 = 1_777_600_000;

/// The images on the server, and those that it could pull.
pub(crate) struct Images {
    local: Mutex<Vec<Image>>,
    registry: Vec<Image>,
}

/// An image with its name and tag.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: Name,
    pub(crate) size: i64,
    pub(crate) created: Timestamp,
    pub(crate) labels: BTreeMap<&'static str, &'static str>,
}

/// How well an image suits an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    MadeForStromboli = 1,
    HasClaude = 2,
    Glibc = 3,
    Incompatible = 4,
}

/// An image as the registry lists it when it is searched.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) description: &'static str,
    pub(crate) stars: u32,
    pub(crate) official: bool,
}

impl Images {
    /// The built-in images, and the names of others that the registry has.
    pub(crate) fn new(others: &[String]) -> Self {
        let local = CATALOGUE.iter().flat_map(|entry| Image::tagged(entry, entry.local));
        let registry = CATALOGUE.iter().flat_map(|entry| Image::tagged(entry, entry.registry));
        let others = others
            .iter()
            .map(|name| Image::new(Name::of_registry(name), SIZE, BUILT, &[]));
        Self {
            local: Mutex::new(local.collect()),
            registry: registry.chain(others).collect(),
        }
    }

    /// All images on the server, in the order of their ranks, as far as these are known without labels.
    pub(crate) fn list(&self) -> Vec<Image> {
        let mut images = lock(&self.local).clone();
        images.sort_by_key(Image::rank_by_name);
        images
    }

    /// The image of that name or id.
    pub(crate) fn get(&self, name: &str) -> Option<Image> {
        let wanted = Name::parse(name);
        let images = lock(&self.local);
        let named = images.iter().find(|image| image.name.answers_to(&wanted));
        named
            .or_else(|| images.iter().find(|image| image.has_id(name)))
            .cloned()
    }

    /// Puts an image of the registry onto the server and returns its id; none if the registry does not have it.
    pub(crate) fn pull(&self, name: &str, platform: &str) -> Option<String> {
        if !platform.is_empty() && !PLATFORMS.contains(&platform) {
            return None;
        }
        let wanted = Name::of_registry(name);
        let image = self.registry.iter().find(|image| image.name == wanted)?;
        let mut local = lock(&self.local);
        if !local.iter().any(|present| present.name == wanted) {
            local.push(image.clone());
        }
        Some(image.id.clone())
    }

    /// What the registry has for `query`, the most popular first.
    pub(crate) fn search(&self, query: &str) -> Vec<Found> {
        let query = query.to_lowercase();
        let mut found: Vec<_> = CATALOGUE.iter().flat_map(Entry::found).collect();
        found.retain(|found| found.name.contains(&query) || found.description.to_lowercase().contains(&query));
        found.sort_by_key(|found| std::cmp::Reverse(found.stars));
        found
    }
}

impl Image {
    fn new(name: Name, size: i64, built: i64, labels: &[(&'static str, &'static str)]) -> Self {
        Self {
            id: id(&name),
            name,
            size,
            created: Timestamp::from_second(built).unwrap_or_default(),
            labels: labels.iter().copied().collect(),
        }
    }

    fn tagged(entry: &Entry, tags: &[&str]) -> impl Iterator<Item = Self> {
        let names = tags.iter().map(|tag| Name::new(entry.repository, tag));
        names.map(|name| Self::new(name, entry.size, entry.built, entry.labels))
    }

    /// What podman takes for the image's id: all of it, or at least its first 12 digits.
    fn has_id(&self, id: &str) -> bool {
        id.len() >= 12 && self.id.starts_with(id)
    }

    /// The rank as far as the name tells it, which is how the list of images has it.
    pub(crate) fn rank_by_name(&self) -> Rank {
        if self.name.is_without_glibc() {
            Rank::Incompatible
        } else {
            Rank::Glibc
        }
    }

    /// The rank with what the labels say.
    pub(crate) fn rank(&self) -> Rank {
        if self.labels.get(COMPATIBLE) == Some(&"true") {
            Rank::MadeForStromboli
        } else if self.has_claude() {
            Rank::HasClaude
        } else {
            self.rank_by_name()
        }
    }

    /// By its labels.
    pub(crate) fn has_claude(&self) -> bool {
        self.labels.get(CLAUDE_CLI) == Some(&"true")
    }

    /// By its labels.
    pub(crate) fn tools(&self) -> Vec<&'static str> {
        let tools = self.labels.get(TOOLS).copied().unwrap_or_default();
        tools.split(',').filter(|tool| !tool.is_empty()).collect()
    }

    /// By its labels.
    pub(crate) fn description(&self) -> &'static str {
        self.labels.get(DESCRIPTION).copied().unwrap_or_default()
    }
}

impl Rank {
    pub(crate) fn is_compatible(self) -> bool {
        self != Self::Incompatible
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::MadeForStromboli => "Made for Stromboli (compatible)",
            Self::HasClaude => "Contains the Claude CLI (compatible)",
            Self::Glibc => "Standard glibc-based (compatible)",
            Self::Incompatible => "Alpine, musl or distroless (not compatible)",
        }
    }
}

impl Entry {
    /// What a search of Docker Hub finds of it: the repository, and its mirrors.
    fn found(&self) -> Vec<Found> {
        let Some(short) = self.repository.strip_prefix("docker.io/library/") else {
            return Vec::new();
        };
        let found = |name, stars, official| Found {
            name,
            description: self.description,
            stars,
            official,
        };
        let mirror = |number| found(format!("docker.io/mirror{number}/{short}"), MIRRORS - number, false);
        let own = found(self.repository.to_owned(), self.stars, true);
        [own].into_iter().chain((0..MIRRORS).map(mirror)).collect()
    }
}

/// 64 hexadecimal digits that are always the same for a name.
fn id(name: &Name) -> String {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let mut random = fastrand::Rng::with_seed(hasher.finish());
    (0..4).map(|_| format!("{:016x}", random.u64(..))).collect()
}
