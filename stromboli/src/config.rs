//! How a [`Client`] is built. Everything a user gives is checked here, so that no call fails for it later.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use crate::client::Client;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::hooks::{Hook, Hooks};
use crate::options::RequestOptions;
use crate::retry::{Budget, RetryPolicy};
use crate::sse;
use crate::timeouts::Timeouts;
use crate::token::{Auth, MAX_HEADER_VALUE, Token, TokenSource};
use crate::transport::{HttpTransport, Shared};

/// Largest body of a plain response by default, in bytes. `GET /jobs` inlines the output of every job of the last hour.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;
/// How often an idle connection is probed, so that a dead peer is noticed during a run that says nothing for minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How a client proves who it is; the last setting counts.
#[derive(Debug)]
enum Login {
    With(Auth),
    Credentials(Credentials),
}

/// Builds a [`Client`]; see [`Client::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    url: String,
    login: Login,
    /// This crate's, if `None`.
    user_agent: Option<String>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    hooks: Hooks,
    max_response_bytes: usize,
    max_event_bytes: usize,
    http: Option<reqwest::Client>,
}

impl ClientBuilder {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            login: Login::With(Auth::None),
            user_agent: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            hooks: Hooks::default(),
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
        if let Some(token) = get("STROMBOLI_TOKEN")? {
            return Ok(builder.token(Token::new(token)?));
        }
        match (get("STROMBOLI_CLIENT_ID")?, get("STROMBOLI_API_TOKEN")?) {
            (Some(id), Some(token)) => Ok(builder.credentials(Credentials::client_id(id, token)?)),
            (None, None) => Ok(builder),
            (Some(_), None) => Err(invalid("STROMBOLI_CLIENT_ID is set without STROMBOLI_API_TOKEN")),
            (None, Some(_)) => Err(invalid("STROMBOLI_API_TOKEN is set without STROMBOLI_CLIENT_ID")),
        }
    }

    /// Sends `token` with every request.
    pub fn token(mut self, token: Token) -> Self {
        self.login = Login::With(Auth::Fixed(token));
        self
    }

    /// Obtains access tokens by itself, and renews them before they expire.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.login = Login::Credentials(credentials);
        self
    }

    /// Asks `source` for the token of each attempt.
    pub fn token_source(mut self, source: impl TokenSource) -> Self {
        self.login = Login::With(Auth::Source(Arc::new(source)));
        self
    }

    /// How failed attempts are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Tells `hook` of every attempt; several are told in the order in which they were given.
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Names the program in the `User-Agent` header, instead of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
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

    /// Largest event of a stream, in bytes; 64 MiB by default. A line of an agent may have 10 MiB before it is escaped.
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.max_event_bytes = limit;
        self
    }

    /// Uses an HTTP client of yours: its TLS roots, proxies and resolver, but also its connect timeout, its redirect
    /// policy and its retries. Give it `redirect::Policy::none()` and `retry::never()`, because reqwest would repeat the
    /// prompt to wherever a server redirects it, and over HTTP/2 to the same server; and no `read_timeout`, which would
    /// cut a silent stream off. With HTTP/2, which reqwest has by default and this crate's own client never, all calls share
    /// one connection, and when a proxy's limit of streams is reached the next call waits until one ends.
    /// [`Timeouts`] apply to it as well. Because a redirect may have come before a connection
    /// that failed, such a failure is no proof that nothing was sent: with a client of yours, only reads are repeated after
    /// it.
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
        let user_agent = match &self.user_agent {
            Some(user_agent) => header_value("user agent", user_agent)?,
            // Copies of it need no count, which the calls of all threads would have to share.
            None => HeaderValue::from_static(concat!("stromboli-rust/", env!("CARGO_PKG_VERSION"))),
        };
        self.timeouts.check()?;
        let brought_http = self.http.is_some();
        let http = match self.http {
            Some(http) => http,
            None => http_client(&url, &self.timeouts)?,
        };
        let bare = HttpTransport {
            shared: Arc::new(Shared {
                http,
                brought_http,
                auth: Auth::None,
                user_agent,
                timeouts: self.timeouts,
                budget: Budget::new(self.retry.budget),
                retry: self.retry,
                hooks: self.hooks,
                max_response_bytes: self.max_response_bytes,
            }),
            options: RequestOptions::default(),
        };
        let auth = match self.login {
            Login::With(auth) => auth,
            Login::Credentials(credentials) => Auth::Source(Arc::new(credentials.at(&url, &bare))),
        };
        Ok(Client::assemble(&url, bare.with_auth(auth), self.max_event_bytes))
    }
}

impl fmt::Debug for ClientBuilder {
    /// Without the URL, which may hold a password until `build` refuses it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("login", &self.login)
            .field("retry", &self.retry)
            .field("hooks", &self.hooks)
            .field("user_agent", &self.user_agent)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The HTTP client of those who bring none: it does nothing that this crate does not know of.
fn http_client(url: &str, timeouts: &Timeouts) -> Result<reqwest::Client> {
    let tls = |message: &str| Error::new(ErrorKind::Tls, message);
    // Reqwest would take native-tls, which needs none.
    #[cfg(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls"))))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(tls(
            "no crypto provider of rustls is installed, which the feature rustls-no-provider needs",
        ));
    }
    let mut builder = reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .tcp_keepalive(KEEP_ALIVE)
        .redirect(Policy::none())
        // Over HTTP/2 all calls share one connection, and those that are too many for it wait without a word. Some other
        // crate of the program may have HTTP/2 compiled in.
        .http1_only()
        // Even a request that is never sent again would be copied first, unless no other attempt is allowed.
        .retry(reqwest::retry::never().max_retries_per_request(0));
    // Another crate of the program may have both compiled in, and reqwest would take the other one.
    #[cfg(all(any(feature = "rustls", feature = "rustls-no-provider"), not(feature = "native-tls")))]
    {
        builder = builder.tls_backend_rustls();
    }
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

pub(crate) fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
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
        assert!(matches!(builder.login, Login::With(Auth::Fixed(_))));
        let builder = from(&[("STROMBOLI_URL", "http://host"), ("STROMBOLI_TOKEN", "")]).unwrap();
        assert!(matches!(builder.login, Login::With(Auth::None)));
        assert!(from(&[]).unwrap_err().to_string().contains("STROMBOLI_URL is not set"));
        assert_eq!(
            from(&[("STROMBOLI_URL", "http://host"), ("STROMBOLI_TOKEN", "a b")])
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidInput
        );
    }

    #[test]
    fn the_environment_gives_credentials_but_not_half_of_them() {
        let id = ("STROMBOLI_CLIENT_ID", "ci");
        let token = ("STROMBOLI_API_TOKEN", "abc");
        let url = ("STROMBOLI_URL", "http://host");
        assert!(matches!(from(&[url, id, token]).unwrap().login, Login::Credentials(_)));
        let half = |pairs: &[_]| from(pairs).unwrap_err().to_string();
        assert!(half(&[url, id]).contains("without STROMBOLI_API_TOKEN"));
        assert!(half(&[url, token]).contains("without STROMBOLI_CLIENT_ID"));
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
