//! How every request is sent: the loop of attempts, and in each attempt headers, token, hooks, time and size limits.
//! What follows a failed attempt is decided in `retry.rs`.

mod body;
mod ended;
mod request;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use reqwest::{Request, Response, StatusCode};
use stromboli_generated::{DecodeFailure, ResponseFuture, Transport};
use tokio::time::Instant;
use tokio::time::error::Elapsed;
use tracing::{Instrument, Span};

use crate::error::{BODY_TIME, Error, ErrorKind, MAX_BODY, Result, without_response};
use crate::hooks::{Hooks, RequestEvent, ResponseEvent, RetryEvent};
use crate::operation::{Class, Effect, Operation, find};
use crate::options::RequestOptions;
use crate::retry::{Budget, RetryPolicy};
use crate::timeouts::{DEFAULT_RUN, Timeouts};
use crate::token::{Auth, Token};
use body::Body;
use ended::{Answer, Ended, finish, late};
use request::{Attempt, copy, span};

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

/// As long as no limit: what all clocks can be set to, as Tokio has it.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

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

    fn into_received(error: Error) -> stromboli_generated::Received {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
            .extensions_mut()
            .insert(Self(Arc::new(Mutex::new(Some(error)))));
        Response::from(response).into()
    }
}

impl Transport for HttpTransport {
    fn execute(&self, request: Request, operation_id: &'static str) -> ResponseFuture<'_> {
        let operation = find(operation_id);
        let span = span(&request, operation);
        Box::pin(self.call(request, operation, span.clone()).instrument(span))
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

    /// All attempts. Not an `async fn`, which would keep its arguments twice: with them, the future of a call is larger than
    /// what allocators have at hand.
    #[expect(clippy::manual_async_fn, reason = "the future is smaller")]
    fn call(
        &self,
        mut request: Request,
        operation: &'static Operation,
        span: Span,
    ) -> impl Future<Output = reqwest::Result<stromboli_generated::Received>> + Send {
        async move {
            request.headers_mut().insert(USER_AGENT, self.shared.user_agent.clone());
            if !self.options.headers.is_empty() {
                request.headers_mut().extend(self.options.headers.clone());
            }
            let started = Instant::now();
            let time = self.time(operation.class).min(self.shared.retry.deadline);
            let mut attempt = Attempt {
                request: &request,
                operation,
                number: 0,
                started,
                deadline: started + time.min(FOREVER),
            };
            let mut may_have_executed = false;
            let mut renewed = false;
            // The token that was sent. Where it is here before an attempt, the server has refused it.
            let mut token: Option<Token> = None;
            // How an earlier attempt ended that may have been carried out.
            let mut unclear: Option<Box<Ended>> = None;
            loop {
                attempt.number += 1;
                // How it ended is not kept while waiting for the next, and takes no room.
                let wait = {
                    let ended = self.attempt(&attempt, &mut token).await;
                    if !renewed && self.shared.auth.renews() && ended.refused_token() {
                        // A token is refused before anything is done, so sending again with another is safe for every operation.
                        renewed = true;
                        Duration::ZERO
                    } else {
                        token = None;
                        if ended.succeeded() && attempt.number == 1 {
                            self.shared.budget.reward();
                        }
                        let Some(wait) = self.wait(&ended, &attempt) else {
                            let sent = Sent {
                                attempts: attempt.number,
                                may_have_executed,
                            };
                            return finish(ended, unclear.map(|unclear| *unclear), sent, operation, &span);
                        };
                        if operation.effect == Effect::Repeatable && ended.may_have_executed() {
                            may_have_executed = true;
                            unclear = Some(Box::new(ended));
                        }
                        wait
                    }
                };
                self.shared.hooks.on_retry(&RetryEvent {
                    operation: operation.id,
                    attempt: attempt.number,
                    wait,
                });
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                attempt.started = Instant::now();
            }
        }
    }

    /// The wait before another attempt, if there shall be one.
    fn wait(&self, ended: &Ended, attempt: &Attempt<'_>) -> Option<Duration> {
        let outcome = ended.outcome()?;
        let policy = self.options.policy(&self.shared.retry);
        let wait = policy.decide(attempt.operation.effect, attempt.number, outcome, fastrand::f64())?;
        let in_time = wait < attempt.deadline.saturating_duration_since(Instant::now());
        (in_time && self.shared.budget.take()).then_some(wait)
    }

    /// Sends a copy of the request and reads the response, unless it is a stream.
    #[expect(clippy::manual_async_fn, reason = "the future is smaller, as that of `call`")]
    fn attempt<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
        token: &'a mut Option<Token>,
    ) -> impl Future<Output = Ended> + Send + 'a {
        async move {
            if let Err(error) = self.renew(token, attempt.deadline).await {
                return Ended::Unsent(error);
            }
            let sent = match self.send(attempt, token.as_ref()) {
                Ok(sent) => sent,
                Err(error) => return Ended::Unsent(error),
            };
            let mut answered = None;
            let mut body = Body::default();
            // One timer for head and body. Not reqwest's, which travels in a map of its own, and which streams do without.
            let read = tokio::time::timeout_at(attempt.deadline, async {
                let Ok(response) = answered.insert(sent.await) else {
                    return None;
                };
                self.shared.hooks.on_response(|| ResponseEvent {
                    operation: attempt.operation.id,
                    attempt: attempt.number,
                    status: response.status(),
                    headers: response.headers(),
                    elapsed: attempt.started.elapsed(),
                });
                if !response.status().is_success() {
                    // Of an error, the status is what counts: the beginning of its body is enough, and it is not waited for
                    // long. Few calls fail, and none of the others should be so large.
                    let _ = Box::pin(tokio::time::timeout(BODY_TIME, body.read(response, MAX_BODY))).await;
                    None
                } else if attempt.operation.class.is_stream() {
                    None
                } else {
                    body.read(response, self.shared.max_response_bytes).await
                }
            })
            .await;
            self.ended(attempt, answered, read, body)
        }
    }

    /// What an attempt comes to. `read` says why the body is not whole, or that the time was up.
    fn ended(
        &self,
        attempt: &Attempt<'_>,
        answered: Option<reqwest::Result<Response>>,
        read: std::result::Result<Option<DecodeFailure>, Elapsed>,
        body: Body,
    ) -> Ended {
        let response = match answered {
            Some(Ok(response)) => response,
            Some(Err(error)) => return self.unanswered(error, attempt),
            None => return late(attempt),
        };
        let success = response.status().is_success();
        if success && attempt.operation.class.is_stream() {
            return Ended::Open(response);
        }
        Ended::Answered(Answer {
            moved: response.url() != attempt.request.url(),
            failure: read.unwrap_or_else(|_| success.then_some(DecodeFailure::TimedOut)),
            body: body.whole(),
            response,
        })
    }

    /// Begins to send a copy of the request, with all that is only for this attempt. Not part of the future of an attempt,
    /// which would keep room for the copy as long as it waits.
    fn send(
        &self,
        attempt: &Attempt<'_>,
        token: Option<&Token>,
    ) -> Result<impl Future<Output = reqwest::Result<Response>> + use<>> {
        let Some(mut request) = copy(attempt.request) else {
            // No request of the contract is one.
            let message = "request has a body that can be read only once";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        self.shared.hooks.on_request(&mut RequestEvent {
            operation: attempt.operation.id,
            attempt: attempt.number,
            headers: request.headers_mut(),
        });
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, token.header());
        }
        let length = request.url().as_str().len();
        if length > MAX_URL {
            let message =
                format!("URL with the prompt has {length} bytes, the most is {MAX_URL}, so use `run` or `start`");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        if self.shared.brought_http {
            // The caller's HTTP client may have a time of its own, which would end a stream or a run.
            *request.timeout_mut() = Some(Duration::MAX);
        }
        Ok(self.shared.http.execute(request))
    }

    /// What a request that `error` ended comes to.
    fn unanswered(&self, mut error: reqwest::Error, attempt: &Attempt<'_>) -> Ended {
        let operation = attempt.operation;
        let executed = operation.effect != Effect::Read;
        if error.is_redirect() || error.url().is_some_and(|at| at != attempt.request.url()) {
            let message = "the HTTP client followed a redirect and failed there, give it redirect::Policy::none()";
            let error = Error::new(ErrorKind::Redirect, message).with_source(error.without_url());
            return Ended::Failed(error.sent(operation.id, attempt.number, executed));
        }
        // Reqwest does not say whether a redirect came before, and only of our own client is it known that none did.
        if self.shared.brought_http && error.is_connect() && executed {
            let sent = Sent {
                attempts: attempt.number,
                may_have_executed: true,
            };
            return Ended::Failed(without_response(operation, error, sent));
        }
        // The query of a stream holds the prompt.
        if let Some(url) = error.url_mut() {
            url.set_query(None);
        }
        Ended::Unanswered(error)
    }

    /// Puts the token to send in the place of one that was refused. A call waits no longer for it than for its response.
    async fn renew(&self, token: &mut Option<Token>, deadline: Instant) -> Result<()> {
        let rejected = token.take();
        let obtained = self.shared.auth.token(rejected.as_ref());
        // Only a source can take time, and a timer is not for nothing.
        *token = if self.shared.auth.renews() {
            let obtained = Box::pin(tokio::time::timeout_at(deadline, obtained)).await.ok();
            // One that blocks ends late without any timer, and what would be sent then is cut off at once.
            let obtained = obtained.filter(|obtained| obtained.is_err() || Instant::now() < deadline);
            obtained.unwrap_or_else(|| {
                let message = "no token was there within the call's time";
                Err(Error::new(ErrorKind::Timeout, message))
            })?
        } else {
            obtained.await?
        };
        Ok(())
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

#[cfg(test)]
mod tests;
