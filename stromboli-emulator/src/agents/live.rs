//! One agent: its status, its turns, and who listens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::agent::Prompt;
use crate::state::{State, lock};

use super::event::{Event, time};
use super::request::CreateRequest;
use super::subscriber::Subscriber;

/// The longest line of output that the server passes on, in bytes.
const MAX_LINE: usize = 10 << 20;
/// What it passes on for a longer one.
const TRUNCATED: &str = "[stromboli: line truncated, exceeded 10485760 bytes]";
/// What a send says when the process does not read.
pub(crate) const BROKEN_PIPE: &str = "agent: write stdin: broken pipe";

/// An agent, from its start until nobody asks for it any more.
pub(crate) struct LiveAgent {
    id: String,
    session_id: String,
    created_at: Timestamp,
    idle_timeout_seconds: u64,
    idle_timeout: Option<Duration>,
    offset: Offset,
    progress: Mutex<Progress>,
    /// Whether the agent was told to stop.
    stop: watch::Sender<bool>,
    /// Whether its process is gone.
    gone: watch::Sender<bool>,
}

struct Progress {
    status: Status,
    /// None between turns.
    turn_id: Option<String>,
    turns_completed: u64,
    last_activity_at: Timestamp,
    /// The same by the clock that the idle timeout goes by.
    last_activity: Instant,
    exit_error: Option<String>,
    /// None when it is closed.
    stdin: Option<UnboundedSender<Prompt>>,
    subscribers: Vec<Arc<Subscriber>>,
}

/// The status of an agent on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Starting,
    Idle,
    Generating,
    Exited,
}

/// An agent as the server shows it.
#[derive(Serialize)]
pub(crate) struct Snapshot {
    id: String,
    session_id: String,
    status: Status,
    created_at: String,
    last_activity_at: String,
    idle_timeout_seconds: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    idle_timeout_disabled: bool,
    turns_completed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_error: Option<String>,
}

/// Why a prompt was not sent.
pub(crate) enum NotSent {
    Blank,
    Busy,
    Exited,
    /// The process does not read.
    Broken,
}

impl LiveAgent {
    pub(crate) fn new(id: String, session_id: String, request: &CreateRequest, offset: Offset) -> Self {
        let now = Timestamp::now();
        Self {
            id,
            session_id,
            created_at: now,
            idle_timeout_seconds: request.idle_timeout_seconds,
            idle_timeout: request.idle_timeout(),
            offset,
            progress: Mutex::new(Progress {
                status: Status::Starting,
                turn_id: None,
                turns_completed: 0,
                last_activity_at: now,
                last_activity: Instant::now(),
                exit_error: None,
                stdin: None,
                subscribers: Vec::new(),
            }),
            stop: watch::Sender::new(false),
            gone: watch::Sender::new(false),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let progress = lock(&self.progress);
        Snapshot {
            id: self.id.clone(),
            session_id: self.session_id.clone(),
            status: progress.status,
            created_at: time(self.created_at, self.offset),
            last_activity_at: time(progress.last_activity_at, self.offset),
            idle_timeout_seconds: self.idle_timeout_seconds,
            idle_timeout_disabled: self.idle_timeout.is_none(),
            turns_completed: progress.turns_completed,
            exit_error: progress.exit_error.clone(),
        }
    }

    pub(crate) fn open_stdin(&self, stdin: UnboundedSender<Prompt>) {
        lock(&self.progress).stdin = Some(stdin);
    }

    /// Begins a turn and returns its id.
    ///
    /// # Errors
    /// When the agent cannot take the prompt.
    pub(crate) fn send(&self, state: &State, prompt: String) -> Result<String, NotSent> {
        if prompt.trim().is_empty() {
            return Err(NotSent::Blank);
        }
        let mut progress = lock(&self.progress);
        match progress.status {
            Status::Exited => return Err(NotSent::Exited),
            Status::Generating => return Err(NotSent::Busy),
            Status::Starting | Status::Idle => {}
        }
        let turn_id = format!("turn-{}", state.random_uuid());
        progress.status = Status::Generating;
        progress.turn_id = Some(turn_id.clone());
        progress.touch();
        self.publish(state, &progress, "turn_start", "", None);
        let turn = Prompt {
            turn_id: turn_id.clone(),
            text: prompt,
        };
        if progress.stdin.as_ref().is_some_and(|stdin| stdin.send(turn).is_ok()) {
            state.count(|stats| stats.executions += 1);
            return Ok(turn_id);
        }
        self.publish(state, &progress, "error", "", Some(BROKEN_PIPE));
        progress.status = Status::Idle;
        progress.turn_id = None;
        Err(NotSent::Broken)
    }

    /// A line of standard output.
    pub(crate) fn print(&self, state: &State, line: &str) {
        let line = if line.len() > MAX_LINE { TRUNCATED } else { line };
        let mut progress = lock(&self.progress);
        if progress.status == Status::Starting {
            progress.status = Status::Idle;
            progress.touch();
        }
        self.publish(state, &progress, "output", line, None);
        if progress.turn_id.is_some() && is_result(line) {
            progress.status = Status::Idle;
            progress.turns_completed += 1;
            progress.touch();
            self.publish(state, &progress, "turn_end", "", None);
            progress.turn_id = None;
            state.count(|stats| stats.finished += 1);
        }
    }

    /// A line of standard error.
    pub(crate) fn complain(&self, state: &State, line: &str) {
        self.publish(state, &lock(&self.progress), "error", "", Some(line));
    }

    /// Whether nothing has happened for longer than the agent may idle.
    pub(crate) fn is_idle(&self) -> bool {
        let last = lock(&self.progress).last_activity;
        self.idle_timeout.is_some_and(|timeout| last.elapsed() >= timeout)
    }

    /// Says that the agent is stopped for idling.
    pub(crate) fn idled(&self, state: &State) {
        let error = "agent: idle timeout reached";
        self.publish(state, &lock(&self.progress), "exited", "", Some(error));
    }

    /// Closes the process's input, on which it ends; after a while it is killed.
    pub(crate) fn stop(&self) {
        lock(&self.progress).stdin = None;
        self.stop.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the agent is told to stop.
    pub(crate) async fn told_to_stop(&self) {
        // The sender is ours, so that the wait can only end well.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// The process is gone; `error` says why if it did not end well.
    pub(crate) fn exited(&self, state: &State, error: Option<String>) {
        let mut progress = lock(&self.progress);
        progress.status = Status::Exited;
        progress.stdin = None;
        let unfinished = progress.turn_id.take().is_some();
        self.publish(state, &progress, "exited", "", error.as_deref());
        progress.exit_error = error;
        for subscriber in progress.subscribers.drain(..) {
            subscriber.end();
        }
        drop(progress);
        let stopped = self.is_stopping();
        state.count(|stats| {
            stats.agents -= 1;
            match (unfinished, stopped) {
                (true, true) => stats.stopped += 1,
                (true, false) => stats.finished += 1,
                (false, _) => {}
            }
        });
        self.gone.send_replace(true);
    }

    /// Waits until the process is gone.
    pub(crate) async fn gone(&self) {
        // The sender is ours, so that the wait can only end well.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Adds a reader of the events from now on; one who comes after the exit waits for ever, as on the real server.
    pub(crate) fn subscribe(&self, state: &State) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber::new());
        lock(&self.progress).subscribers.push(Arc::clone(&subscriber));
        state.count(|stats| stats.subscribers += 1);
        subscriber
    }

    pub(crate) fn unsubscribe(&self, state: &State, subscriber: &Arc<Subscriber>) {
        let mut progress = lock(&self.progress);
        progress.subscribers.retain(|other| !Arc::ptr_eq(other, subscriber));
        drop(progress);
        subscriber.leave();
        state.count(|stats| stats.subscribers -= 1);
    }

    /// Waits for the readers that keep up.
    pub(crate) async fn keep_pace(&self) {
        let subscribers = lock(&self.progress).subscribers.clone();
        for subscriber in subscribers {
            subscriber.keep_pace().await;
        }
    }

    fn publish(&self, state: &State, progress: &Progress, kind: &'static str, content: &str, error: Option<&str>) {
        if progress.subscribers.is_empty() {
            return;
        }
        let event = Event {
            kind,
            turn_id: progress.turn_id.as_deref().filter(|_| kind != "exited"),
            content,
            error,
            at: time(Timestamp::now(), self.offset),
        };
        let frame: Bytes = event.frame();
        for subscriber in &progress.subscribers {
            if subscriber.push(frame.clone()) {
                state.count(|stats| stats.dropped_events += 1);
            }
        }
    }
}

impl Progress {
    fn touch(&mut self) {
        self.last_activity_at = Timestamp::now();
        self.last_activity = Instant::now();
    }
}

/// Whether a line ends a turn: a JSON object with the type `result`.
fn is_result(line: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    serde_json::from_str::<Typed<'_>>(line).is_ok_and(|typed| typed.kind == "result")
}
