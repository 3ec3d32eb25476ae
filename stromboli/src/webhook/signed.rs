//! The extractor for axum: it reads the body, up to a limit, and lets genuine reports through.

use axum_core::extract::rejection::BytesRejection;
use axum_core::extract::{DefaultBodyLimit, FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::StatusCode;

use super::{JobEvent, Verifier, VerifyError};

/// A job holds all that its container printed, so that axum's own limit of 2 MB would lose the report of a long one.
const DEFAULT_MAX_BYTES: usize = 16 * 1024 * 1024;

/// A report that was found genuine, as an argument of a handler.
///
/// The [`Verifier`] is the router's state or a part of it. Bodies up to `MAX_BYTES` are read, 16 MiB unless written
/// otherwise, as in `Signed<1024>`; axum's `DefaultBodyLimit` plays no part. A request without well-formed headers is
/// refused before its body is read.
///
/// The rejection answers 401 to what is not genuine or not recent, 400 to a body that cannot be understood, 413 to one
/// above the limit and 500 when the verifier has no secret. To see it, take `Result<Signed, SignedRejection>`.
///
/// ```
/// use axum::Router;
/// use axum::http::StatusCode;
/// use axum::routing::post;
/// use stromboli::webhook::{Signed, Verifier};
///
/// async fn job_ended(Signed(event): Signed) -> StatusCode {
///     println!("{} {}", event.job_id, event.status);
///     StatusCode::NO_CONTENT
/// }
///
/// let verifier = Verifier::new([std::env::var("WEBHOOK_SECRET").unwrap_or_default()]);
/// let app: Router = Router::new().route("/stromboli", post(job_ended)).with_state(verifier);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Signed<const MAX_BYTES: usize = DEFAULT_MAX_BYTES>(pub JobEvent);

/// Why [`Signed`] refused a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedRejection {
    /// The report is not genuine, not recent or not understood.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The body is too large, or broke off.
    #[error("body could not be read")]
    Body(#[from] BytesRejection),
}

impl SignedRejection {
    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            // Not the caller's fault, and not for long: the server says nothing of it but in its log.
            Self::Verify(VerifyError::NoSecret) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Verify(VerifyError::Payload { .. }) => StatusCode::BAD_REQUEST,
            Self::Verify(_) => StatusCode::UNAUTHORIZED,
            Self::Body(rejection) => rejection.status(),
        }
    }
}

impl IntoResponse for SignedRejection {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

impl<S, const MAX_BYTES: usize> FromRequest<S> for Signed<MAX_BYTES>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = SignedRejection;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let verifier = Verifier::from_ref(state);
        let headers = std::mem::take(request.headers_mut());
        let claim = verifier.claim(&headers)?;
        DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
        let body = Bytes::from_request(request, &()).await?;
        Ok(Self(verifier.check(&claim, &body, Timestamp::now())?))
    }
}

#[cfg(test)]
mod tests;
