//! `stromboli health`: what the server says of itself.

use clap::Args;
use stromboli::{ComponentStatus, HealthStatus};

use crate::context::Context;
use crate::exit::Failure;
use crate::output::table;

const EXAMPLES: &str = "\
Examples:
  stromboli health
  stromboli health --output json | jq -r .version";

/// Show how well the server and its parts are.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Health {}

impl Health {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let health = context.client()?.health().await?;
        context.output.value(&health, |health| {
            let head = format!("{} {}: {}", health.name, health.version, health.status);
            if health.components.is_empty() {
                return head;
            }
            let rows = health.components.iter().map(|component| {
                let error = component.error.clone().unwrap_or_default();
                [component.name.clone(), component.status.to_string(), error]
            });
            format!("{head}\n{}", table(["COMPONENT", "STATUS", "ERROR"], rows))
        })?;
        let bad = |component: &&stromboli::ComponentHealth| component.status != ComponentStatus::Ok;
        match health.components.iter().find(bad) {
            Some(component) => Err(Failure::other(format!("{} is not well", component.name))),
            None if health.status != HealthStatus::Ok => Err(Failure::other("server is not well")),
            None => Ok(()),
        }
    }
}
