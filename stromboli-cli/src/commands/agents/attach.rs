//! `stromboli agents attach`: what a live agent does, whoever prompts it.

use clap::Args;
use stromboli::messages::Message;
use stromboli::{AgentEventKind, AgentStatus};

use crate::context::Context;
use crate::exit::Failure;
use crate::interrupt;
use crate::turn_view::TurnView;

/// How often in a row a lost connection is opened again.
const RESUBSCRIBE: u32 = 5;

/// Show everything that an agent does from now on.
///
/// Text goes to stdout as it is written, all else to stderr; with --output json or ndjson every message as the agent printed
/// it, one a line. A lost connection is opened again, and it is said that something is missing. It ends with the agent, or with
/// Ctrl-C, which leaves the agent alone.
#[derive(Args)]
#[command(after_help = r#"Examples:
  stromboli agents attach "$agent"
  stromboli agents attach "$agent" --output ndjson | jq -c .type"#)]
pub(crate) struct Attach {
    /// The agent's id, as `agents spawn` and `agents list` show it.
    agent: String,
}

impl Attach {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let id = &self.agent;
        let left = format!("interrupted: {id} goes on\n`stromboli agents attach {id}` listens again");
        interrupt::or_stop(follow(context, id), left).await
    }
}

async fn follow(context: &Context, id: &str) -> Result<(), Failure> {
    let agent = context.client()?.agent(id);
    let mut events = agent.events().await?.resubscribe(RESUBSCRIBE);
    let status = agent.status().await?;
    context.output.note(&match status {
        AgentStatus::Generating => format!("{id} is in the middle of a turn"),
        _ => format!("{id} is {status}; it is shown what others send it"),
    });
    let mut view = TurnView::silent(&context.output);
    while let Some(event) = events.try_next().await? {
        match event.kind {
            AgentEventKind::TurnStart => view.note("turn begins")?,
            AgentEventKind::Message(message) => {
                view.message(&message)?;
                if let Message::Result(result) = message {
                    let outcome = result.outcome();
                    let cost = result.total_cost_usd().map(|cost| format!(" · ${cost:.4} so far"));
                    view.note(&format!("turn ends: {outcome}{}", cost.unwrap_or_default()))?;
                }
            }
            AgentEventKind::LineCut(line) | AgentEventKind::Line(line) | AgentEventKind::Stderr(line) => {
                view.note(&line)?;
            }
            AgentEventKind::Exited(reason) => {
                let reason = reason.map(|reason| format!(": {reason}"));
                view.note(&format!("agent has ended{}", reason.unwrap_or_default()))?;
            }
            AgentEventKind::Lagged => view.warn("messages are missing here, which were not read fast enough")?,
            AgentEventKind::Resubscribed => {
                view.warn("the connection was lost; what happened meanwhile is missing here")?
            }
            _ => {}
        }
    }
    view.end()
}
