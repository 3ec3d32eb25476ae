//! The emulator's settings and how to choose them.

use std::io;
use std::time::Duration;

use jiff::tz::Offset;

use crate::answer::Answerer;
use crate::emulator::Emulator;
use crate::scripted::Introduction;
use crate::validate::is_under;

/// The release that the emulator follows, as the real one reports itself.
const VERSION: &str = "v0.5.7-alpha";
/// How long a job is kept after its last update.
const JOB_TTL: Duration = Duration::from_secs(60 * 60);
/// How long a run may take when the request does not say.
const RUN_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// What `/health` looks at, in its order.
const COMPONENTS: [&str; 3] = ["podman", "claude-credentials-file", "claude-credentials-secret"];

/// What the server's configuration decides.
pub(crate) struct Settings {
    pub(crate) version: String,
    pub(crate) api_tokens: Vec<String>,
    pub(crate) claude_configured: bool,
    /// Each component with its error, if it has one.
    pub(crate) components: Vec<(&'static str, Option<String>)>,
    pub(crate) job_ttl: Duration,
    pub(crate) run_timeout: Duration,
    pub(crate) utc_offset: Offset,
    allowed_images: Vec<String>,
    allowed_volumes: Vec<String>,
}

impl Settings {
    pub(crate) fn allows_image(&self, image: &str) -> bool {
        let patterns = &self.allowed_images;
        patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, image))
    }

    pub(crate) fn allows_volume(&self, host_path: &str) -> bool {
        self.allowed_volumes.iter().any(|parent| is_under(host_path, parent))
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.filter_map(|at| text.get(at..)).any(|text| matches(rest, text))
}

/// Chooses how an [`Emulator`] behaves.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use stromboli_emulator::{Echo, Emulator};
///
/// let emulator = Emulator::builder()
///     .version("dev")
///     .api_token("secret")
///     .answerer(Echo)
///     .start()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "an emulator runs once `start` is awaited"]
pub struct Builder {
    settings: Settings,
    answerer: Box<dyn Answerer>,
    seed: Option<u64>,
    utc_offset_minutes: i32,
    unknown_component: Option<String>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings {
                version: VERSION.to_owned(),
                api_tokens: Vec::new(),
                claude_configured: true,
                components: COMPONENTS.map(|name| (name, None)).into(),
                job_ttl: JOB_TTL,
                run_timeout: RUN_TIMEOUT,
                utc_offset: Offset::UTC,
                allowed_images: Vec::new(),
                allowed_volumes: Vec::new(),
            },
            answerer: Box::new(Introduction),
            seed: None,
            utc_offset_minutes: 0,
            unknown_component: None,
        }
    }

    /// The version that `/health` reports; `v0.5.7-alpha` if not set.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.settings.version = version.into();
        self
    }

    /// Turns authentication on and accepts this bearer token; may be called again for more.
    pub fn api_token(mut self, token: impl Into<String>) -> Self {
        self.settings.api_tokens.push(token.into());
        self
    }

    /// Answers the prompts that no [`Rule`](crate::Rule) matches; if not set, a text that quotes the prompt does.
    pub fn answerer(mut self, answerer: impl Answerer) -> Self {
        self.answerer = Box::new(answerer);
        self
    }

    /// Whether Claude's credentials are there; if not, runs answer 503.
    pub fn claude_configured(mut self, configured: bool) -> Self {
        self.settings.claude_configured = configured;
        self
    }

    /// Makes a component of `/health` report an error: `podman`, `claude-credentials-file` or
    /// `claude-credentials-secret`. [`start`](Self::start) refuses any other.
    pub fn degraded(mut self, component: &str, error: impl Into<String>) -> Self {
        match self.settings.components.iter_mut().find(|(name, _)| *name == component) {
            Some((_, reported)) => *reported = Some(error.into()),
            None => self.unknown_component = Some(component.to_owned()),
        }
        self
    }

    /// How long a job can be asked for after its last update; one hour if not set.
    pub fn job_ttl(mut self, ttl: Duration) -> Self {
        self.settings.job_ttl = ttl;
        self
    }

    /// How long a run may take when its request sets no timeout; 30 minutes if not set.
    pub fn run_timeout(mut self, timeout: Duration) -> Self {
        self.settings.run_timeout = timeout;
        self
    }

    /// The server's offset from UTC, which the times of jobs show; zero if not set.
    pub fn utc_offset_minutes(mut self, minutes: i32) -> Self {
        self.utc_offset_minutes = minutes;
        self
    }

    /// Allows images that fit `pattern`, in which `*` stands for any text; if never called, every image is allowed.
    pub fn allow_image(mut self, pattern: impl Into<String>) -> Self {
        self.settings.allowed_images.push(pattern.into());
        self
    }

    /// Allows host paths at or below `path` as volumes, `/` for all; if never called, none is allowed.
    pub fn allow_volume(mut self, path: impl Into<String>) -> Self {
        self.settings.allowed_volumes.push(path.into());
        self
    }

    /// Makes ids and the order of jobs the same each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Starts the emulator on a free loopback port, on the tokio runtime of the caller.
    ///
    /// # Errors
    /// When no port can be bound, when the offset is a day or more, or for an unknown component.
    pub async fn start(mut self) -> io::Result<Emulator> {
        let refuse = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        if let Some(component) = self.unknown_component {
            return Err(refuse(format!("unknown component {component:?}")));
        }
        let seconds = self.utc_offset_minutes.checked_mul(60);
        self.settings.utc_offset = seconds
            .and_then(|seconds| Offset::from_seconds(seconds).ok())
            .ok_or_else(|| refuse("UTC offset out of range".to_owned()))?;
        Emulator::bind(self.settings, self.answerer, self.seed).await
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("version", &self.settings.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_in_an_image_pattern_stands_for_any_text() {
        for pattern in ["python:3.12", "python:*", "*", "*:3.12", "py*:*", "python:3.12*"] {
            assert!(matches(pattern, "python:3.12"), "{pattern}");
        }
        for pattern in ["python", "node:*", "*:3.1", "python:3.12?"] {
            assert!(!matches(pattern, "python:3.12"), "{pattern}");
        }
    }
}
