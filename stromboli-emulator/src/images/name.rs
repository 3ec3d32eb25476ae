//! The names of images: what the server accepts, and what podman makes of them.

const MAX_NAME: usize = 255;

/// A repository with its registry, and a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) repository: String,
    pub(crate) tag: String,
}

/// Checks what is to be the name of an image, or searched for.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    let repeated = ["//", "::", "...", "---", "___"];
    let valid = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(allowed)
        && !repeated.iter().any(|repeated| name.contains(repeated))
        && name.matches('@').count() < 2;
    if valid {
        Ok(())
    } else {
        Err("validation error: invalid image name")
    }
}

impl Name {
    pub(crate) fn new(repository: &str, tag: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        }
    }

    /// Splits at the colon of the tag; `latest` is the tag of a name without one.
    pub(crate) fn parse(name: &str) -> Self {
        match name.rsplit_once(':') {
            // A slash behind the colon: it is that of a registry's port.
            Some((repository, tag)) if !tag.contains('/') => Self::new(repository, tag),
            _ => Self::new(name, "latest"),
        }
    }

    /// The name in full: one without a registry is Docker Hub's.
    pub(crate) fn of_registry(name: &str) -> Self {
        let mut parsed = Self::parse(name);
        let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
        match parsed.repository.split_once('/') {
            Some((first, _)) if is_registry(first) => {}
            Some(_) => parsed.repository.insert_str(0, "docker.io/"),
            None => parsed.repository.insert_str(0, "docker.io/library/"),
        }
        parsed
    }

    /// Whether podman takes `short` for this image: the repository may lack what comes before a slash.
    pub(crate) fn answers_to(&self, short: &Self) -> bool {
        let before = self.repository.strip_suffix(&short.repository);
        self.tag == short.tag && before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }

    /// Whether the name says that the image is of a kind in which Claude Code cannot run.
    pub(crate) fn is_without_glibc(&self) -> bool {
        let kinds = ["alpine", "musl", "distroless", "busybox"];
        kinds
            .iter()
            .any(|kind| self.repository.contains(kind) || self.tag.contains(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_completed_as_podman_does_it() {
        let cases = [
            ("python", "docker.io/library/python", "latest"),
            ("python:3.12", "docker.io/library/python", "3.12"),
            ("bitnami/redis:7", "docker.io/bitnami/redis", "7"),
            ("ghcr.io/acme/agent:2", "ghcr.io/acme/agent", "2"),
            ("localhost/agent", "localhost/agent", "latest"),
            ("registry:5000/agent", "registry:5000/agent", "latest"),
            ("docker.io/library/python:3", "docker.io/library/python", "3"),
        ];
        for (name, repository, tag) in cases {
            assert_eq!(Name::of_registry(name), Name::new(repository, tag), "{name}");
        }
    }

    #[test]
    fn an_image_answers_to_the_end_of_its_name() {
        let image = Name::new("docker.io/library/python", "3.12");
        for short in ["python:3.12", "library/python:3.12", "docker.io/library/python:3.12"] {
            assert!(image.answers_to(&Name::parse(short)), "{short}");
        }
        for other in ["python", "python:3.1", "thon:3.12", "other/python:3.12"] {
            assert!(!image.answers_to(&Name::parse(other)), "{other}");
        }
    }
}
