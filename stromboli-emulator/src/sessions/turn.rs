//! One run as it went, kept as it is: its lines are written when somebody reads the transcript, which is seldom.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::answer::Step;
use crate::request::{RunRequest, flag, text};
use crate::state::{State, lock};

/// A prompt and what was answered.
pub(crate) struct Turn {
    /// Its place in its session.
    pub(super) number: usize,
    pub(super) began: Timestamp,
    pub(super) prompt: String,
    pub(super) workdir: String,
    pub(super) permission_mode: String,
    /// The model that the request names; empty for none.
    pub(super) model: String,
    /// For the ids in the lines.
    pub(super) random: fastrand::Rng,
    pub(super) steps: Vec<(Timestamp, Step)>,
}

/// A turn that the run adds to while others can read it.
pub(crate) type SharedTurn = Arc<Mutex<Turn>>;

impl Turn {
    pub(crate) fn new(state: &State, request: &RunRequest) -> SharedTurn {
        let options = &request.claude;
        let mode = match text(options, "permission_mode") {
            "" if flag(options, "dangerously_skip_permissions") => "bypassPermissions",
            "" => "default",
            mode => mode,
        };
        Arc::new(Mutex::new(Self {
            number: 0,
            began: state.clock.timestamp(),
            prompt: request.prompt.clone(),
            workdir: request.workdir().to_owned(),
            permission_mode: mode.to_owned(),
            model: text(options, "model").to_owned(),
            random: state.fork_random(),
            steps: Vec::with_capacity(2),
        }))
    }

    /// Whether there may be tokens in it.
    pub(super) fn counts(&self) -> bool {
        self.steps.iter().any(|(_, step)| match step {
            Step::Usage(_) => true,
            Step::Line(line) => super::has_tokens(line),
            Step::Stderr(_) | Step::Exit(_) => false,
        })
    }
}

/// Adds a step to the turn.
pub(crate) fn record(turn: &SharedTurn, time: Timestamp, step: &Step) {
    lock(turn).steps.push((time, step.clone()));
}
