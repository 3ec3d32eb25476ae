//! A chat with a live agent.

use stromboli::messages::{Message, System};
use stromboli::{AgentHandle, AgentRequest, AgentStatus, ErrorKind, Turn};

use crate::args::run::RunOptions;
use crate::commands::agents::send::goes_on;
use crate::context::Context;
use crate::conversations::{self, Kind};
use crate::exit::{Code, Failure};
use crate::interrupt::{self, Interrupts};
use crate::turn_view;

/// The agent that is talked with, or that is started with the first prompt.
pub(super) struct LiveAgent<'a> {
    context: &'a Context,
    request: AgentRequest,
    agent: Option<AgentHandle>,
    /// Whether this chat started it.
    is_ours: bool,
    /// A turn that goes on although nobody listens any more.
    given_up: Option<Turn>,
    tools: Vec<String>,
    pub(super) cost: Option<f64>,
}

impl<'a> LiveAgent<'a> {
    /// One that is started with the first prompt, on a server that has live agents.
    pub(super) async fn to_be_started(context: &'a Context, options: RunOptions) -> Result<Self, Failure> {
        // Now, and not when somebody has written a prompt.
        interrupt::or_stop(context.client()?.agents().list(), "interrupted")
            .await
            .map_err(|failure| match failure {
                Failure::Call(error) if error.kind() == ErrorKind::Unsupported => {
                    Failure::found(Code::Other, "the server is too old for live agents")
                        .next("`stromboli chat --runs` works without")
                }
                other => other,
            })?;
        let mut request = AgentRequest::new();
        request.claude = options.claude;
        request.workdir = options.workdir;
        Ok(Self::new(context, request, None))
    }

    /// One that lives.
    pub(super) async fn living(context: &'a Context, id: String) -> Result<Self, Failure> {
        let agent = context.client()?.agent(&id);
        let ended = match agent.get().await {
            Ok(snapshot) => snapshot.status == AgentStatus::Exited,
            Err(error) if error.is_not_found() => true,
            Err(error) => return Err(error.into()),
        };
        if ended {
            conversations::forget(context, &id);
            let clause = format!("{id} has ended, and its conversation with it");
            return Err(Failure::found(Code::NotFound, clause)
                .next("`stromboli chat` begins a new one; with --runs it is one that can be continued at any time"));
        }
        conversations::remember(context, Kind::Agent, &id);
        Ok(Self::new(context, AgentRequest::new(), Some(agent)))
    }

    fn new(context: &'a Context, request: AgentRequest, agent: Option<AgentHandle>) -> Self {
        Self {
            context,
            request,
            agent,
            is_ours: false,
            given_up: None,
            tools: Vec::new(),
            cost: None,
        }
    }

    /// Gives the agent a prompt and shows its turn.
    pub(super) async fn say(&mut self, prompt: String, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let said = self.try_say(prompt, interrupts).await;
        if let Err(Failure::Call(error)) = &said
            && matches!(error.kind(), ErrorKind::AgentExited | ErrorKind::NotFound)
        {
            self.forget();
        }
        said
    }

    async fn try_say(&mut self, prompt: String, interrupts: &mut Interrupts) -> Result<(), Failure> {
        self.end_of_given_up(interrupts).await?;
        let output = &self.context.output;
        let agent = self.start(interrupts).await?;
        let (at_send, at_turn) = match (self.context.interactive, self.is_ours) {
            (true, _) => (MAYBE.to_owned(), GOES_ON.to_owned()),
            (false, true) => (STOPPED.to_owned(), STOPPED.to_owned()),
            (false, false) => (MAYBE.to_owned(), goes_on(agent.id())),
        };
        let turn = interrupts.or_stop(agent.send(prompt), at_send).await?;
        let turn = self.given_up.insert(turn);
        let tools = &mut self.tools;
        let look = |message: &Message| {
            if let Message::System(System::Init(init)) = message {
                tools.clone_from(&init.tools.clone().unwrap_or_default());
            }
        };
        let followed = interrupts.or_stop(turn_view::follow(output, turn, look), at_turn).await;
        // Only an interrupted turn goes on.
        let judged = followed.and_then(|followed| {
            self.cost = followed.result.total_cost_usd().or(self.cost);
            turn_view::judge(output, turn, followed)
        });
        if !matches!(judged, Err(Failure::Interrupted(_))) {
            self.given_up = None;
        }
        judged
    }

    /// The agent, which is started if need be.
    async fn start(&mut self, interrupts: &mut Interrupts) -> Result<AgentHandle, Failure> {
        if let Some(agent) = &self.agent {
            return Ok(agent.clone());
        }
        let agents = self.context.client()?.agents();
        let spawned = agents.spawn(self.request.clone());
        let agent = interrupts.or_stop(
            spawned,
            "interrupted: `stromboli agents list` shows whether an agent was started",
        );
        let agent = agent.await?;
        conversations::remember(self.context, Kind::Agent, agent.id());
        self.is_ours = true;
        Ok(self.agent.insert(agent).clone())
    }

    /// Waits until the agent is done with a turn that was given up: it takes no prompt before.
    async fn end_of_given_up(&mut self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let Some(turn) = &mut self.given_up else { return Ok(()) };
        let waiting = self.context.output.spinner("agent is still at the turn before");
        let end = async {
            loop {
                match turn.try_next().await {
                    Ok(Some(_)) => {}
                    Err(error) if error.kind() == ErrorKind::Lagged => {}
                    // What became of it is not asked any more.
                    Ok(None) | Err(_) => return Ok::<_, Failure>(()),
                }
            }
        };
        let ended = interrupts.or_stop(end, STILL_BUSY).await;
        drop(waiting);
        if ended.is_ok() {
            self.given_up = None;
        }
        ended
    }

    fn forget(&mut self) {
        if let Some(agent) = self.agent.take() {
            conversations::forget(self.context, agent.id());
        }
        (self.given_up, self.cost, self.is_ours) = (None, None, false);
    }

    /// Whether there is nobody to talk with before the next prompt.
    pub(super) fn is_gone(&self) -> bool {
        self.agent.is_none()
    }

    /// Ends the agent.
    pub(super) async fn stop(&mut self) -> Result<String, Failure> {
        let Some(agent) = &self.agent else {
            return Ok("there is no agent yet".to_owned());
        };
        let id = agent.id().to_owned();
        let waiting = self.context.output.spinner("agent is ending");
        let stopped = interrupt::or_stop(agent.stop(), STOPPING).await;
        drop(waiting);
        stopped?;
        self.forget();
        Ok(format!("{id} is stopped; the next prompt begins a new conversation"))
    }

    /// What becomes of the agent.
    pub(super) async fn leave(&mut self, interactive: bool) -> Result<(), Failure> {
        let Some(agent) = &self.agent else { return Ok(()) };
        if !interactive {
            if self.is_ours {
                interrupt::or_stop(agent.stop(), STOPPING).await?;
                conversations::forget(self.context, agent.id());
            }
            return Ok(());
        }
        let busy = self.given_up.as_ref().map(|_| " with its turn");
        self.context.output.note(&format!(
            "{id} goes on{}: `stromboli chat --continue` comes back to it, `stromboli agents stop {id}` ends it",
            busy.unwrap_or_default(),
            id = agent.id()
        ));
        Ok(())
    }

    /// What the conversation goes on by.
    pub(super) fn session(&self) -> String {
        match &self.agent {
            Some(agent) => format!("live {}", agent.id()),
            None => "a live agent is started with the first prompt".to_owned(),
        }
    }

    pub(super) fn tools(&self) -> String {
        match self.tools.is_empty() {
            true => "the agent says so with its next answer".to_owned(),
            false => self.tools.join(", "),
        }
    }
}

const GOES_ON: &str = "interrupted: the agent goes on with this turn, which the server cannot interrupt\n\
                       the next prompt waits for its end, and /stop ends the agent";
const MAYBE: &str = "interrupted: the agent may be at this turn all the same";
/// Of an agent that is stopped at the end of a script.
const STOPPED: &str = "interrupted: the agent is stopped, and this turn with it";
const STOPPING: &str =
    "interrupted: the server goes on stopping the agent\n`stromboli agents list` shows whether it has ended";
const STILL_BUSY: &str =
    "interrupted: nothing was sent, and the agent is still at the turn before\n/stop ends the agent";
