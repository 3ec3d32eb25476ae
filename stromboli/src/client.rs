//! The client: a cheap handle on one connection pool. Its calls are in `api/`, one file per tag of the contract.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use stromboli_generated::{ClientInfo, ResponseValue};

use crate::config::ClientBuilder;
use crate::error::{Error, ErrorKind, Result};
use crate::options::RequestOptions;
use crate::transport::HttpTransport;

/// A client of one Stromboli server.
///
/// Clones are cheap and share one connection pool, so make one and clone it. Its calls need a Tokio runtime with I/O and
/// time enabled, as `#[tokio::main]` makes it.
///
/// ```no_run
/// # async fn example() -> stromboli::Result<()> {
/// let client = stromboli::Client::new("http://localhost:8080")?;
/// let reply = client.run("Say hello").await?.ok()?;
/// println!("{}", reply.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    raw: stromboli_generated::Client,
    transport: HttpTransport,
    max_event_bytes: usize,
}

impl Client {
    /// A client with the defaults for everything. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a URL that is not `http(s)://host[:port][/path]`.
    pub fn new(url: impl Into<String>) -> Result<Self> {
        Self::builder(url).build()
    }

    /// A client built step by step.
    ///
    /// ```
    /// use std::time::Duration;
    /// use stromboli::{Client, Timeouts, Token};
    ///
    /// let client = Client::builder("https://agents.example.com/base/path")
    ///     .token(Token::new("eyJhbGciOi")?)
    ///     .user_agent("my-app/1.0")
    ///     .timeouts(Timeouts::default().quick(Duration::from_secs(5)))
    ///     .build()?;
    /// # Ok::<(), stromboli::Error>(())
    /// ```
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url)
    }

    /// A client of the server that `STROMBOLI_URL` names, with the token in `STROMBOLI_TOKEN`, or with the credentials in
    /// `STROMBOLI_CLIENT_ID` and `STROMBOLI_API_TOKEN`, or with neither. An empty variable counts as none.
    ///
    /// ```no_run
    /// let client = stromboli::Client::from_env()?;
    /// # Ok::<(), stromboli::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when `STROMBOLI_URL` is not set, only one half of the credentials is, or a value
    /// cannot be used.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_lookup(|name| std::env::var_os(name))?.build()
    }

    /// A client of a server that answered and whose version is supported: fails now rather than at the first run.
    ///
    /// ```no_run
    /// # async fn example() -> stromboli::Result<()> {
    /// let client = stromboli::Client::connect("http://localhost:8080").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new); [`is_connect`](Error::is_connect) when there is no server;
    /// [`ErrorKind::Incompatible`] when its version is not supported.
    pub async fn connect(url: impl Into<String>) -> Result<Self> {
        let client = Self::new(url)?;
        client.compatibility().await?.require()?;
        Ok(client)
    }

    /// This client with other options for its calls: same connections, token and retry budget. What `options` leaves open
    /// stays as it is.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use std::time::Duration;
    /// use stromboli::RequestOptions;
    ///
    /// let options = RequestOptions::new().timeout(Duration::from_secs(2)).retries(0);
    /// let health = client.with_options(options).health().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        let transport = HttpTransport {
            shared: self.0.transport.shared.clone(),
            options: options.over(&self.0.transport.options),
        };
        Self::assemble(self.0.raw.baseurl(), transport, self.0.max_event_bytes)
    }

    /// The generated client: every operation of the contract, on the same transport and with the same token, for what
    /// is not wrapped yet. [`Error::from_raw`] makes this crate's error of one of its errors; before that, what no server
    /// has answered, such as a limit of time, looks like a response with status 503.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let secrets = client.raw().secrets_list().await?.into_inner();
    /// println!("{} secrets", secrets.secrets.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(&self) -> &stromboli_generated::Client {
        &self.0.raw
    }

    pub(crate) fn assemble(url: &str, transport: HttpTransport, max_event_bytes: usize) -> Self {
        let http = transport.shared.http.clone();
        let raw = stromboli_generated::Client::new_with_client(url, http, Arc::new(transport.clone()));
        Self(Arc::new(Inner {
            raw,
            transport,
            max_event_bytes,
        }))
    }

    /// The longest silence of a stream.
    pub(crate) fn stream_idle(&self) -> Duration {
        let transport = &self.0.transport;
        transport
            .options
            .timeout
            .unwrap_or(transport.shared.timeouts.stream_idle)
    }

    /// Whether nobody said how long a run may take.
    pub(crate) fn has_default_run_time(&self) -> bool {
        let transport = &self.0.transport;
        transport.options.timeout.is_none() && transport.shared.timeouts.run.is_none()
    }

    pub(crate) fn max_event_bytes(&self) -> usize {
        self.0.max_event_bytes
    }

    pub(crate) fn max_text_bytes(&self) -> usize {
        self.0.transport.shared.max_response_bytes
    }

    /// Awaits a generated call, and makes this crate's error of its error.
    pub(crate) fn call<T, F>(&self, operation: &'static str, call: F) -> Call<F>
    where
        F: Future<Output = Result<ResponseValue<T>, stromboli_generated::Error<()>>>,
    {
        Call {
            operation,
            call,
            failed: None,
        }
    }
}

pin_project! {
    /// A generated call. Not an `async fn`, which would keep room for the call twice.
    pub(crate) struct Call<F> {
        operation: &'static str,
        #[pin]
        call: F,
        // What makes the error: behind a pointer, so that there is no room for it beside each call.
        failed: Option<Pin<Box<dyn Future<Output = Error> + Send>>>,
    }
}

impl<T, F> Future for Call<F>
where
    F: Future<Output = Result<ResponseValue<T>, stromboli_generated::Error<()>>>,
{
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = self.project();
        let failed = match this.failed {
            Some(failed) => failed,
            None => match ready!(this.call.poll(cx)) {
                Ok(response) => return Poll::Ready(Ok(response.into_inner())),
                Err(error) => this.failed.insert(failed(this.operation, error)),
            },
        };
        failed.as_mut().poll(cx).map(Err)
    }
}

/// In a function of its own, so that its code is not beside that of each call.
fn failed(
    operation: &'static str,
    error: stromboli_generated::Error<()>,
) -> Pin<Box<dyn Future<Output = Error> + Send>> {
    Box::pin(Error::from_raw(operation, error))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.0.raw.baseurl())
            .finish_non_exhaustive()
    }
}

/// Refuses an id that would make a path of another operation: none at all, and those that URLs resolve as steps.
pub(crate) fn path_segment(what: &str, id: &str) -> Result<()> {
    match id {
        "" | "." | ".." => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{what} {id:?} is none the server can have given"),
        )),
        _ => Ok(()),
    }
}
