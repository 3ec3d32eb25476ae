//! A conversation with a live agent in the terminal: text as it comes, one line for each tool, the cost at the end.
//!
//! The server is that of `STROMBOLI_URL`, or else the emulator in this process.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to a person")]

use std::error::Error;
use std::io::{Write, stdin, stdout};

use stromboli::{AgentRequest, Client, ErrorKind, Message};
use stromboli_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let client = match std::env::var_os("STROMBOLI_URL") {
        Some(_) => Client::from_env()?,
        None => Client::new(emulator.url())?,
    };
    let agent = client.agents().spawn(AgentRequest::new()).await?;
    eprintln!("Talking to {}. An empty line ends.", agent.id());
    let mut cost = 0.0;
    loop {
        eprint!("\n> ");
        let mut prompt = String::new();
        stdin().read_line(&mut prompt)?;
        if prompt.trim().is_empty() {
            break;
        }
        let mut turn = agent.send(prompt.trim()).await?;
        loop {
            match turn.try_next().await {
                Ok(Some(message)) => show(&message, &mut cost)?,
                Ok(None) => break println!(),
                Err(error) if error.kind() == ErrorKind::Lagged => eprintln!("\n[{}]", error.message()),
                Err(error) => return Err(error.into()),
            }
        }
    }
    agent.stop().await?;
    eprintln!("This conversation cost ${cost:.4}.");
    Ok(())
}

fn show(message: &Message, cost: &mut f64) -> std::io::Result<()> {
    match message {
        Message::StreamEvent(event) if !event.is_from_subagent() => print!("{}", event.text().unwrap_or_default()),
        Message::Assistant(said) => {
            for tool in said.tool_uses() {
                let input = tool.input.as_ref().map_or("", |input| input.get());
                println!("\n[{}] {input:.100}", tool.name.as_deref().unwrap_or_default());
            }
        }
        Message::Result(end) if end.outcome().is_ok() => *cost = end.total_cost_usd().unwrap_or(*cost),
        Message::Result(end) => print!("[{}: {}]", end.outcome(), end.text()),
        _ => {}
    }
    stdout().flush()
}
