//! What answers a prompt: the trait, the run it is handed, and the steps it answers with.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream;
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::transcript::{self, Conversation, Reply};
use crate::usage::Usage;

/// Answers prompts in the place of Claude Code in its container.
///
/// The server has already checked the request when it calls [`answer`](Self::answer), once for each run and for each
/// turn of an agent. It polls the answer until its end, and drops it when the client of `POST /run` or
/// `GET /run/stream` goes away, the run's timeout passes or the agent is killed, so whatever the answer holds (a child
/// process, say) must end with it.
///
/// A function from [`Run`] to [`Answer`] is an answerer:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use stromboli_emulator::{Answer, Emulator, Run};
///
/// let emulator = Emulator::builder()
///     .answerer(|run: Run| Answer::lines([run.prompt.to_uppercase()]))
///     .start()
///     .await?;
/// # Ok(()) }
/// ```
pub trait Answerer: Send + Sync + 'static {
    /// Begins to answer `run`.
    fn answer(&self, run: Run) -> Answer;

    /// Starts the process of a persistent agent: it reads [`Agent::prompts`] and its steps are what it prints, until its
    /// [`Step::Exit`]. A line of standard output that is a JSON object of the type `result` ends a turn. When the
    /// prompts end, the process should; it is dropped if it takes too long.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// use futures_util::StreamExt;
    /// use serde_json::json;
    /// use stromboli_emulator::{Agent, Answer, Answerer, Echo, Emulator, Run, Step};
    ///
    /// struct Parrot;
    ///
    /// impl Answerer for Parrot {
    ///     fn answer(&self, run: Run) -> Answer {
    ///         Echo.answer(run)
    ///     }
    ///
    ///     fn start_agent(&self, agent: Agent) -> Option<std::io::Result<Answer>> {
    ///         let said = |prompt| json!({"type": "result", "result": prompt}).to_string();
    ///         Some(Ok(Answer::new(agent.prompts.map(move |prompt| Step::Line(said(prompt))))))
    ///     }
    /// }
    /// # let emulator = Emulator::builder().answerer(Parrot).start().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// `None`, which is the default, leaves the agent to the emulator: it asks [`answer`](Self::answer) (and the rules
    /// before that) once for each turn. With a process of one's own, no rule counts.
    ///
    /// # Errors
    /// When the process cannot be started; the request is answered with 500 and the error's text.
    fn start_agent(&self, agent: Agent) -> Option<io::Result<Answer>> {
        let _ = agent;
        None
    }
}

impl<F> Answerer for F
where
    F: Fn(Run) -> Answer + Send + Sync + 'static,
{
    fn answer(&self, run: Run) -> Answer {
        self(run)
    }
}

/// Answers every prompt with the prompt itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Answerer for Echo {
    fn answer(&self, run: Run) -> Answer {
        Answer::reply(&run, &run.prompt)
    }
}

/// A run to answer: the request, after the server's checks. A turn of an agent comes as a run too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// The run's id, `run-` and 16 hexadecimal digits; that of an agent's turn is `turn-` and a UUID.
    pub id: String,
    /// What was asked; never empty.
    pub prompt: String,
    /// The conversation: the caller's session, a fresh UUID, or that of a fork; the session of the agent.
    pub session_id: String,
    /// The working directory, when the request named one.
    pub workdir: Option<String>,
    /// The `claude` options of the request: an object with the known fields that were set.
    pub claude: Value,
    /// The `podman` options of the request: an object with the known fields that were set.
    pub podman: Value,
    /// That of the agent whose turn it is.
    pub(crate) conversation: Option<Arc<Conversation>>,
}

impl Run {
    /// Whether it is the turn of an agent, whose end is not that of a process.
    pub(crate) fn is_turn(&self) -> bool {
        self.conversation.is_some()
    }

    /// The `claude` option of that name, when it is a string.
    pub(crate) fn claude_text(&self, name: &str) -> Option<&str> {
        self.claude.get(name).and_then(Value::as_str)
    }
}

/// One step of an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// A line of standard output, without its line end.
    Line(String),
    /// A line of standard error, which is output of a run as well, and an `error` event of an agent.
    Stderr(String),
    /// The tokens of the answer that comes next; messages that the command prints do not count theirs any more. The
    /// server reports what a session has used in all.
    Usage(Usage),
    /// The end; what comes after it is never asked for. An answer that ends without one has completed. In the turn of
    /// an agent [`Exit::Completed`] ends the turn, the others end the agent.
    Exit(Exit),
}

/// How a run ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Exit {
    /// Exit status 0.
    Completed,
    /// Killed: a crash to the server, and still a 200 on the wire.
    Crashed(Crash),
    /// Another exit status than 0: `execution failed: exit status N` on the wire.
    Failed {
        /// The exit status of the command.
        status: i32,
    },
}

/// What is known about a crash.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Crash {
    /// The exit code; 0 is left out on the wire.
    pub exit_code: i32,
    /// The signal, such as `killed` or `SIGSEGV`; empty is left out.
    pub signal: String,
    /// Why, in a sentence; empty is left out.
    pub reason: String,
    /// Whether the task was done before the crash.
    pub task_completed: bool,
}

impl Crash {
    /// A crash by `signal`, with the reason that the server gives for it.
    pub fn new(exit_code: i32, signal: impl Into<String>) -> Self {
        let signal = signal.into();
        let reason = if signal.is_empty() {
            String::new()
        } else {
            format!("Process killed by {signal}")
        };
        Self {
            exit_code,
            signal,
            reason,
            task_completed: false,
        }
    }
}

/// An answer on its way: a stream of [`Step`]s.
pub struct Answer(Pin<Box<dyn Stream<Item = Step> + Send>>);

impl Answer {
    /// An answer whose steps come from `steps`.
    pub fn new(steps: impl Stream<Item = Step> + Send + 'static) -> Self {
        Self(Box::pin(steps))
    }

    /// These lines of output, at once, and exit status 0.
    pub fn lines<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Self {
        let steps: Vec<Step> = lines.into_iter().map(|l| Step::Line(l.into())).collect();
        Self::new(stream::iter(steps))
    }

    /// What `claude -p` prints when the model says `text`: the text, or with the output formats `json` and
    /// `stream-json` one line with the result in its JSON envelope; and in the turn of an agent all the messages from
    /// `init` to `result`.
    pub fn reply(run: &Run, text: &str) -> Self {
        let (tools, usage) = (&[], None);
        Self::lines(reply_lines(run, &Reply { text, tools, usage }))
    }
}

impl Stream for Answer {
    type Item = Step;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// The lines behind [`Answer::reply`].
pub(crate) fn reply_lines(run: &Run, reply: &Reply<'_>) -> Vec<String> {
    if let Some(conversation) = &run.conversation {
        return transcript::lines(run, conversation, reply);
    }
    let text = reply.text;
    match run.claude_text("output_format") {
        Some("json" | "stream-json") => vec![envelope(run, text).to_string()],
        _ => text.split('\n').map(str::to_owned).collect(),
    }
}

/// The command line's JSON result. A reply that is JSON, to a run with a schema, is also its structured output.
fn envelope(run: &Run, text: &str) -> Value {
    let mut envelope = json!({
        "type": "result",
        "subtype": "success",
        "is_error": false,
        "duration_ms": 0,
        "duration_api_ms": 0,
        "num_turns": 1,
        "result": text,
        "session_id": run.session_id,
        "total_cost_usd": 0,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    });
    if run.claude_text("json_schema").is_some()
        && let Ok(structured) = serde_json::from_str::<Value>(text)
        && let Some(fields) = envelope.as_object_mut()
    {
        fields.insert("structured_output".to_owned(), structured);
    }
    envelope
}
