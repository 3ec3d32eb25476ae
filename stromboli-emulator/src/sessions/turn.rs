//! One run as it went, kept as it is: its lines are written when somebody reads the transcript, which is seldom. A server
//! under load keeps many, so that a turn is small.

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
    /// The prompt, and what was printed after it, in one piece.
    texts: String,
    /// Where the prompt ends.
    prompt: usize,
    /// None when the request sets none of them.
    options: Option<Box<Options>>,
    /// For the ids in the lines.
    pub(super) random: fastrand::Rng,
    events: Vec<(Timestamp, Event)>,
}

/// What a request says of how to run, each empty for nothing.
#[derive(Default, PartialEq)]
struct Options {
    workdir: String,
    permission_mode: String,
    model: String,
}

/// What a transcript tells of a step.
enum Event {
    /// To the standard output, as far as here in the texts.
    Printed(usize),
    Used(Box<Usage>),
    Completed,
    Crashed,
    Failed,
}

/// The same for the reader of a turn.
pub(super) enum Told<'a> {
    Printed(&'a str),
    Used(&'a Usage),
    Completed,
    Crashed,
    Failed,
}

/// A turn that the run adds to while others can read it.
pub(crate) type SharedTurn = Arc<Mutex<Turn>>;

impl Turn {
    pub(crate) fn new(state: &State, request: &RunRequest) -> SharedTurn {
        let claude = &request.claude;
        let mode = match text(claude, "permission_mode") {
            "" if flag(claude, "dangerously_skip_permissions") => "bypassPermissions",
            mode => mode,
        };
        let options = Options {
            workdir: request.workdir.clone(),
            permission_mode: mode.to_owned(),
            model: text(claude, "model").to_owned(),
        };
        Arc::new(Mutex::new(Self {
            number: 0,
            began: state.clock.timestamp(),
            texts: request.prompt.clone(),
            prompt: request.prompt.len(),
            options: (options != Options::default()).then(|| Box::new(options)),
            random: state.fork_random(),
            events: Vec::with_capacity(2),
        }))
    }

    pub(super) fn prompt(&self) -> &str {
        self.texts.split_at_checked(self.prompt).unwrap_or_default().0
    }

    pub(super) fn workdir(&self) -> &str {
        super::workdir(self.option(|options| &options.workdir))
    }

    pub(super) fn permission_mode(&self) -> &str {
        match self.option(|options| &options.permission_mode) {
            "" => "default",
            mode => mode,
        }
    }

    /// The model that the request names; empty for none.
    pub(super) fn model(&self) -> &str {
        self.option(|options| &options.model)
    }

    fn option(&self, choose: impl Fn(&Options) -> &String) -> &str {
        self.options.as_deref().map_or("", |options| choose(options))
    }

    /// What happened, in its order.
    pub(super) fn events(&self) -> impl Iterator<Item = (Timestamp, Told<'_>)> {
        let mut from = self.prompt;
        self.events.iter().map(move |(time, event)| {
            let told = match event {
                Event::Printed(to) => {
                    let printed = self.texts.get(from..*to).unwrap_or_default();
                    from = *to;
                    Told::Printed(printed)
                }
                Event::Used(usage) => Told::Used(usage),
                Event::Completed => Told::Completed,
                Event::Crashed => Told::Crashed,
                Event::Failed => Told::Failed,
            };
            (*time, told)
        })
    }

    /// Whether there may be tokens in it.
    pub(super) fn counts(&self) -> bool {
        self.events().any(|(_, told)| match told {
            Told::Used(_) => true,
            Told::Printed(text) => super::has_tokens(text),
            Told::Completed | Told::Crashed | Told::Failed => false,
        })
    }

    fn add(&mut self, time: Timestamp, step: &Step) {
        let event = match step {
            Step::Line(line) => {
                self.texts.push_str(line);
                Event::Printed(self.texts.len())
            }
            Step::Stderr(_) => return,
            Step::Usage(usage) => Event::Used(Box::new(usage.clone())),
            Step::Exit(Exit::Completed) => Event::Completed,
            Step::Exit(Exit::Crashed(_)) => Event::Crashed,
            Step::Exit(Exit::Failed { .. }) => Event::Failed,
        };
        self.events.push((time, event));
    }
}

/// Adds a step to the turn.
pub(crate) fn record(turn: &SharedTurn, time: Timestamp, step: &Step) {
    lock(turn).add(time, step);
}
