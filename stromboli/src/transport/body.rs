//! Reading a response's body into memory that is bounded.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use stromboli_generated::DecodeFailure;

/// What was read of a response's body. One that comes in one piece is not copied.
#[derive(Default)]
pub(super) struct Body {
    first: Bytes,
    joined: BytesMut,
}

impl Body {
    /// Reads the body up to `limit` bytes, and says why it is not whole. What was read when it is dropped stays.
    /// Not an `async fn`, which would keep its arguments twice.
    #[expect(clippy::manual_async_fn, reason = "the future is smaller")]
    pub(super) fn read(
        &mut self,
        response: &mut Response,
        limit: usize,
    ) -> impl Future<Output = Option<DecodeFailure>> + Send {
        async move {
            loop {
                let room = limit - self.joined.len().max(self.first.len());
                let mut chunk = match response.chunk().await {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) => return None,
                    Err(error) => return Some(DecodeFailure::Body(Arc::new(error.without_url()))),
                };
                let too_large = chunk.len() > room;
                chunk.truncate(room);
                if self.first.is_empty() {
                    self.first = chunk;
                } else {
                    if self.joined.is_empty() {
                        self.joined.extend_from_slice(&self.first);
                    }
                    self.joined.extend_from_slice(&chunk);
                }
                if too_large {
                    return Some(DecodeFailure::TooLarge { limit });
                }
            }
        }
    }

    pub(super) fn whole(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}
