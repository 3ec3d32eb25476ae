//! One run as it went, kept as it is: its lines are written when somebody reads the transcript, which is seldom.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::answer::{Exit, Step};
use crate::request::{RunRequest, flag, text};
use crate::state::{State, lock};
use crate::usage::Usage;

/// A prompt and what was answered.
pub(crate) struct Turn {
    /// Its place in its session.
    pub(super) number: usize,
    pub(super) began: Timestamp,
    pub(super) prompt: String,
    /// As the request names it; empty for none.
    pub(super) workdir: String,
    pub(super) permission_mode: Cow<'static, str>,
    /// The model that the request names; empty for none.
    pub(super) model: String,
    /// For the ids in the lines.
    pub(super) random: fastrand::Rng,
    pub(super) events: Vec<(Timestamp, Event)>,
}

/// What a transcript tells of a step. A step itself is three times as large, and turns are kept.
pub(super) enum Event {
    /// To the standard output.
    Printed(String),
    Used(Box<Usage>),
    Completed,
    Crashed,
    Failed,
}

/// A turn that the run adds to while others can read it.
pub(crate) type SharedTurn = Arc<Mutex<Turn>>;

impl Turn {
    pub(crate) fn new(state: &State, request: &RunRequest) -> SharedTurn {
        let options = &request.claude;
        let mode = match text(options, "permission_mode") {
            "" if flag(options, "dangerously_skip_permissions") => Cow::Borrowed("bypassPermissions"),
            "" => Cow::Borrowed("default"),
            mode => Cow::Owned(mode.to_owned()),
        };
        Arc::new(Mutex::new(Self {
            number: 0,
            began: state.clock.timestamp(),
            prompt: request.prompt.clone(),
            workdir: request.workdir.clone(),
            permission_mode: mode,
            model: text(options, "model").to_owned(),
            random: state.fork_random(),
            events: Vec::with_capacity(2),
        }))
    }

    /// Whether there may be tokens in it.
    pub(super) fn counts(&self) -> bool {
        self.events.iter().any(|(_, event)| match event {
            Event::Used(_) => true,
            Event::Printed(line) => super::has_tokens(line),
            Event::Completed | Event::Crashed | Event::Failed => false,
        })
    }
}

/// Adds a step to the turn.
pub(crate) fn record(turn: &SharedTurn, time: Timestamp, step: &Step) {
    let event = match step {
        Step::Line(line) => Event::Printed(line.clone()),
        Step::Stderr(_) => return,
        Step::Usage(usage) => Event::Used(Box::new(usage.clone())),
        Step::Exit(Exit::Completed) => Event::Completed,
        Step::Exit(Exit::Crashed(_)) => Event::Crashed,
        Step::Exit(Exit::Failed { .. }) => Event::Failed,
    };
    lock(turn).events.push((time, event));
}
