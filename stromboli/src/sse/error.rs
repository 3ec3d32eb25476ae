//! Why a stream cannot be decoded.

use std::fmt;

/// Why a stream cannot be decoded further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An event, or a line that belongs to none, is above the decoder's limit.
    EventTooLarge {
        /// The limit in bytes, as set by [`Decoder::max_event_bytes`](super::Decoder::max_event_bytes).
        limit: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::EventTooLarge { limit } = self;
        write!(f, "server-sent event is larger than {limit} bytes")
    }
}

impl std::error::Error for Error {}
