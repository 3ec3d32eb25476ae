//! How every request is sent: the loop of attempts, and in each attempt headers, hooks, token, time and size limits.
//! What follows a failed attempt is decided in `retry.rs`.

mod ended;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use reqwest::{Request, Response, StatusCode};
use stromboli_generated::{DecodeFailure, ResponseFuture, Transport};
use tokio::time::Instant;
use tracing::{Instrument, Span, field, info_span};

use crate::error::{BODY_TIME, Error, ErrorKind, MAX_BODY, Result, without_response};
use crate::hooks::{Hooks, RequestEvent, ResponseEvent, RetryEvent};
use crate::operation::{Class, Effect, Operation, find};
use crate::options::RequestOptions;
use crate::retry::{Budget, RetryPolicy};
use crate::timeouts::{DEFAULT_RUN, Timeouts};
use crate::token::{Auth, Token};
use ended::{Answer, Ended, finish};

/// The transport behind [`Client`](crate::Client) and its `raw()`: what all clones share, and the options of one.
#[derive(Clone, Debug)]
pub(crate) struct HttpTransport {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: RequestOptions,
}

pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    /// The HTTP client is the caller's, and may follow redirects.
    pub(crate) brought_http: bool,
    pub(crate) auth: Auth,
    pub(crate) user_agent: HeaderValue,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) hooks: Hooks,
    pub(crate) max_response_bytes: usize,
}

/// The longest URL that the HTTP client can send, in bytes; of all that this crate sends, only a prompt can be as long.
const MAX_URL: usize = 65_534;

/// How often a call was sent; in the extensions of its response, for the error that this may become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) attempts: u32,
    /// Whether an attempt before the last may have been carried out.
    pub(crate) may_have_executed: bool,
}

impl fmt::Debug for Shared {
    /// Without the HTTP client, which may be the caller's and have a header with a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("auth", &self.auth)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

impl Sent {
    pub(crate) const ONCE: Self = Self {
        attempts: 1,
        may_have_executed: false,
    };

    fn travel_in(self, extensions: &mut http::Extensions) {
        // Most calls are sent once, which an error takes for granted.
        if self != Self::ONCE {
            extensions.insert(self);
        }
    }
}

/// An error of this crate on its way through the generated code, which knows only reqwest's: it travels in the
/// extensions of a response that no server sent.
#[derive(Clone)]
pub(crate) struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    pub(crate) fn take(self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn into_response(error: Error) -> Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
            .extensions_mut()
            .insert(Self(Arc::new(Mutex::new(Some(error)))));
        response.into()
    }
}

impl Transport for HttpTransport {
    fn execute(&self, request: Request, operation_id: &'static str) -> ResponseFuture<'_> {
        let operation = find(operation_id);
        let span = span(&request, operation);
        Box::pin(async move { self.call(request, operation, &span).instrument(span.clone()).await })
    }
}

impl HttpTransport {
    /// The same settings and connections with another token, and with a retry budget of its own.
    pub(crate) fn with_auth(&self, auth: Auth) -> Self {
        let shared = &self.shared;
        Self {
            shared: Arc::new(Shared {
                http: shared.http.clone(),
                brought_http: shared.brought_http,
                auth,
                user_agent: shared.user_agent.clone(),
                timeouts: shared.timeouts.clone(),
                retry: shared.retry.clone(),
                budget: Budget::new(shared.retry.budget),
                hooks: shared.hooks.clone(),
                max_response_bytes: shared.max_response_bytes,
            }),
            options: self.options.clone(),
        }
    }

    async fn call(&self, mut request: Request, operation: Operation, span: &Span) -> reqwest::Result<Response> {
        let policy = self.options.policy(&self.shared.retry);
        let deadline = Instant::now().checked_add(self.time(operation.class).min(policy.deadline));
        request.headers_mut().insert(USER_AGENT, self.shared.user_agent.clone());
        if !self.options.headers.is_empty() {
            request.headers_mut().extend(self.options.headers.clone());
        }

        let mut sent = Sent {
            attempts: 0,
            may_have_executed: false,
        };
        let mut renewed = false;
        // The token of the attempt before, if the server refused it.
        let mut rejected: Option<Token> = None;
        // How an earlier attempt ended that may have been carried out.
        let mut unclear: Option<Ended> = None;
        loop {
            sent.attempts += 1;
            let may_renew = !renewed && self.shared.auth.renews();
            let (ended, token) = self
                .attempt(&request, operation, deadline, sent.attempts, rejected.take().as_ref())
                .await;

            if may_renew && ended.refused_token() {
                // A token is refused before anything is done, so sending again with another is safe for every operation.
                rejected = token;
                renewed = true;
                self.shared.hooks.on_retry(&RetryEvent {
                    operation: operation.id,
                    attempt: sent.attempts,
                    wait: Duration::ZERO,
                });
                continue;
            }
            if ended.succeeded() && sent.attempts == 1 {
                self.shared.budget.reward();
            }
            let wait = ended.outcome().and_then(|outcome| {
                let wait = policy.decide(operation.effect, sent.attempts, outcome, fastrand::f64())?;
                let in_time = deadline.is_none_or(|deadline| wait < deadline.saturating_duration_since(Instant::now()));
                (in_time && self.shared.budget.take()).then_some(wait)
            });
            let Some(wait) = wait else {
                return finish(ended, unclear, sent, operation, span);
            };
            if operation.effect == Effect::Repeatable && ended.may_have_executed() {
                sent.may_have_executed = true;
                unclear = Some(ended);
            }
            self.shared.hooks.on_retry(&RetryEvent {
                operation: operation.id,
                attempt: sent.attempts,
                wait,
            });
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends a copy of the request and reads the response, unless it is a stream. Gives the token that was sent as well.
    async fn attempt(
        &self,
        request: &Request,
        operation: Operation,
        deadline: Option<Instant>,
        attempt: u32,
        rejected: Option<&Token>,
    ) -> (Ended, Option<Token>) {
        let started = Instant::now();
        let id = operation.id;
        let url = request.url();
        let Some(mut request) = request.try_clone() else {
            // No request of the contract is one.
            let error = Error::new(ErrorKind::InvalidInput, "request has a body that can be read only once");
            return (Ended::Unsent(error), None);
        };
        self.shared.hooks.on_request(&mut RequestEvent {
            operation: id,
            attempt,
            headers: request.headers_mut(),
        });
        let token = match self.token(rejected, deadline).await {
            Ok(token) => token,
            Err(error) => return (Ended::Unsent(error), None),
        };
        if let Some(token) = &token {
            request.headers_mut().insert(AUTHORIZATION, token.header());
        }
        let length = url.as_str().len();
        if length > MAX_URL {
            let message =
                format!("URL with the prompt has {length} bytes, the most is {MAX_URL}, so use `run` or `start`");
            return (Ended::Unsent(Error::new(ErrorKind::TooLarge, message)), None);
        }
        let left = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        // Reqwest's time covers the whole of a response. A stream has none, not even that of the caller's own HTTP client,
        // so opening one has ours.
        let is_stream = operation.class.is_stream();
        *request.timeout_mut() = if is_stream {
            self.shared.brought_http.then_some(Duration::MAX)
        } else {
            Some(left)
        };
        let sent = self.shared.http.execute(request);
        let answered = if is_stream {
            tokio::time::timeout(left, sent).await
        } else {
            Ok(sent.await)
        };
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_redirect() || error.url().is_some_and(|at| at != url) => {
                let message = "the HTTP client followed a redirect and failed there, give it redirect::Policy::none()";
                let executed = operation.effect != Effect::Read;
                let error = Error::new(ErrorKind::Redirect, message).with_source(error.without_url());
                return (Ended::Failed(error.sent(id, attempt, executed)), token);
            }
            // Reqwest does not say whether a redirect came before, and only of our own client is it known that none did.
            Ok(Err(error)) if self.shared.brought_http && error.is_connect() && operation.effect != Effect::Read => {
                let sent = Sent {
                    attempts: attempt,
                    may_have_executed: true,
                };
                return (Ended::Failed(without_response(operation, error, sent)), token);
            }
            Ok(Err(mut error)) => {
                // The query of a stream holds the prompt.
                if let Some(url) = error.url_mut() {
                    url.set_query(None);
                }
                return (Ended::Unanswered(error), token);
            }
            Err(elapsed) => {
                let error = Error::new(ErrorKind::Timeout, format!("server sent nothing for {left:?}"));
                let executed = operation.effect != Effect::Read;
                return (
                    Ended::Failed(error.with_source(elapsed).sent(id, attempt, executed)),
                    token,
                );
            }
        };
        self.shared.hooks.on_response(&ResponseEvent {
            operation: id,
            attempt,
            status: response.status(),
            headers: response.headers(),
            elapsed: started.elapsed(),
        });
        let moved = response.url() != url;
        let success = response.status().is_success();
        if success && is_stream {
            return (Ended::Open(response), token);
        }
        // Of an error, the status is what counts: the beginning of its body is enough, and it is not waited for long.
        let (limit, patience) = if success {
            (self.shared.max_response_bytes, Duration::MAX)
        } else {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            (MAX_BODY, left.map_or(BODY_TIME, |left| left.min(BODY_TIME)))
        };
        let (body, failure) = read(&mut response, limit, patience).await;
        (
            Ended::Answered(Answer {
                response,
                body,
                failure: failure.filter(|_| success),
                moved,
            }),
            token,
        )
    }

    /// The token to send, for which a call waits no longer than for its response.
    async fn token(&self, rejected: Option<&Token>, deadline: Option<Instant>) -> Result<Option<Token>> {
        let token = self.shared.auth.token(rejected);
        // Only a source can take time, and a timer is not for nothing.
        let Some(deadline) = deadline.filter(|_| self.shared.auth.renews()) else {
            return token.await;
        };
        tokio::time::timeout_at(deadline, token)
            .await
            .unwrap_or_else(|elapsed| {
                let error = Error::new(ErrorKind::Timeout, "no token was there within the call's time");
                Err(error.with_source(elapsed))
            })
    }

    /// The time for all of a call's attempts. Of a stream, for opening it: once open, only its silence is bounded, where
    /// it is read.
    fn time(&self, class: Class) -> Duration {
        let timeouts = &self.shared.timeouts;
        self.options.timeout.unwrap_or(match class {
            Class::Quick | Class::Subscription => timeouts.quick,
            Class::ImagePull => timeouts.image_pull,
            Class::Run => timeouts.run.unwrap_or(DEFAULT_RUN),
            Class::Stream => timeouts.stream_idle,
        })
    }
}

/// The body up to `limit` bytes, and why it is not whole. A body in one piece is not copied.
async fn read(response: &mut Response, limit: usize, patience: Duration) -> (Bytes, Option<DecodeFailure>) {
    let deadline = Instant::now().checked_add(patience);
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let failure = loop {
        let room = limit - joined.len().max(first.len());
        let read = response.chunk();
        let read = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, read).await.unwrap_or(Ok(None)),
            None => read.await,
        };
        let mut chunk = match read {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break None,
            Err(error) => break Some(DecodeFailure::Body(Arc::new(error.without_url()))),
        };
        let too_large = chunk.len() > room;
        chunk.truncate(room);
        if first.is_empty() {
            first = chunk;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&chunk);
        }
        if too_large {
            break Some(DecodeFailure::TooLarge { limit });
        }
    };
    (if joined.is_empty() { first } else { joined.freeze() }, failure)
}

/// The span of a call, in the names of OpenTelemetry's conventions for HTTP clients. Of the URL it has the contract's
/// template and the server, so no prompt, id or name is in it.
fn span(request: &Request, operation: Operation) -> Span {
    info_span!(
        "stromboli.call",
        "otel.kind" = "client",
        "otel.name" = operation.id,
        "http.request.method" = request.method().as_str(),
        "url.template" = operation.path,
        "server.address" = request.url().host_str(),
        "server.port" = request.url().port_or_known_default(),
        "http.response.status_code" = field::Empty,
        "http.request.resend_count" = field::Empty,
        "error.type" = field::Empty,
    )
}
