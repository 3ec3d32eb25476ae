//! The persistent agents.

mod event;
mod live;
mod process;
mod request;
mod subscriber;
mod turns;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::agent::{Agent, Prompts};
use crate::outlet::Outlet;
use crate::state::{State, lock};

pub(crate) use live::{BROKEN_PIPE, NotSent, Snapshot};
pub(crate) use request::{CreateRequest, prompt};

use live::LiveAgent;
use subscriber::Subscriber;

/// All agents that can be asked for.
pub(crate) struct Agents {
    agents: Mutex<HashMap<String, Arc<LiveAgent>>>,
    /// Whenever something is sent, all streams are cut.
    cut: watch::Sender<()>,
}

impl Agents {
    pub(crate) fn new() -> Self {
        Self {
            agents: Mutex::default(),
            cut: watch::Sender::new(()),
        }
    }

    pub(crate) fn list(&self) -> Vec<Snapshot> {
        lock(&self.agents).values().map(|agent| agent.snapshot()).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<LiveAgent>> {
        lock(&self.agents).get(id).cloned()
    }

    pub(crate) fn remove(&self, id: &str) -> Option<Arc<LiveAgent>> {
        lock(&self.agents).remove(id)
    }

    pub(crate) fn cut_streams(&self) {
        self.cut.send_replace(());
    }
}

/// Starts an agent and sends it the prompt that came with the request, whether it takes that or not.
///
/// # Errors
/// Why the process could not be started.
pub(crate) fn create(state: &Arc<State>, request: CreateRequest) -> io::Result<Snapshot> {
    let id = format!("agent-{}", state.random_uuid());
    let session_id = state.random_uuid();
    // Its directory is all that there is of it: where its transcript lies, the server does not look.
    state.sessions.create(&session_id.as_str().into());
    let agent = Arc::new(LiveAgent::new(
        id.clone(),
        session_id.clone(),
        &request,
        state.settings.utc_offset,
    ));
    let start = || {
        let (stdin, prompts) = mpsc::unbounded_channel();
        agent.open_stdin(stdin);
        Agent {
            id: id.clone(),
            session_id: session_id.clone(),
            workdir: Some(request.workdir.clone()).filter(|path| !path.is_empty()),
            claude: Value::Object(request.claude.clone()),
            prompts: Prompts::new(prompts),
        }
    };
    let process = match state.scripted.start_agent(start()) {
        Some(process) => process?,
        None => turns::process(Arc::clone(state), start()),
    };
    lock(&state.agents.agents).insert(id.clone(), Arc::clone(&agent));
    state.count(|stats| stats.agents += 1);
    if !request.prompt.is_empty() {
        // The server does not tell either.
        let _ = agent.send(state, request.prompt);
    }
    let snapshot = agent.snapshot();
    state.spawn(process::run(Arc::clone(state), agent, process));
    Ok(snapshot)
}

/// A reader of an agent's events, for as long as this value lives.
pub(crate) struct Subscription {
    state: Arc<State>,
    agent: Arc<LiveAgent>,
    subscriber: Arc<Subscriber>,
    cut: watch::Receiver<()>,
    closed: bool,
}

impl Subscription {
    pub(crate) fn new(state: &Arc<State>, agent: Arc<LiveAgent>) -> Self {
        Self {
            state: Arc::clone(state),
            subscriber: agent.subscribe(state),
            agent,
            cut: state.agents.cut.subscribe(),
            closed: false,
        }
    }

    /// What the socket under it must report to.
    pub(crate) fn outlet(&self) -> Outlet {
        self.subscriber.outlet().clone()
    }

    /// The next event; none after the last one.
    ///
    /// # Errors
    /// When the stream is cut.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.closed {
            return None;
        }
        tokio::select! {
            _ = self.cut.changed() => {
                self.closed = true;
                Some(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            event = self.subscriber.next() => Some(Ok(event.unwrap_or_else(|| {
                self.closed = true;
                Bytes::from_static(event::CLOSED.as_bytes())
            }))),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.agent.unsubscribe(&self.state, &self.subscriber);
    }
}
