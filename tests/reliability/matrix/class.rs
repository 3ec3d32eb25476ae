//! Classes of operations: what of the server each asks for, what a repetition would do, and how a user calls it.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{from_value, json};
use stromboli::{AgentEventKind, AgentRequest, Client, Error, Result, Secret, WaitOptions};

/// Letters alone, so that no encoding hides them; all begin alike, so that one search finds each.
pub(super) const SECRET: &str = "topsecret";
pub(super) const TOKEN: &str = "topsecrettoken";
const PROMPT: &str = "topsecretprompt";
const VALUE: &str = "topsecretvalue";
/// What every agent says.
pub(super) const ANSWER: &str = "pong";
/// An image of the emulator's registry.
pub(super) const IMAGE: &str = "busybox";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Health,
    Job,
    Page,
    /// The second page, after the first has come.
    History,
    Wait,
    Cancel,
    Pull,
    Token,
    /// A run of a client that has to obtain its token first, which is what goes wrong.
    Login,
    Secret,
    Run,
    Start,
    Stream,
    Spawn,
    Send,
    Events,
    /// A prompt to an agent, whose events are what goes wrong.
    Turn,
}

/// What carrying it out twice would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Repeats,
    Executes,
}

use Class::{
    Cancel, Events, Health, History, Job, Login, Page, Pull, Run, Send, Spawn, Start, Stream, Token, Turn, Wait,
};

impl Class {
    pub(super) const ALL: [Self; 17] = [
        Health,
        Job,
        Page,
        History,
        Wait,
        Cancel,
        Pull,
        Token,
        Login,
        Self::Secret,
        Run,
        Start,
        Stream,
        Spawn,
        Send,
        Events,
        Turn,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Health => "health",
            Job => "job",
            Page => "page",
            History => "pages",
            Wait => "wait",
            Cancel => "cancel",
            Pull => "pull",
            Token => "token",
            Login => "login",
            Self::Secret => "secret",
            Run => "run",
            Start => "start",
            Stream => "stream",
            Spawn => "spawn",
            Send => "send",
            Events => "events",
            Turn => "turn",
        }
    }

    /// Method and path of the request that goes wrong.
    pub(super) fn target(self) -> (&'static str, &'static str) {
        match self {
            Health => ("GET", "/health"),
            Job | Wait => ("GET", "/jobs/{id}"),
            Page | History => ("GET", "/sessions/{id}/messages"),
            Cancel => ("DELETE", "/jobs/{id}"),
            Pull => ("POST", "/images/pull"),
            Token | Login => ("POST", "/auth/token"),
            Self::Secret => ("POST", "/secrets"),
            Run => ("POST", "/run"),
            Start => ("POST", "/run/async"),
            Stream => ("GET", "/run/stream"),
            Spawn => ("POST", "/agents"),
            Send => ("POST", "/agents/{id}/send"),
            Events | Turn => ("GET", "/agents/{id}/stream"),
        }
    }

    pub(super) fn effect(self) -> Effect {
        match self {
            Health | Job | Page | History | Wait | Events | Turn => Effect::Reads,
            Cancel | Pull | Token | Login => Effect::Repeats,
            Self::Secret | Run | Start | Stream | Spawn | Send => Effect::Executes,
        }
    }

    /// Whether its answer is a stream of events, which has no length and is read as it comes.
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Stream | Events | Turn)
    }

    /// Whether the error says how often its request was sent, and no other request's.
    pub(super) fn counts_attempts(self) -> bool {
        !matches!(self, History | Wait | Login) && !self.is_stream()
    }
}

/// What the server has, and how to make it fail.
pub(super) struct World {
    /// Tells its call from all others.
    pub(super) mark: String,
    pub(super) job: String,
    pub(super) session: String,
    pub(super) agent: String,
    /// Makes the fault strike from now on.
    pub(super) strike: Box<dyn Fn() + std::marker::Send + Sync>,
    /// An answer arrived that said less than it should, or something else.
    pub(super) lost: Mutex<Option<String>>,
}

impl World {
    /// What stands in every request that its call is about.
    pub(super) fn mark(&self) -> String {
        format!("{PROMPT}{}", self.mark)
    }

    fn check(&self, whole: bool, came: &dyn Debug) {
        if !whole {
            *self.lost.lock().unwrap() = Some(format!("{came:?}"));
        }
    }
}

impl Class {
    /// Calls it as a user does. What comes back is compared with what the server has said.
    pub(super) async fn call(self, client: &Client, world: &World) -> Result<()> {
        if self != History {
            (world.strike)();
        }
        match self {
            Health => {
                let health = client.health().await?;
                world.check(health.name == "stromboli", &health);
            }
            Job => {
                let job = client.job(&world.job).get().await?;
                world.check(job.id == world.job && job.text() == ANSWER, &job);
            }
            Page => {
                let page = client.session(&world.session).messages().page().await?;
                world.check(!page.items.is_empty() && page.items.len() == page.total as usize, &page);
            }
            History => history(client, world).await?,
            Wait => {
                let options = WaitOptions::new().give_up_after(Duration::ZERO);
                let job = client.job(&world.job).wait_with(options).await?;
                world.check(job.text() == ANSWER, &job);
            }
            Cancel => {
                let cancelled = client.job(&world.job).cancel().await?;
                world.check(cancelled.cancelled, &cancelled);
            }
            Pull => {
                let pulled = client.images().pull(IMAGE).await?;
                world.check(pulled.success, &pulled);
            }
            Token => {
                let tokens = client.auth().token(world.mark()).await?;
                world.check(!tokens.access_token.is_empty(), &tokens);
            }
            Self::Secret => {
                let created = client.secrets().create(&world.mark(), Secret::new(VALUE)).await?;
                world.check(created.success, &created);
            }
            Login | Run => {
                let reply = client.run(world.mark()).await?;
                world.check(reply.text() == ANSWER, &reply);
            }
            Start => {
                let job = client.start(world.mark()).await?;
                world.check(!job.id().is_empty(), &job);
            }
            Stream => {
                let text = client.stream(world.mark()).await?.text().await?;
                world.check(text == ANSWER, &text);
            }
            Spawn => {
                let agent = client.agents().spawn(AgentRequest::new().workdir(world.mark())).await?;
                world.check(!agent.id().is_empty(), &agent);
            }
            Send => {
                let request = from_value(json!({ "prompt": world.mark() })).unwrap();
                match client.raw().agent_send(&world.agent, &request).await {
                    Ok(sent) => world.check(!sent.turn_id.is_empty(), &sent),
                    Err(error) => return Err(Error::from_raw("agent_send", error).await),
                }
            }
            Events => events(client, world).await?,
            Turn => {
                let turn = client.agent(&world.agent).ask(world.mark()).await?;
                world.check(turn.is_complete() && turn.text == ANSWER, &turn);
            }
        }
        Ok(())
    }
}

async fn history(client: &Client, world: &World) -> Result<()> {
    let mut messages = client.session(&world.session).messages().limit(1).stream();
    let first = messages.try_next().await?;
    (world.strike)();
    let mut count = usize::from(first.is_some());
    while messages.try_next().await?.is_some() {
        count += 1;
    }
    world.check(count >= 2, &count);
    Ok(())
}

async fn events(client: &Client, world: &World) -> Result<()> {
    let mut events = client.agent(&world.agent).events().await?;
    let mut kinds = Vec::new();
    while let Some(event) = events.try_next().await? {
        kinds.push(event.kind);
    }
    let has_result = |kind: &AgentEventKind| match kind {
        AgentEventKind::Message(message) => message.as_result().is_some(),
        // What is missing is said to be.
        AgentEventKind::Lagged => true,
        _ => false,
    };
    world.check(kinds.iter().any(has_result), &kinds);
    Ok(())
}
