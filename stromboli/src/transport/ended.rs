//! How an attempt ends, and what a call comes to.

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use stromboli_generated::DecodeFailure;
use tracing::Span;

use super::request::Attempt;
use super::{Failure, Sent};
use crate::error::{
    Error, ErrorKind, is_tls, kind_of_body, kind_without_response, refused, retry_after, server_words, without_response,
};
use crate::operation::{Effect, Operation};
use crate::retry::Outcome;

/// How an attempt ended.
pub(super) enum Ended {
    /// A stream that is open now.
    Open(Response),
    Answered(Answer),
    Unanswered(reqwest::Error),
    /// What this crate has to say itself: no answer began in time, or what came of a redirect.
    Failed(Error),
    /// Nothing was sent: there was no token, or the URL is too long.
    Unsent(Error),
}

/// A response, its body, and why that is not whole.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) body: Bytes,
    pub(super) failure: Option<DecodeFailure>,
    /// It came from where the caller's own HTTP client was redirected to. What the first server did is unknown.
    pub(super) moved: bool,
}

impl Answer {
    fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Whether the server's status or words say that it refused before it did anything.
    fn is_refused(&self) -> bool {
        !self.moved
            && refused(
                self.status(),
                server_words(self.response.headers(), &self.body).as_deref(),
            )
    }

    /// What the generated call gets, with all of this in it.
    fn hand_over(mut self, mut sent: Sent) -> stromboli_generated::Received {
        sent.may_have_executed |= self.moved;
        let extensions = self.response.extensions_mut();
        sent.travel_in(extensions);
        if let Some(failure) = self.failure {
            extensions.insert(failure);
        }
        stromboli_generated::Received {
            response: self.response,
            body: Some(self.body),
        }
    }
}

impl Ended {
    /// What the decision about another attempt depends on; `None` when there is nothing to decide.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Open(_) | Self::Failed(_) | Self::Unsent(_) => None,
            Self::Answered(answer) => match &answer.failure {
                Some(DecodeFailure::Body(_)) => Some(Outcome::Lost),
                Some(_) => None,
                None if answer.status().is_success() || answer.moved => None,
                None => Some(Outcome::Answered {
                    status: answer.status().as_u16(),
                    refused: answer.is_refused(),
                    retry_after: retry_after(answer.response.headers(), std::time::SystemTime::now()),
                }),
            },
            // Neither a request that cannot be built nor a certificate gets better by waiting.
            Self::Unanswered(error) if error.is_builder() || (error.is_connect() && is_tls(error)) => None,
            Self::Unanswered(error) if error.is_connect() => Some(Outcome::NotSent),
            Self::Unanswered(_) => Some(Outcome::Lost),
        }
    }

    pub(super) fn succeeded(&self) -> bool {
        match self {
            Self::Open(_) => true,
            Self::Answered(answer) => answer.status().is_success() && answer.failure.is_none(),
            Self::Unanswered(_) | Self::Failed(_) | Self::Unsent(_) => false,
        }
    }

    /// Whether the server refused the token, before it did anything. One behind a redirect does not speak for the first.
    pub(super) fn refused_token(&self) -> bool {
        matches!(self, Self::Answered(answer) if !answer.moved && answer.status() == StatusCode::UNAUTHORIZED)
    }

    fn has_status(&self, statuses: &[u16]) -> bool {
        matches!(self, Self::Answered(answer) if statuses.contains(&answer.status().as_u16()))
    }

    pub(super) fn may_have_executed(&self) -> bool {
        match self {
            Self::Open(_) => true,
            Self::Answered(answer) => !answer.is_refused(),
            Self::Unanswered(error) => !(error.is_builder() || error.is_connect()),
            Self::Failed(error) => error.may_have_executed(),
            Self::Unsent(_) => false,
        }
    }
}

/// What a request comes to whose answer did not begin in time.
pub(super) fn late(attempt: &Attempt<'_>) -> Ended {
    let operation = attempt.operation;
    let message = if operation.class.is_stream() {
        let silence = attempt.deadline.saturating_duration_since(attempt.started);
        format!("server sent nothing for {silence:?}")
    } else {
        let origin = attempt.request.url().origin().ascii_serialization();
        format!("{origin} did not answer within the call's time")
    };
    let executed = operation.effect != Effect::Read;
    Ended::Failed(Error::new(ErrorKind::Timeout, message).sent(operation.id, attempt.number, executed))
}

/// What a call comes to: its last attempt, or an earlier one that says more of the truth. `span` is the call's: the
/// current one would be the application's when a filter leaves ours out.
pub(super) fn finish(
    last: Ended,
    unclear: Option<Ended>,
    sent: Sent,
    operation: &Operation,
    span: &Span,
) -> reqwest::Result<stromboli_generated::Received> {
    // A change that was lost may have been made, and then its repetition finds nothing left to change.
    let told = match unclear {
        Some(unclear) if last.has_status(&[404, 409, 410]) => unclear,
        _ => last,
    };
    if sent.attempts > 1 {
        span.record("http.request.resend_count", sent.attempts - 1);
    }
    let record_status = |status: StatusCode| {
        span.record("http.response.status_code", status.as_u16());
        if !status.is_success() {
            span.record("error.type", status.as_str());
        }
    };
    match told {
        Ended::Open(mut response) => {
            record_status(response.status());
            sent.travel_in(response.extensions_mut());
            Ok(response.into())
        }
        Ended::Answered(answer) => {
            record_status(answer.status());
            if let Some(failure) = &answer.failure {
                span.record("error.type", kind_of_body(failure).code());
            }
            Ok(answer.hand_over(sent))
        }
        // Reqwest's own error says all there is to say, and `raw()` gives it as it is.
        Ended::Unanswered(error) if sent.attempts == 1 => {
            span.record("error.type", kind_without_response(&error).code());
            Err(error)
        }
        Ended::Unanswered(error) => {
            let error = without_response(operation, error, sent);
            span.record("error.type", error.code());
            Ok(Failure::into_received(error))
        }
        Ended::Unsent(error) => {
            let error = error.unsent(operation.id, sent.attempts - 1, sent.may_have_executed);
            span.record("error.type", error.code());
            Ok(Failure::into_received(error))
        }
        Ended::Failed(error) => {
            span.record("error.type", error.code());
            Ok(Failure::into_received(error))
        }
    }
}
