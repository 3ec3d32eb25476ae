//! A chat in which each prompt is a run that resumes the conversation.

use crate::args::run::RunOptions;
use crate::commands::run::summary;
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::Failure;
use crate::interrupt::Interrupts;

/// The conversation so far.
pub(super) struct Runs<'a> {
    context: &'a Context,
    options: RunOptions,
    /// None before the first answer, unless the options say which conversation it is.
    session: Option<String>,
    pub(super) cost: Option<f64>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(context: &'a Context, options: RunOptions) -> Self {
        Self {
            context,
            options,
            session: None,
            cost: None,
        }
    }

    /// Runs a prompt and shows its answer.
    pub(super) async fn say(&mut self, prompt: String, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let output = &self.context.output;
        let mut request = self.options.request(prompt);
        if let Some(session) = &self.session {
            request = request.resume(session);
        }
        let waiting = output.spinner("agent is working");
        let reply = interrupts.or_stop(self.context.client()?.run(request), STOPPED).await;
        drop(waiting);
        let reply = reply?;
        if !reply.session_id().is_empty() {
            self.session = Some(reply.session_id().to_owned());
            conversations::remember(self.context, Kind::Session, reply.session_id());
        }
        if let Some(usage) = &reply.usage {
            self.cost = Some(usage.estimated_cost_usd);
        }
        let printed = output.value(&reply, |reply| reply.text().to_owned());
        output.note(&summary(&reply));
        // Who stops reading does not turn a failed run into a good one.
        reply.ok()?;
        printed
    }

    /// What the conversation goes on by.
    pub(super) fn session(&self) -> String {
        let given = self
            .options
            .claude
            .as_ref()
            .and_then(|claude| claude.session_id.as_ref());
        match self.session.as_ref().or(given) {
            Some(session) => format!("runs in session {session}"),
            None => "each prompt is a run; the first begins a session".to_owned(),
        }
    }

    /// Begins a new conversation with the next prompt.
    pub(super) fn forget(&mut self) -> String {
        self.session = None;
        self.cost = None;
        if let Some(claude) = &mut self.options.claude {
            (claude.session_id, claude.resume) = (None, None);
        }
        "the next prompt begins a new conversation; this one stays on the server".to_owned()
    }
}

const STOPPED: &str = "interrupted: the connection is closed, and the server stops this turn";
