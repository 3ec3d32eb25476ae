//! Watches what a live agent does from beside: each tool it calls, how long it took and whether it failed.

#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use serde_json::json;
use stromboli::{AgentEventKind, AgentEvents, AgentRequest, Client, Message};
use stromboli_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    emulator
        .on_prompt("Fix")
        .tool("Read", json!({"file_path": "/workspace/src/lib.rs"}), "fn main() {}")
        .tool("Bash", json!({"command": "cargo test"}), "test result: ok")
        .reply("All tests pass now.");
    let client = Client::new(emulator.url())?;

    let agent = client.agents().spawn(AgentRequest::new()).await?;
    let events = agent.events().await?;
    // Whoever asks need not be the one who watches.
    let ((), result) = tokio::try_join!(watch(events), agent.ask("Fix the failing test"))?;
    println!("{}", result.ok()?.text);
    agent.stop().await?;
    Ok(())
}

/// Prints a line for each tool until the turn's end.
async fn watch(mut events: AgentEvents) -> stromboli::Result<()> {
    let mut running = HashMap::new();
    while let Some(event) = events.try_next().await? {
        match event.kind {
            AgentEventKind::Message(Message::Assistant(said)) => {
                for tool in said.tool_uses() {
                    running.insert(tool.id.clone(), (tool.name.clone().unwrap_or_default(), Instant::now()));
                }
            }
            AgentEventKind::Message(Message::User(told)) => {
                for result in told.tool_results() {
                    if let Some((name, since)) = running.remove(&result.tool_use_id) {
                        let how = if result.is_error() { "failed" } else { "done" };
                        println!("[{name}] {how} after {:?}", since.elapsed());
                    }
                }
            }
            AgentEventKind::Lagged => println!("[something was missed here]"),
            AgentEventKind::TurnEnd => break,
            _ => {}
        }
    }
    Ok(())
}
