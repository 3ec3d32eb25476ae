//! One run from its checks to its end: the answer's steps become the server's view of a run.

use std::sync::Arc;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::answer::{Answer, Crash, Exit, Run, Step};
use crate::command;
use crate::dialect::Dialect;
use crate::request::{RunRequest, flag};
use crate::sessions::turn::{self, SharedTurn, Turn};
use crate::sessions::{Occupied, history};
use crate::state::State;
use crate::usage::Usage;
use crate::validate;

/// How many characters of a crashed run's output its crash info quotes.
const PARTIAL_OUTPUT: usize = 2000;

/// A run that goes on for as long as this value lives.
pub(crate) struct Execution {
    state: Arc<State>,
    id: String,
    session_id: Arc<str>,
    /// None after the end.
    occupied: Option<Occupied>,
    answer: Answer,
    /// None when the run is not written down.
    turn: Option<SharedTurn>,
    /// None for a timeout beyond the end of time.
    deadline: Option<Instant>,
    output: String,
    finished: bool,
}

/// What happens next in a run.
pub(crate) enum Event {
    /// Output, of one or more lines.
    Line(String),
    /// The end.
    End(Result<Report, Failure>),
}

/// A run that completed or crashed.
pub(crate) struct Report {
    pub(crate) status: Status,
    pub(crate) output: String,
    pub(crate) structured_output: Option<Value>,
    pub(crate) usage: Option<Usage>,
    pub(crate) crash_info: Option<CrashInfo>,
}

/// The status of a run, or of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Running,
    Completed,
    Crashed,
    Failed,
    Cancelled,
}

/// A run that exited with another status than 0.
pub(crate) struct Failure {
    status: i32,
    output: String,
}

impl Failure {
    /// As a response or a job tells it.
    pub(crate) fn with_output(&self) -> String {
        format!("{}, output: {}", self.brief(), self.output)
    }

    /// As a stream tells it, which has sent the output already.
    pub(crate) fn brief(&self) -> String {
        format!("execution failed: exit status {}", self.status)
    }
}

/// A crash on the wire.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct CrashInfo {
    #[serde(skip_serializing_if = "is_zero")]
    exit_code: i32,
    #[serde(skip_serializing_if = "String::is_empty")]
    signal: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    partial_output: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    task_completed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// The caller's session, or a fresh one.
pub(crate) fn session_id(state: &State, request: &RunRequest) -> Arc<str> {
    request
        .session_id()
        .map_or_else(|| state.random_uuid().into(), Arc::from)
}

impl Execution {
    /// Checks the request and asks for the answer.
    ///
    /// # Errors
    /// The text of the check that failed.
    pub(crate) fn begin(state: &Arc<State>, request: RunRequest, session_id: Arc<str>) -> Result<Self, String> {
        let timeout = validate::check(&request, &state.settings)?;
        let occupied = state.sessions.occupy(&session_id);
        let occupied = occupied
            .ok_or_else(|| format!("session initialization in progress: session {session_id}; please retry"))?;
        state.sessions.create(&session_id);
        let id = state.random_id("run-");
        let (answer, turn) = match command::start(state, &request, &session_id) {
            Ok(place) => {
                let kept = !flag(&request.claude, "no_persistence");
                let turn = kept.then(|| Turn::new(state, &request));
                if let Some(turn) = &turn {
                    state.sessions.append(&session_id, &place, Arc::clone(turn));
                }
                let run = Run {
                    id: id.clone(),
                    prompt: request.prompt,
                    session_id: place.id.to_string(),
                    workdir: Some(request.workdir).filter(|path| !path.is_empty()),
                    claude: Value::Object(request.claude),
                    podman: Value::Object(request.podman),
                    conversation: None,
                };
                (state.scripted.answer(run), turn)
            }
            Err(refusal) => (refusal, None),
        };
        state.count(|stats| stats.executions += 1);
        Ok(Self {
            state: Arc::clone(state),
            id,
            session_id,
            occupied: Some(occupied),
            answer,
            turn,
            deadline: Instant::now().checked_add(timeout),
            output: String::new(),
            finished: false,
        })
    }

    /// What happens next; not to be asked after the end.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let step = self.step().await;
            if let Some(turn) = &self.turn {
                turn::record(turn, self.state.clock.timestamp(), &step);
            }
            match step {
                Step::Line(line) | Step::Stderr(line) => {
                    self.output.push_str(&line);
                    self.output.push('\n');
                    return Event::Line(line);
                }
                Step::Usage(_) => {}
                Step::Exit(exit) => return Event::End(self.end(exit)),
            }
        }
    }

    /// Runs to the end.
    pub(crate) async fn ending(&mut self) -> Result<Report, Failure> {
        loop {
            if let Event::End(ending) = self.next().await {
                return ending;
            }
        }
    }

    /// Waits until nothing of the run can be lost, if that was asked for.
    ///
    /// # Errors
    /// Why that will never be.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        self.state.settle().await
    }

    /// Counts the run as finished and returns its id; a run dropped without this was stopped.
    pub(crate) fn finish(mut self) -> String {
        self.finished = true;
        std::mem::take(&mut self.id)
    }

    async fn step(&mut self) -> Step {
        let next = self.answer.next();
        let step = match self.deadline {
            // A step that is ready comes too late as well.
            Some(deadline) if deadline <= Instant::now() => None,
            Some(deadline) => tokio::time::timeout_at(deadline, next).await.ok(),
            None => Some(next.await),
        };
        match step {
            Some(step) => step.unwrap_or(Step::Exit(Exit::Completed)),
            None => Step::Exit(Exit::Crashed(Crash::new(137, "killed"))),
        }
    }

    fn end(&mut self, exit: Exit) -> Result<Report, Failure> {
        let output = trimmed(std::mem::take(&mut self.output));
        let usage = self.usage();
        self.keep();
        // Before anybody learns of the end: who does may go on with the session at once.
        self.occupied = None;
        let (status, crash_info) = match exit {
            Exit::Completed => (Status::Completed, None),
            Exit::Crashed(crash) => (Status::Crashed, Some(CrashInfo::new(crash, &output))),
            Exit::Failed { status } => return Err(Failure { status, output }),
        };
        Ok(Report {
            status,
            structured_output: structured_output(&output),
            output,
            usage,
            crash_info,
        })
    }

    /// Writes down what was said so far.
    fn keep(&self) {
        if let Some(turn) = &self.turn {
            self.state.sessions.keep(&self.session_id, turn);
        }
    }

    /// What the session has used so far, by its transcript.
    fn usage(&self) -> Option<Usage> {
        if self.state.settings.dialect < Dialect::V0_5_7 {
            return None;
        }
        let transcript = self.state.sessions.counted_transcript(&self.session_id)?;
        let messages = history::messages(&transcript, &self.state.clock, self.state.settings.utc_offset);
        Usage::of(&messages.ok()?)
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if self.occupied.is_some() {
            self.keep();
        }
        let finished = self.finished;
        self.state.count(|stats| {
            if finished {
                stats.finished += 1;
            } else {
                stats.stopped += 1;
            }
        });
    }
}

impl CrashInfo {
    fn new(crash: Crash, output: &str) -> Self {
        let length = output.chars().count();
        let partial_output = if length > PARTIAL_OUTPUT {
            let tail: String = output.chars().skip(length - PARTIAL_OUTPUT).collect();
            format!("...{tail}")
        } else {
            output.to_owned()
        };
        Self {
            exit_code: crash.exit_code,
            signal: crash.signal,
            reason: crash.reason,
            partial_output,
            task_completed: crash.task_completed,
        }
    }
}

/// The same without the space around it.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    let space = text.len() - text.trim_start().len();
    text.drain(..space);
    text
}

/// The member of that name, when the whole output, which begins with no space, is one JSON object that has it.
fn structured_output(output: &str) -> Option<Value> {
    if !output.starts_with('{') {
        return None;
    }
    match serde_json::from_str(output).ok()? {
        Value::Object(mut fields) => fields.remove("structured_output").filter(|v| !v.is_null()),
        _ => None,
    }
}
