//! Requests that the contract has no body for.

use std::fmt;

/// What [`Client::stream`](crate::Client::stream) sends: nothing but these three, because the endpoint reads nothing
/// else (WIRE §7): no model, no container options, and no way to continue a conversation.
///
/// ```
/// let request = stromboli::StreamRequest::new("Count to ten").workdir("/workspace");
/// assert!(!format!("{request:?}").contains("Count"));
/// ```
#[derive(Clone, PartialEq)]
pub struct StreamRequest {
    /// What the agent shall do.
    pub prompt: String,
    /// Absolute path in the container to work in.
    pub workdir: Option<String>,
    /// The id that the new conversation shall have, a UUID.
    pub session_id: Option<String>,
}

impl StreamRequest {
    /// With what is required; the server's defaults apply to the rest.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self {
            prompt: prompt.into(),
            workdir: None,
            session_id: None,
        }
    }

    /// Absolute path in the container to work in.
    #[must_use]
    pub fn workdir(mut self, workdir: impl Into<String>) -> Self {
        self.workdir = Some(workdir.into());
        self
    }

    /// The id that the new conversation shall have, a UUID. One that exists makes the run fail (WIRE §7).
    #[must_use]
    pub fn session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }
}

impl From<&str> for StreamRequest {
    fn from(prompt: &str) -> Self {
        Self::new(prompt)
    }
}

impl From<String> for StreamRequest {
    fn from(prompt: String) -> Self {
        Self::new(prompt)
    }
}

impl fmt::Debug for StreamRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRequest")
            .field("prompt", &format_args!("[redacted]"))
            .field("workdir", &self.workdir)
            .field("session_id", &self.session_id)
            .finish()
    }
}
