//! What the process of a persistent agent is started with.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

/// A persistent agent to start: the request, with what the server forces on it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agent {
    /// The agent's id, `agent-` and a UUID.
    pub id: String,
    /// Its session, a fresh UUID.
    pub session_id: String,
    /// The working directory, when the request named one.
    pub workdir: Option<String>,
    /// The `claude` options: an object with the known fields that were set, without `session_id` and `resume`, with the
    /// formats, the partial messages and the verbosity that the server forces.
    pub claude: Value,
    /// The process's standard input.
    pub prompts: Prompts,
}

/// The standard input of an agent's process: a stream of the prompts it is sent, one for each turn. On the input of
/// Claude Code each is a line `{"type":"user","message":{"role":"user","content":"…"}}`.
///
/// It ends when the agent is to stop. A process that drops it has closed its input: what is sent then fails.
pub struct Prompts(UnboundedReceiver<Prompt>);

/// A prompt, and the turn that it begins.
pub(crate) struct Prompt {
    pub(crate) turn_id: String,
    pub(crate) text: String,
}

impl Prompts {
    pub(crate) fn new(prompts: UnboundedReceiver<Prompt>) -> Self {
        Self(prompts)
    }

    /// The next prompt with its turn.
    pub(crate) async fn turn(&mut self) -> Option<Prompt> {
        self.0.recv().await
    }
}

impl Stream for Prompts {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<String>> {
        self.0.poll_recv(cx).map(|prompt| prompt.map(|prompt| prompt.text))
    }
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prompts")
    }
}
