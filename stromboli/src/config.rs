//! How a [`Client`] is built. Everything a user gives is checked here, so that no call fails for it later.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::sse;
use crate::token::{MAX_HEADER_VALUE, Token};
use crate::transport::HttpTransport;

/// Largest body of a plain response by default, in bytes. `GET /jobs` inlines the output of every job of the last hour.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;
/// How often an idle connection is probed, so that a dead peer is noticed during a run that says nothing for minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long each class of operation may take. `Duration::MAX` is no limit.
///
/// ```
/// use std::time::Duration;
/// use stromboli::Timeouts;
///
/// let patient = Timeouts::default().run(Duration::from_secs(2 * 3600));
/// ```
#[derive(Clone, Debug)]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) quick: Duration,
    pub(crate) image_pull: Duration,
    pub(crate) run: Duration,
    pub(crate) stream_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            quick: Duration::from_secs(30),
            // The server gives podman 10 minutes (WIRE §10).
            image_pull: Duration::from_secs(11 * 60),
            // The server's own limit for a run is 30 minutes unless the request sets another (WIRE §6).
            run: Duration::from_secs(35 * 60),
            stream_idle: Duration::from_secs(35 * 60),
        }
    }
}

impl Timeouts {
    /// For a connection to be there, TLS included; 10 s by default.
    #[must_use]
    pub fn connect(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// For calls that run nothing; 30 s by default.
    #[must_use]
    pub fn quick(mut self, timeout: Duration) -> Self {
        self.quick = timeout;
        self
    }

    /// For pulling an image; 11 minutes by default, one more than the server's own limit.
    #[must_use]
    pub fn image_pull(mut self, timeout: Duration) -> Self {
        self.image_pull = timeout;
        self
    }

    /// For a run that is waited for; 35 minutes by default, five more than the server's own limit. Raise it together
    /// with `PodmanOptions::timeout`.
    #[must_use]
    pub fn run(mut self, timeout: Duration) -> Self {
        self.run = timeout;
        self
    }

    /// A time of nothing would fail every call, some of them after they were sent.
    fn check(&self) -> Result<()> {
        let all = [self.connect, self.quick, self.image_pull, self.run, self.stream_idle];
        if all.contains(&Duration::ZERO) {
            Err(invalid("a timeout is zero"))
        } else {
            Ok(())
        }
    }

    /// For silence on a stream, before its first event as well; 35 minutes by default, because the server says nothing
    /// at all until the agent prints its first line (WIRE §7).
    #[must_use]
    pub fn stream_idle(mut self, timeout: Duration) -> Self {
        self.stream_idle = timeout;
        self
    }
}

/// Builds a [`Client`]; see [`Client::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    url: String,
    token: Option<Token>,
    user_agent: String,
    timeouts: Timeouts,
    max_response_bytes: usize,
    max_event_bytes: usize,
    http: Option<reqwest::Client>,
}

impl ClientBuilder {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            user_agent: concat!("stromboli-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeouts: Timeouts::default(),
            max_response_bytes: MAX_RESPONSE_BYTES,
            max_event_bytes: sse::DEFAULT_MAX_EVENT_BYTES,
            http: None,
        }
    }

    /// Settings from environment variables, by way of `lookup`. An empty variable counts as none, because that is what
    /// CI systems make of a secret that is not set.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<Self> {
        let get = |name: &str| match lookup(name).map(std::ffi::OsString::into_string) {
            Some(Ok(value)) if !value.is_empty() => Ok(Some(value)),
            Some(Err(_)) => Err(invalid(format!("{name} is not valid Unicode"))),
            _ => Ok(None),
        };
        let url =
            get("STROMBOLI_URL")?.ok_or_else(|| invalid("STROMBOLI_URL is not set, e.g. to http://localhost:8080"))?;
        let builder = Self::new(url);
        match get("STROMBOLI_TOKEN")? {
            Some(token) => Ok(builder.token(Token::new(token)?)),
            None => Ok(builder),
        }
    }

    /// Sends `token` with every request.
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Names the program in the `User-Agent` header, instead of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How long calls may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Largest body of a plain response, and largest text that [`RunStream::text`](crate::RunStream::text) gathers, in
    /// bytes; 256 MiB by default. A larger one is [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), not memory.
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// Largest event of a stream, in bytes; 32 MiB by default. A line of an agent may have 10 MiB before it is escaped.
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.max_event_bytes = limit;
        self
    }

    /// Uses an HTTP client of yours: its TLS roots, proxies and resolver, but also its connect timeout, its redirect
    /// policy and its retries. Give it `redirect::Policy::none()` and `retry::never()`, because reqwest would repeat the
    /// prompt to wherever a server redirects it, and over HTTP/2 to the same server; and no `read_timeout`, which would
    /// cut a silent stream off. [`Timeouts`] apply to it as well.
    ///
    /// Without this, proxies are taken from `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, except for a server on this
    /// machine, which is always reached directly.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Checks everything and builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a URL that is not `http(s)://host[:port][/path]`, a user agent that no header can
    /// hold, or a timeout of zero; [`ErrorKind::Tls`] when the TLS library cannot be set up.
    pub fn build(self) -> Result<Client> {
        let url = base_url(&self.url)?;
        let user_agent = header_value("user agent", &self.user_agent)?;
        self.timeouts.check()?;
        let http = match self.http {
            Some(http) => http,
            None => http_client(&url, &self.timeouts)?,
        };
        let stream_idle = self.timeouts.stream_idle;
        let transport = Arc::new(HttpTransport {
            http: http.clone(),
            token: self.token,
            user_agent,
            timeouts: self.timeouts,
            max_response_bytes: self.max_response_bytes,
        });
        let raw = stromboli_generated::Client::new_with_client(&url, http, transport);
        Ok(Client::assemble(
            raw,
            stream_idle,
            self.max_event_bytes,
            self.max_response_bytes,
        ))
    }
}

impl fmt::Debug for ClientBuilder {
    /// Without the URL, which may hold a password until `build` refuses it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("token", &self.token)
            .field("user_agent", &self.user_agent)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The HTTP client of those who bring none: it does nothing that this crate does not know of.
fn http_client(url: &str, timeouts: &Timeouts) -> Result<reqwest::Client> {
    let tls = |message: &str| Error::new(ErrorKind::Tls, message);
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(tls(
            "no crypto provider of rustls is installed, which the feature rustls-no-provider needs",
        ));
    }
    let mut builder = reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .tcp_keepalive(KEEP_ALIVE)
        .redirect(Policy::none())
        // Over HTTP/2 it would send a refused request again without a word, up to three times.
        .retry(reqwest::retry::never());
    if is_loopback(url) {
        // What is meant for this machine goes to no proxy.
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|e| tls("HTTP client could not be set up").with_source(e))
}

fn is_loopback(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The URL that paths are appended to: no credentials, query or fragment, and no slash at its end.
fn base_url(text: &str) -> Result<String> {
    let url = Url::parse(text.trim())
        .map_err(|e| invalid("URL cannot be read, it looks like http://localhost:8080").with_source(e))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!(
            "URL begins with `{}:`, it must be http or https",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("URL names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("URL holds credentials, give them as a token"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("URL has a query or a fragment, give it without"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
    if value.is_empty() || value.len() > MAX_HEADER_VALUE {
        return Err(invalid(format!(
            "{name} has {} bytes, it needs 1 to {MAX_HEADER_VALUE}",
            value.len()
        )));
    }
    HeaderValue::try_from(value).map_err(|_| invalid(format!("{name} has characters that no header can hold")))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_url_that_cannot_be_a_server_is_refused_with_a_reason() {
        for (url, reason) in [
            ("", "cannot be read"),
            ("localhost:8080", "must be http or https"),
            ("not a url", "cannot be read"),
            ("ftp://host", "must be http or https"),
            ("http://", "cannot be read"),
            ("http://user:topsecret@host", "holds credentials"),
            ("http://user@host", "holds credentials"),
            ("http://host/?a=b", "query or a fragment"),
            ("http://host/#x", "query or a fragment"),
        ] {
            let error = ClientBuilder::new(url).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
            assert!(error.to_string().contains(reason), "{url}: {error}");
            assert!(!format!("{error:?}").contains("topsecret"));
        }
    }

    #[test]
    fn a_base_path_is_kept_and_slashes_at_the_end_are_not() {
        assert_eq!(base_url("https://host/base/path/").unwrap(), "https://host/base/path");
        assert_eq!(base_url(" http://127.0.0.1:8080// ").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(base_url("http://[::1]:8080").unwrap(), "http://[::1]:8080");
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_refused() {
        for bad in [String::new(), "a\nb".into(), "x".repeat(MAX_HEADER_VALUE + 1)] {
            let error = ClientBuilder::new("http://host").user_agent(bad).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    fn from(pairs: &[(&str, &str)]) -> Result<ClientBuilder> {
        let map: HashMap<_, _> = pairs.iter().copied().collect();
        ClientBuilder::from_lookup(|name| map.get(name).map(Into::into))
    }

    #[test]
    fn the_environment_gives_url_and_token() {
        let builder = from(&[("STROMBOLI_URL", "http://host"), ("STROMBOLI_TOKEN", "abc")]).unwrap();
        assert_eq!(builder.url, "http://host");
        assert!(builder.token.is_some());
        assert!(
            from(&[("STROMBOLI_URL", "http://host"), ("STROMBOLI_TOKEN", "")])
                .unwrap()
                .token
                .is_none()
        );
        assert!(from(&[]).unwrap_err().to_string().contains("STROMBOLI_URL is not set"));
        assert_eq!(
            from(&[("STROMBOLI_URL", "http://host"), ("STROMBOLI_TOKEN", "a b")])
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidInput
        );
    }

    #[test]
    fn what_is_on_this_machine_is_told_from_the_rest() {
        for url in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.1.2.3:8080/x",
            "https://[::1]:1",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[2001:db8::1]",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn a_timeout_of_nothing_is_refused() {
        let timeouts = Timeouts::default().stream_idle(Duration::ZERO);
        let error = ClientBuilder::new("http://host")
            .timeouts(timeouts)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
