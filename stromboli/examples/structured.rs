//! Answers as a type of one's own, from a run and from a live agent: the schema comes from the type.

#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;

use schemars::JsonSchema;
use serde::Deserialize;
use stromboli::{AgentRequest, ClaudeOptions, Client, RunRequest};
use stromboli_emulator::Emulator;

#[derive(Debug, Deserialize, JsonSchema)]
struct Verdict {
    summary: String,
    /// From 0 to 10.
    score: u8,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    emulator
        .on_prompt("Score")
        .reply(r#"{"summary":"Tests are missing","score":6}"#);
    emulator
        .on_prompt("now")
        .reply(r#"{"summary":"Tests are there","score":9}"#);
    let client = Client::new(emulator.url())?;

    // A run: `run_as` sends the schema and reads the output.
    let first: Verdict = client.run_as(RunRequest::new("Score this change")).await?;
    println!("{} of 10: {}", first.score, first.summary);

    // A live agent answers every prompt in the form that it was spawned with.
    let schema = schemars::schema_for!(Verdict).to_value();
    let request = AgentRequest::new().claude(ClaudeOptions::new().json_schema(schema));
    let agent = client.agents().spawn(request).await?;
    let result = agent.ask("And now?").await?.ok()?;
    let second: Verdict = result.structured.ok_or("no structured output")?.parse()?;
    println!("{} of 10: {}", second.score, second.summary);
    agent.stop().await?;
    Ok(())
}
