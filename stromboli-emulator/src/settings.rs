//! What the server's configuration decides, and its defaults.

use std::time::Duration;

use jiff::tz::Offset;

use crate::dialect::Dialect;
use crate::validate::is_under;

/// How long a job is kept after its last update.
const JOB_TTL: Duration = Duration::from_secs(60 * 60);
/// How long a run may take when the request does not say.
const RUN_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How often the server looks for agents that have idled.
const AGENT_TICK: Duration = Duration::from_secs(30);
/// How long the server waits for an agent whose input it has closed.
const AGENT_GRACE: Duration = Duration::from_secs(5);
/// What `/health` looks at, in its order.
const COMPONENTS: [&str; 3] = ["podman", "claude-credentials-file", "claude-credentials-secret"];

/// What the server's configuration decides.
pub(crate) struct Settings {
    pub(crate) dialect: Dialect,
    /// If set, another than the dialect's.
    pub(crate) version: Option<String>,
    pub(crate) api_tokens: Vec<String>,
    pub(crate) claude_configured: bool,
    /// Each component with its error, if it has one.
    pub(crate) components: Vec<(&'static str, Option<String>)>,
    pub(crate) job_ttl: Duration,
    pub(crate) run_timeout: Duration,
    pub(crate) utc_offset: Offset,
    /// How often agents are looked at for having idled.
    pub(crate) agent_tick: Duration,
    /// How long an agent may take to end when it is told to.
    pub(crate) agent_grace: Duration,
    /// If set, of how many bytes; the system's choice otherwise.
    pub(crate) send_buffer: Option<u32>,
    pub(crate) allowed_images: Vec<String>,
    pub(crate) allowed_volumes: Vec<String>,
}

impl Settings {
    /// Those of a server that was told nothing.
    pub(crate) fn new() -> Self {
        Self {
            dialect: Dialect::default(),
            version: None,
            api_tokens: Vec::new(),
            claude_configured: true,
            components: COMPONENTS.map(|name| (name, None)).into(),
            job_ttl: JOB_TTL,
            run_timeout: RUN_TIMEOUT,
            utc_offset: Offset::UTC,
            agent_tick: AGENT_TICK,
            agent_grace: AGENT_GRACE,
            send_buffer: None,
            allowed_images: Vec::new(),
            allowed_volumes: Vec::new(),
        }
    }

    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or(self.dialect.version())
    }

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
