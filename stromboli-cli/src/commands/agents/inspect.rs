//! `stromboli agents list` and `get`.

use clap::Args;
use stromboli::{Agent, AgentStatus};

use crate::context::Context;
use crate::exit::Failure;
use crate::output::{age, table};

/// List the live agents, the newest first, and those that have exited and were not stopped.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = "Examples:
  stromboli agents list
  stromboli agents list --output ndjson | jq -r .id")]
pub(crate) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut agents = context.client()?.agents().list().await?;
        // The server gives them in random order.
        agents.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        context.output.list(&agents, "no agents", |agents| {
            let rows = agents.iter().map(|agent| {
                [
                    agent.id.clone(),
                    agent.status.to_string(),
                    agent.turns_completed.to_string(),
                    age(agent.created_at),
                    age(agent.last_activity_at),
                ]
            });
            table(["AGENT", "STATUS", "TURNS", "AGE", "LAST USED"], rows)
        })
    }
}

/// Show an agent.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli agents get agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11")]
pub(crate) struct Get {
    /// The agent's id, as `agents spawn` and `agents list` show it.
    agent: String,
}

impl Get {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let agent = context.client()?.agent(&self.agent).get().await?;
        context.output.value(&agent, |agent| {
            let error = agent.exit_error.as_deref().map(|error| format!(": {error}"));
            format!(
                "{} is {}{}\nturns: {} · started {} ago, last used {} ago · session {}\n{}",
                agent.id,
                agent.status,
                error.unwrap_or_default(),
                agent.turns_completed,
                age(agent.created_at),
                age(agent.last_activity_at),
                agent.session_id,
                lifetime(agent)
            )
        })
    }
}

/// How long an agent lives.
pub(crate) fn lifetime(agent: &Agent) -> String {
    match agent {
        agent if agent.status == AgentStatus::Exited => "listed until it is stopped".to_owned(),
        agent if agent.idle_timeout_disabled == Some(true) => "lives until it is stopped".to_owned(),
        agent => {
            let idle = jiff::SignedDuration::from_secs(agent.idle_timeout_seconds);
            format!("the server stops it after {idle:#} without anything to do")
        }
    }
}
