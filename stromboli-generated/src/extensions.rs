//! Small methods of the generated nouns: what their fields mean, and the setters that the contract cannot describe.

use std::time::Duration;

use stromboli_messages::Block;

use crate::types::{
    AgentRequest, HistoryMessage, ImagePullRequest, Job, JobStatus, PodmanOptions, RunRequest, RunResponse,
    SessionEntry, SessionInfo,
};

impl RunRequest {
    /// Continues the conversation `session_id`, which an earlier reply or job named.
    ///
    /// ```
    /// # use stromboli_generated::types::RunRequest;
    /// let next = RunRequest::new("And the tests?").resume("550e8400-e29b-41d4-a716-446655440000");
    /// assert_eq!(next.claude.unwrap().resume, Some(true));
    /// ```
    #[must_use]
    pub fn resume(mut self, session_id: impl Into<String>) -> Self {
        self.claude = Some(self.claude.unwrap_or_default().session_id(session_id).resume(true));
        self
    }
}

impl From<&str> for RunRequest {
    fn from(prompt: &str) -> Self {
        Self::new(prompt)
    }
}

impl From<String> for RunRequest {
    fn from(prompt: String) -> Self {
        Self::new(prompt)
    }
}

impl From<&str> for AgentRequest {
    fn from(prompt: &str) -> Self {
        Self::new().prompt(prompt)
    }
}

impl From<String> for AgentRequest {
    fn from(prompt: String) -> Self {
        Self::new().prompt(prompt)
    }
}

impl From<&str> for ImagePullRequest {
    fn from(image: &str) -> Self {
        Self::new(image)
    }
}

impl From<String> for ImagePullRequest {
    fn from(image: String) -> Self {
        Self::new(image)
    }
}

/// Of a session that an older server names by its id alone, nothing else is known.
impl From<SessionEntry> for SessionInfo {
    fn from(entry: SessionEntry) -> Self {
        match entry {
            SessionEntry::SessionInfo(info) => info,
            SessionEntry::String(id) => Self {
                id,
                title: None,
                extra: serde_json::Map::new(),
            },
        }
    }
}

impl PodmanOptions {
    /// Adds one volume, as `host:container[:options]`; the server must allow its host path.
    #[must_use]
    pub fn volume(mut self, volume: impl Into<String>) -> Self {
        self.volumes.push(volume.into());
        self
    }

    /// Adds one environment variable whose value is the stored secret `secret`.
    #[must_use]
    pub fn secret_env(mut self, variable: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets_env.insert(variable.into(), secret.into());
        self
    }
}

impl RunResponse {
    /// What the agent printed; empty when it printed nothing.
    pub fn text(&self) -> &str {
        self.output.as_deref().unwrap_or_default()
    }

    /// The conversation that this run belongs to, for [`RunRequest::resume`]; empty when the server named none.
    pub fn session_id(&self) -> &str {
        self.session_id.as_deref().unwrap_or_default()
    }
}

impl Job {
    /// What the agent printed; empty when it printed nothing, and when the job failed.
    pub fn text(&self) -> &str {
        self.output.as_deref().unwrap_or_default()
    }
}

impl HistoryMessage {
    /// The parts of the message; none on lines without a message, and where the server lost them (WIRE §8).
    pub fn blocks(&self) -> &[Block] {
        self.content.content.as_deref().unwrap_or_default()
    }

    /// What was said: its text blocks, joined.
    ///
    /// ```
    /// # use stromboli_generated::types::HistoryMessage;
    /// let message: HistoryMessage = serde_json::from_str(
    ///     r#"{"uuid":"m-1","type":"user","session_id":"s-1","timestamp":"2026-05-06T10:00:00.5Z",
    ///         "content":{"role":"user","content":[{"type":"text","text":"Hello"}]}}"#,
    /// )?;
    /// assert_eq!(message.text(), "Hello");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn text(&self) -> String {
        let text = |block: &Block| match block {
            Block::Text(block) => block.text.clone(),
            _ => None,
        };
        self.blocks().iter().filter_map(text).collect()
    }
}

impl JobStatus {
    /// Whether the job can no longer change. `Cancelled` can: the container runs on, and its real end replaces the
    /// status (WIRE §6). A status that this version does not know is not taken for an end.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Crashed)
    }
}

/// A duration as Go's `time.ParseDuration` reads it: `90s`, `0.25s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        return format!("{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{seconds}.{}s", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_reads_them() {
        for (duration, text) in [
            (Duration::from_secs(600), "600s"),
            (Duration::from_millis(250), "0.25s"),
            (Duration::new(1, 1), "1.000000001s"),
            (Duration::ZERO, "0s"),
        ] {
            assert_eq!(go_duration(duration), text);
        }
    }

    #[test]
    fn a_cancelled_job_is_not_at_its_end() {
        assert!(!JobStatus::Cancelled.is_final());
        assert!(JobStatus::Crashed.is_final());
        assert!(!JobStatus::Other("paused".into()).is_final());
    }
}
