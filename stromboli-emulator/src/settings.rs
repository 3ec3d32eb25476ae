//! What the server's configuration decides, and its defaults.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::Offset;

use crate::blacklist::Blacklist;
use crate::dialect::Dialect;
use crate::rate_limit::Rate;
use crate::validate::is_under;

/// How long a job is kept after its last update.
const JOB_TTL: Duration = Duration::from_secs(60 * 60);
/// How long a run may take when the request does not say.
const RUN_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How long an access token is valid.
const JWT_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a refresh token is valid.
const JWT_REFRESH_EXPIRY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// In bytes.
const MIN_JWT_SECRET: usize = 32;
/// The secrets of templates and documentation that are long enough, which the server refuses as well.
const PLACEHOLDERS: [&str; 2] = [
    "generate-with-openssl-rand-base64-32",
    "insecure-secret-do-not-use-in-prod",
];
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
    /// If set, whether authentication is on.
    pub(crate) auth: Option<bool>,
    pub(crate) api_tokens: Vec<String>,
    /// Without one there are no JWTs.
    pub(crate) jwt_secret: Option<String>,
    pub(crate) jwt_expiry: Duration,
    pub(crate) jwt_refresh_expiry: Duration,
    pub(crate) blacklist: Blacklist,
    /// None when requests are not limited.
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Without one, webhooks are not signed.
    pub(crate) webhook_signing_secret: Option<String>,
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
    pub(crate) registry_reachable: bool,
    /// The names of images that the registry has besides its own.
    pub(crate) registry_images: Vec<String>,
    /// None when nothing need outlive the process.
    pub(crate) data: Option<PathBuf>,
}

impl Settings {
    /// Those of a server that was told nothing.
    pub(crate) fn new() -> Self {
        Self {
            dialect: Dialect::default(),
            version: None,
            auth: None,
            api_tokens: Vec::new(),
            jwt_secret: None,
            jwt_expiry: JWT_EXPIRY,
            jwt_refresh_expiry: JWT_REFRESH_EXPIRY,
            blacklist: Blacklist::default(),
            rate_limit: None,
            trusted_proxies: Vec::new(),
            webhook_signing_secret: None,
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
            registry_reachable: true,
            registry_images: Vec::new(),
            data: None,
        }
    }

    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or(self.dialect.version())
    }

    /// Unless told, the server asks for tokens as soon as it knows one; before 0.5.0 it had to be told.
    pub(crate) fn auth_enabled(&self) -> bool {
        let knows_one = !self.api_tokens.is_empty() || self.jwt_secret.is_some();
        self.auth.unwrap_or(knows_one && self.dialect >= Dialect::V0_5_7)
    }

    /// What podman says to everything, if it does not work.
    pub(crate) fn podman_error(&self) -> Option<&str> {
        let podman = self.components.iter().find(|(name, _)| *name == "podman");
        podman.and_then(|(_, error)| error.as_deref())
    }

    /// Whether a server would start with these.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self
            .rate_limit
            .is_some_and(|rate| rate.per_second == 0 || rate.burst == 0)
        {
            return Err("rate limit and burst must be positive");
        }
        let Some(secret) = &self.jwt_secret else {
            return Ok(());
        };
        if self.jwt_expiry.is_zero() || self.jwt_refresh_expiry.is_zero() {
            return Err("expiry of JWTs must be positive");
        }
        if self.auth_enabled() && self.dialect >= Dialect::V0_5_7 {
            if secret.len() < MIN_JWT_SECRET {
                return Err("JWT secret must have at least 32 characters while authentication is on");
            }
            if PLACEHOLDERS.contains(&secret.trim().to_lowercase().as_str()) {
                return Err("JWT secret must not be a known placeholder while authentication is on");
            }
        }
        Ok(())
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
