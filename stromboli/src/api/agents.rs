//! `/agents`: processes that stay alive between prompts, and one of them by its handle.

use std::fmt;

use stromboli_generated::types::{Agent, AgentRequest, AgentSendRequest, AgentStatus};

use crate::agent_events::{AgentEvents, Subscription};
use crate::client::{Client, path_segment};
use crate::error::{Error, ErrorKind, Result};
use crate::event_stream::EventStream;
use crate::sse::Decoder;
use crate::turn::{Turn, TurnResult};

/// The server's persistent agents, from [`Client::agents`]. Servers have them since 0.5.0, and they work since 0.5.2.
#[derive(Clone, Debug)]
pub struct Agents {
    client: Client,
}

impl Agents {
    /// Starts an agent. A prompt in the request is sent once its answer can be read, as [`AgentHandle::first_turn`].
    ///
    /// The agent lives until [`AgentHandle::stop`], or until it had nothing to do for its idle timeout, 30 minutes by
    /// default: dropping the handle does not end it, and dropping this future may leave one behind.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::{AgentRequest, ClaudeOptions, Model};
    ///
    /// let request = AgentRequest::new().claude(ClaudeOptions::new().model(Model::Opus));
    /// let agent = client.agents().spawn(request).await?;
    /// println!("{}", agent.ask("Look at the failing test").await?.ok()?.text);
    /// agent.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] on a server that is too old; [`ErrorKind::BadRequest`] for a negative idle timeout;
    /// [`ErrorKind::Internal`] when the process does not start; with a prompt also as [`AgentHandle::send`], and then the
    /// agent is stopped again; the message names one that could not be.
    pub async fn spawn(&self, request: impl Into<AgentRequest>) -> Result<AgentHandle> {
        let mut request: AgentRequest = request.into();
        // The server would begin the turn before anyone could listen, and what it says then is lost (WIRE §11).
        let prompt = request.prompt.take().filter(|prompt| !prompt.is_empty());
        let created = self.client.raw().agent_create(&request);
        let created = self.client.call("agent_create", created).await?;
        let mut agent = self.client.agent(created.id);
        agent.session_id = Some(created.session_id);
        if let Some(prompt) = prompt {
            match agent.send_in_new_agent(prompt).await {
                Ok(turn) => agent.first_turn = Some(Box::new(turn)),
                // Nobody would have its id.
                Err(error) => {
                    return Err(match agent.stop().await {
                        Err(left) if !left.is_not_found() => {
                            let message = format!("{}, and {} was left running", error.message(), agent.id);
                            error.with_message(message).may_have_run()
                        }
                        _ => error,
                    });
                }
            }
        }
        Ok(agent)
    }

    /// All agents in random order, those that have exited by themselves too.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// for agent in client.agents().list().await? {
    ///     println!("{} {} after {} turns", agent.id, agent.status, agent.turns_completed);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] on a server that is too old.
    pub async fn list(&self) -> Result<Vec<Agent>> {
        self.client.call("agents_list", self.client.raw().agents_list()).await
    }
}

/// A live agent by its id, from [`Agents::spawn`] or [`Client::agent`].
pub struct AgentHandle {
    client: Client,
    id: String,
    session_id: Option<String>,
    first_turn: Option<Box<Turn>>,
}

impl AgentHandle {
    /// The id, to take the agent up again with [`Client::agent`], in another process as well.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The agent's conversation; a handle made by id does not know it.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The turn of the prompt that the agent was spawned with; `None` when there was none, or when it is taken.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut agent = client.agents().spawn("Look at the failing test").await?;
    /// if let Some(turn) = agent.first_turn() {
    ///     println!("{}", turn.finish().await?.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn first_turn(&mut self) -> Option<Turn> {
        self.first_turn.take().map(|turn| *turn)
    }

    /// Gives the agent its next prompt and reads its answer message by message.
    ///
    /// The agent's events are subscribed to before the prompt is sent, so none is lost. The prompt is never sent again.
    /// To send one without reading, use [`Client::raw`]. Dropping this future may leave the agent with a turn to do.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// use stromboli::Message;
    ///
    /// let mut turn = agent.send("Look at the failing test").await?;
    /// while let Some(message) = turn.try_next().await? {
    ///     if let Message::Assistant(m) = &message {
    ///         print!("{}", m.text());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::AgentBusy`] in the middle of a turn; [`ErrorKind::AgentExited`]; [`is_not_found`](Error::is_not_found),
    /// also after an idle timeout; [`ErrorKind::BadRequest`] for a blank prompt; [`ErrorKind::Unsupported`]. Whether the
    /// turn may have begun all the same is in [`may_have_executed`](Error::may_have_executed).
    pub async fn send(&self, prompt: impl Into<String>) -> Result<Turn> {
        self.check_alive().await?;
        self.send_in_new_agent(prompt.into()).await
    }

    /// Gives the agent its next prompt and waits for the end of its turn.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let result = agent.ask("Fix it").await?;
    /// println!("{} ${:.4}", result.text, result.total_cost_usd.unwrap_or(0.0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`Turn::finish`].
    pub async fn ask(&self, prompt: impl Into<String>) -> Result<TurnResult> {
        self.send(prompt).await?.finish().await
    }

    /// Everything that the agent does from now on, in all of its turns, whoever sends its prompts.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// let mut events = agent.events().await?;
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{:?} {:?}", event.turn_id, event.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::AgentExited`]; [`is_not_found`](Error::is_not_found), also after an idle timeout;
    /// [`ErrorKind::Unsupported`].
    pub async fn events(&self) -> Result<AgentEvents> {
        let subscription = self.subscribe().await?;
        Ok(AgentEvents::new(self.clone(), subscription))
    }

    /// The agent as it stands.
    ///
    /// ```no_run
    /// # async fn example(agent: stromboli::AgentHandle) -> stromboli::Result<()> {
    /// println!("{} turns", agent.get().await?.turns_completed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found), also for one that was stopped for idling; [`ErrorKind::Unsupported`].
    pub async fn get(&self) -> Result<Agent> {
        path_segment("agent id", &self.id)?;
        let call = self.client.raw().agent_get(&self.id);
        self.client.call("agent_get", call).await
    }

    /// What the agent is doing.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn status(&self) -> Result<AgentStatus> {
        Ok(self.get().await?.status)
    }

    /// Ends the agent's process and forgets it, within about 10 seconds. One that has exited is forgotten too.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.agent("agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11").stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found); [`ErrorKind::Unsupported`].
    pub async fn stop(&self) -> Result<()> {
        path_segment("agent id", &self.id)?;
        let call = self.client.raw().agent_stop(&self.id);
        self.client.call("agent_stop", call).await
    }

    /// An open stream of an agent that had not exited just before. One that exited in between would be silent for ever
    /// (WIRE §11), so it is looked at again.
    pub(crate) async fn subscribe(&self) -> Result<Subscription> {
        self.check_alive().await?;
        let stream = self.open_stream().await?;
        let exited = match self.check_alive().await {
            Ok(()) => false,
            Err(error) if error.kind() == ErrorKind::AgentExited || error.is_not_found() => true,
            Err(error) => return Err(error),
        };
        Ok(Subscription { stream, exited })
    }

    async fn check_alive(&self) -> Result<()> {
        let agent = self.get().await?;
        if agent.status != AgentStatus::Exited {
            return Ok(());
        }
        let reason = agent.exit_error.unwrap_or_else(|| "process has exited".to_owned());
        Err(Error::new(ErrorKind::AgentExited, reason).sent("agent_get", 1, false))
    }

    async fn open_stream(&self) -> Result<Box<EventStream>> {
        let client = &self.client;
        let response = match client.raw().agent_stream(&self.id).await {
            Ok(response) => response,
            Err(error) => return Err(Error::from_raw("agent_stream", error).await),
        };
        let decoder = Decoder::new().max_event_bytes(client.max_event_bytes());
        match EventStream::open("agent_stream", false, response, decoder, client.stream_idle()) {
            Ok(stream) => Ok(stream),
            Err(error) => Err(error.await),
        }
    }

    /// Subscribes first, so that nothing of the turn is lost. Should the agent exit in between, the prompt is refused.
    async fn send_in_new_agent(&self, prompt: String) -> Result<Turn> {
        let stream = self.open_stream().await?;
        let request = AgentSendRequest::new(prompt);
        let call = self.client.raw().agent_send(&self.id, &request);
        let begun = self.client.call("agent_send", call).await?;
        let events = AgentEvents::before_turn(self.clone(), stream, &begun.turn_id);
        Ok(Turn::new(events, begun.turn_id, self.client.max_text_bytes()))
    }
}

impl Clone for AgentHandle {
    /// A handle on the same agent; its [`first_turn`](Self::first_turn) stays with the original.
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            session_id: self.session_id.clone(),
            first_turn: None,
        }
    }
}

impl fmt::Debug for AgentHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentHandle")
            .field("id", &self.id)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The server's persistent agents. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let agents = client.agents().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn agents(&self) -> Agents {
        Agents { client: self.clone() }
    }

    /// The agent with this id. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let status = client.agent("agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11").status().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn agent(&self, id: impl Into<String>) -> AgentHandle {
        AgentHandle {
            client: self.clone(),
            id: id.into(),
            session_id: None,
            first_turn: None,
        }
    }
}
