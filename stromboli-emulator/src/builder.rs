//! How to choose the emulator's settings.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::Offset;

use crate::answer::Answerer;
use crate::blacklist::Blacklist;
use crate::dialect::Dialect;
use crate::emulator::Emulator;
use crate::rate_limit::Rate;
use crate::scripted::Introduction;
use crate::settings::Settings;

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
    address: SocketAddr,
    settings: Settings,
    answerer: Box<dyn Answerer>,
    seed: Option<u64>,
    utc_offset_minutes: i32,
    /// The first setting that makes no sense.
    invalid: Option<String>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings::new(),
            answerer: Box::new(Introduction),
            seed: None,
            utc_offset_minutes: 0,
            invalid: None,
        }
    }

    /// The port to listen on; if not set, or 0, a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// The address to listen on; 127.0.0.1 if not set. Beyond loopback, others can reach the emulator.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// The release to be like; [`Dialect::V0_5_7`] if not set.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// The version that `/health` reports; if not set, that of the dialect, such as `v0.5.7-alpha`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.settings.version = Some(version.into());
        self
    }

    /// Turns authentication on or off. If never called, it is on as soon as there is an API token or a JWT secret, and
    /// off in [`Dialect::V0_4_3`].
    pub fn auth(mut self, enabled: bool) -> Self {
        self.settings.auth = Some(enabled);
        self
    }

    /// Accepts this bearer token; may be called again for more.
    pub fn api_token(mut self, token: impl Into<String>) -> Self {
        self.settings.api_tokens.push(token.into());
        self
    }

    /// Signs and accepts JWTs with this secret; if never called, there are none, and `/auth/*` answers 503. While
    /// authentication is on, [`start`](Self::start) refuses less than 32 characters and known placeholders.
    pub fn jwt_secret(mut self, secret: impl Into<String>) -> Self {
        self.settings.jwt_secret = Some(secret.into());
        self
    }

    /// How long an access token is valid; 24 hours if not set.
    pub fn jwt_expiry(mut self, expiry: Duration) -> Self {
        self.settings.jwt_expiry = expiry;
        self
    }

    /// How long a refresh token is valid; 7 days if not set.
    pub fn jwt_refresh_expiry(mut self, expiry: Duration) -> Self {
        self.settings.jwt_refresh_expiry = expiry;
        self
    }

    /// Where tokens that were logged out are kept; in memory if not set.
    pub fn blacklist(mut self, blacklist: Blacklist) -> Self {
        self.settings.blacklist = blacklist;
        self
    }

    /// Limits each client to so many requests per second, and so many at once; if never called, nobody is limited.
    pub fn rate_limit(mut self, per_second: u32, burst: u32) -> Self {
        self.settings.rate_limit = Some(Rate { per_second, burst });
        self
    }

    /// Believes an address, or a network such as `10.0.0.0/8`, whom a request comes from when it says so in
    /// `X-Forwarded-For` or `X-Real-IP`; may be called again for more. The rate limit goes by it.
    pub fn trusted_proxy(mut self, network: &str) -> Self {
        let address = || network.parse::<IpAddr>().map(IpNet::from);
        match network.parse::<IpNet>().or_else(|_| address()) {
            Ok(network) => self.settings.trusted_proxies.push(network),
            Err(_) => self.refuse(format!("{network:?} is no network")),
        }
        self
    }

    /// Signs webhooks with this secret; if never called, or in [`Dialect::V0_4_3`], they are not signed.
    pub fn webhook_signing_secret(mut self, secret: impl Into<String>) -> Self {
        self.settings.webhook_signing_secret = Some(secret.into());
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
    /// `claude-credentials-secret`. [`start`](Self::start) refuses any other. Without `podman` runs, secrets and images
    /// fail.
    pub fn degraded(mut self, component: &str, error: impl Into<String>) -> Self {
        match self.settings.components.iter_mut().find(|(name, _)| *name == component) {
            Some((_, reported)) => *reported = Some(error.into()),
            None => self.refuse(format!("unknown component {component:?}")),
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

    /// How often agents are looked at for having idled, which adds up to so much to their timeouts; 30 s if not set.
    pub fn agent_tick(mut self, tick: Duration) -> Self {
        self.settings.agent_tick = tick;
        self
    }

    /// How long an agent that is stopped may go on with its turn before it is killed, and how long `DELETE` may take
    /// therefore; 5 s if not set.
    pub fn agent_grace(mut self, grace: Duration) -> Self {
        self.settings.agent_grace = grace;
        self
    }

    /// How many bytes the system keeps for a reader that does not read; if not set, megabytes. With a few thousand, a
    /// slow reader of an agent's stream is soon 32 events behind and loses the oldest.
    pub fn send_buffer(mut self, bytes: u32) -> Self {
        self.settings.send_buffer = Some(bytes);
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

    /// Whether the registry of images can be reached; if not, searches answer 502 and pulls 500.
    pub fn registry_reachable(mut self, reachable: bool) -> Self {
        self.settings.registry_reachable = reachable;
        self
    }

    /// Lets an image be pulled that is not built in, such as `ghcr.io/acme/agent:2`; may be called again for more.
    pub fn registry_image(mut self, name: impl Into<String>) -> Self {
        self.settings.registry_images.push(name.into());
        self
    }

    /// Keeps sessions with their transcripts, jobs and secrets in this directory, so that they outlive the process; if
    /// not set, they are in memory only. The directory is made if it is not there, and one emulator has it at a time.
    ///
    /// An answer is sent when what it tells of is on disk. A job that runs when the process ends is failed afterwards.
    /// The values of secrets are not encrypted: only the owner can read the file.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # use stromboli_emulator::Emulator;
    /// # let dir = std::env::temp_dir().join(format!("stromboli-data-{}", std::process::id()));
    /// let emulator = Emulator::builder().data(&dir).start().await?;
    /// emulator.add_session("7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297", "{}");
    /// drop(emulator);
    /// let emulator = Emulator::builder().data(&dir).start().await?;
    /// assert!(emulator.transcript("7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297").is_some());
    /// # drop(emulator);
    /// # std::fs::remove_dir_all(dir)?;
    /// # Ok(()) }
    /// ```
    pub fn data(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.data = Some(dir.into());
        self
    }

    /// Makes ids and the order of jobs the same each time; with [`data`](Self::data), each time the directory is new.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Starts the emulator on the tokio runtime of the caller.
    ///
    /// # Errors
    /// When the port cannot be bound; when the data directory cannot be read or written, is in use by another emulator
    /// ([`ResourceBusy`](io::ErrorKind::ResourceBusy)) or holds something else
    /// ([`InvalidData`](io::ErrorKind::InvalidData)); or when a setting makes no sense: the offset is a day or more, a component is
    /// unknown, a trusted proxy is no network, a rate or an expiry is zero, or the server would refuse the JWT secret.
    pub async fn start(mut self) -> io::Result<Emulator> {
        let refuse = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        if let Some(invalid) = self.invalid {
            return Err(refuse(invalid));
        }
        self.settings.check().map_err(|what| refuse(what.to_owned()))?;
        let seconds = self.utc_offset_minutes.checked_mul(60);
        self.settings.utc_offset = seconds
            .and_then(|seconds| Offset::from_seconds(seconds).ok())
            .ok_or_else(|| refuse("UTC offset out of range".to_owned()))?;
        Emulator::bind(self.address, self.settings, self.answerer, self.seed).await
    }

    fn refuse(&mut self, what: String) {
        self.invalid.get_or_insert(what);
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("version", &self.settings.version())
            .finish_non_exhaustive()
    }
}
