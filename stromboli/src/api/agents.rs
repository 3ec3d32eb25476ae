//! `/agents`: processes that stay alive between prompts, as plain calls. What an agent says comes on its stream of
//! events, which is not wrapped yet: [`Client::raw`] has it.

use stromboli_generated::types::{Agent, AgentRequest, AgentSendRequest, AgentTurn};

use crate::client::{Client, path_segment};
use crate::error::Result;

/// The server's persistent agents, from [`Client::agents`]. Servers have them since 0.5.0, and they work since 0.5.2.
#[derive(Clone, Debug)]
pub struct Agents {
    client: Client,
}

impl Agents {
    /// Starts an agent and gives its state.
    ///
    /// Without a prompt it waits for one. With a prompt, what it says in that first turn is on no stream that is opened
    /// afterwards (WIRE §11).
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::{AgentRequest, ClaudeOptions, Model};
    ///
    /// let request = AgentRequest::new().claude(ClaudeOptions::new().model(Model::Opus));
    /// let agent = client.agents().create(request).await?;
    /// println!("{} {}", agent.id, agent.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on a server that is too old;
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a negative idle timeout;
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when the process does not start.
    pub async fn create(&self, request: AgentRequest) -> Result<Agent> {
        self.client
            .call("agent_create", self.client.raw().agent_create(&request))
            .await
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
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on a server that is too old.
    pub async fn list(&self) -> Result<Vec<Agent>> {
        self.client.call("agents_list", self.client.raw().agents_list()).await
    }

    /// The agent as it stands.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let agent = client.agents().get("agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found), also for one that was stopped for idling;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    pub async fn get(&self, id: impl AsRef<str>) -> Result<Agent> {
        let id = id.as_ref();
        path_segment("agent id", id)?;
        self.client.call("agent_get", self.client.raw().agent_get(id)).await
    }

    /// Gives the agent its next prompt and returns at once.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let agent = client.agents().create(stromboli::AgentRequest::new()).await?;
    /// let turn = client.agents().send(&agent.id, "Look at the failing test").await?;
    /// println!("{}", turn.turn_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::AgentBusy`](crate::ErrorKind::AgentBusy) in the middle of a turn;
    /// [`ErrorKind::AgentExited`](crate::ErrorKind::AgentExited); [`is_not_found`](crate::Error::is_not_found);
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported). Whether a repetition could start a second turn is in
    /// [`may_have_executed`](crate::Error::may_have_executed).
    pub async fn send(&self, id: impl AsRef<str>, prompt: impl Into<String>) -> Result<AgentTurn> {
        let id = id.as_ref();
        path_segment("agent id", id)?;
        let request = AgentSendRequest::new(prompt);
        self.client
            .call("agent_send", self.client.raw().agent_send(id, &request))
            .await
    }

    /// Ends the agent's process and forgets it, within about 10 seconds. One that has exited is forgotten too.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// client.agents().stop("agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found); [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    pub async fn stop(&self, id: impl AsRef<str>) -> Result<()> {
        let id = id.as_ref();
        path_segment("agent id", id)?;
        self.client.call("agent_stop", self.client.raw().agent_stop(id)).await
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
}
