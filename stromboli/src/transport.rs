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
use reqwest::{Request, Response, StatusCode, Url};
use stromboli_generated::{ResponseFuture, Transport};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::error::{BODY_TIME, Error, ErrorKind, MAX_BODY, Result, without_response};
use crate::hooks::{Hooks, RequestEvent, ResponseEvent, RetryEvent};
use crate::operation::{Class, Effect, Operation, find};
use crate::options::RequestOptions;
use crate::retry::{Budget, RetryPolicy};
use crate::timeouts::{DEFAULT_RUN, Timeouts};
use crate::token::{Auth, Token};
use body::Body;
use ended::{Answer, Ended, finish};
use request::{copy, span};

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
        let span = span(&request, &operation);
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
        operation: Operation,
        span: Span,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send {
        async move {
            let mut started = Instant::now();
            let deadline = started.checked_add(self.time(operation.class).min(self.shared.retry.deadline));
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
            let mut unclear: Option<Box<Ended>> = None;
            loop {
                sent.attempts += 1;
                let may_renew = !renewed && self.shared.auth.renews();
                let (ended, token) = self
                    .attempt(
                        &request,
                        &operation,
                        (started, deadline),
                        sent.attempts,
                        rejected.take().as_ref(),
                    )
                    .await;

                if may_renew && ended.refused_token() {
                    // A token is refused before anything is done, so sending again with another is safe for every operation.
                    rejected = token;
                    renewed = true;
                    started = Instant::now();
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
                    let policy = self.options.policy(&self.shared.retry);
                    let wait = policy.decide(operation.effect, sent.attempts, outcome, fastrand::f64())?;
                    let in_time =
                        deadline.is_none_or(|deadline| wait < deadline.saturating_duration_since(Instant::now()));
                    (in_time && self.shared.budget.take()).then_some(wait)
                });
                let Some(wait) = wait else {
                    return finish(ended, unclear.map(|unclear| *unclear), sent, &operation, &span);
                };
                if operation.effect == Effect::Repeatable && ended.may_have_executed() {
                    sent.may_have_executed = true;
                    unclear = Some(Box::new(ended));
                }
                self.shared.hooks.on_retry(&RetryEvent {
                    operation: operation.id,
                    attempt: sent.attempts,
                    wait,
                });
                tokio::time::sleep(wait).await;
                started = Instant::now();
            }
        }
    }

    /// Sends a copy of the request and reads the response, unless it is a stream. Gives the token that was sent as well.
    #[expect(clippy::manual_async_fn, reason = "the future is smaller, as that of `call`")]
    fn attempt<'a>(
        &'a self,
        request: &'a Request,
        operation: &'a Operation,
        (started, deadline): (Instant, Option<Instant>),
        attempt: u32,
        rejected: Option<&'a Token>,
    ) -> impl Future<Output = (Ended, Option<Token>)> + Send + 'a {
        async move {
            let token = match self.token(rejected, deadline).await {
                Ok(token) => token,
                Err(error) => return (Ended::Unsent(error), None),
            };
            let is_stream = operation.class.is_stream();
            let (sent, left) = match self.send(request, operation, attempt, token.as_ref(), deadline) {
                Ok(sent) => sent,
                Err(error) => return (Ended::Unsent(error), None),
            };
            // A block of its own, so that no room is kept for the result while the body is read.
            let mut response = {
                let answered = if is_stream {
                    // Its timer is as large as all else here, which calls that are no streams should not carry.
                    Box::pin(tokio::time::timeout(left, sent)).await
                } else {
                    Ok(sent.await)
                };
                match answered {
                    Ok(Ok(response)) => response,
                    Ok(Err(error)) => return (self.unanswered(error, request.url(), operation, attempt), token),
                    Err(elapsed) => {
                        let error = Error::new(ErrorKind::Timeout, format!("server sent nothing for {left:?}"));
                        let executed = operation.effect != Effect::Read;
                        let error = error.with_source(elapsed).sent(operation.id, attempt, executed);
                        return (Ended::Failed(error), token);
                    }
                }
            };
            self.shared.hooks.on_response(|| ResponseEvent {
                operation: operation.id,
                attempt,
                status: response.status(),
                headers: response.headers(),
                elapsed: started.elapsed(),
            });
            let moved = response.url() != request.url();
            let success = response.status().is_success();
            if success && is_stream {
                return (Ended::Open(response), token);
            }
            let mut body = Body::default();
            let failure = if success {
                body.read(&mut response, self.shared.max_response_bytes).await
            } else {
                // Of an error, the status is what counts: the beginning of its body is enough, and it is not waited for long.
                let left = deadline.map_or(BODY_TIME, |deadline| {
                    deadline.saturating_duration_since(Instant::now()).min(BODY_TIME)
                });
                // Few calls fail, and none of the others should be so large.
                let _ = tokio::time::timeout(left, Box::pin(body.read(&mut response, MAX_BODY))).await;
                None
            };
            let answer = Answer {
                response,
                body: body.whole(),
                failure,
                moved,
            };
            (Ended::Answered(answer), token)
        }
    }

    /// Begins to send a copy of the request, with all that is only for this attempt, and says what time it has. Not part of the future of an attempt,
    /// which would keep room for the copy as long as it waits.
    fn send(
        &self,
        request: &Request,
        operation: &Operation,
        attempt: u32,
        token: Option<&Token>,
        deadline: Option<Instant>,
    ) -> Result<(impl Future<Output = reqwest::Result<Response>> + use<>, Duration)> {
        let Some(mut request) = copy(request) else {
            // No request of the contract is one.
            let message = "request has a body that can be read only once";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        self.shared.hooks.on_request(&mut RequestEvent {
            operation: operation.id,
            attempt,
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
        let left = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        // Reqwest's time covers the whole of a response. A stream has none, not even that of the caller's own HTTP client,
        // so opening one has ours.
        *request.timeout_mut() = if operation.class.is_stream() {
            self.shared.brought_http.then_some(Duration::MAX)
        } else {
            Some(left)
        };
        Ok((self.shared.http.execute(request), left))
    }

    /// What a request that `error` ended comes to.
    fn unanswered(&self, mut error: reqwest::Error, url: &Url, operation: &Operation, attempt: u32) -> Ended {
        let executed = operation.effect != Effect::Read;
        if error.is_redirect() || error.url().is_some_and(|at| at != url) {
            let message = "the HTTP client followed a redirect and failed there, give it redirect::Policy::none()";
            let error = Error::new(ErrorKind::Redirect, message).with_source(error.without_url());
            return Ended::Failed(error.sent(operation.id, attempt, executed));
        }
        // Reqwest does not say whether a redirect came before, and only of our own client is it known that none did.
        if self.shared.brought_http && error.is_connect() && executed {
            let sent = Sent {
                attempts: attempt,
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

    /// The token to send, for which a call waits no longer than for its response.
    async fn token(&self, rejected: Option<&Token>, deadline: Option<Instant>) -> Result<Option<Token>> {
        let token = self.shared.auth.token(rejected);
        // Only a source can take time, and a timer is not for nothing.
        let Some(deadline) = deadline.filter(|_| self.shared.auth.renews()) else {
            return token.await;
        };
        Box::pin(tokio::time::timeout_at(deadline, token))
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

#[cfg(test)]
mod tests;
