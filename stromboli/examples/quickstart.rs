//! Runs an agent, streams another run, and prints what came back.
//!
//! Takes a prompt from its arguments, and its server from `STROMBOLI_URL` and `STROMBOLI_TOKEN`. Without
//! `STROMBOLI_URL` it starts the emulator in this process, which answers in an agent's place.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to a person")]

use std::env;
use std::error::Error;

use stromboli::{Client, RunEvent, StreamRequest};
use stromboli_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let prompt = if words.is_empty() {
        "Say hello in three languages".to_owned()
    } else {
        words.join(" ")
    };

    // The emulator stops when it is dropped, at the end of `main`.
    let emulator = match env::var_os("STROMBOLI_URL") {
        Some(_) => None,
        None => Some(Emulator::start().await?),
    };
    let client = match &emulator {
        None => Client::from_env()?,
        Some(emulator) => {
            eprintln!(
                "STROMBOLI_URL is not set: the embedded emulator answers at {}",
                emulator.url()
            );
            Client::new(emulator.url())?
        }
    };
    client.compatibility().await?.require()?;

    println!("run: {prompt}");
    let reply = client.run(prompt.as_str()).await?.ok()?;
    println!("{}\n", reply.text());

    println!("stream: {prompt}");
    let mut run = client.stream(StreamRequest::new(prompt)).await?;
    while let Some(event) = run.try_next().await? {
        match event {
            RunEvent::Output(line) => println!("{line}"),
            RunEvent::Done(end) => println!("[{} in session {}]", end.status, end.session_id),
            _ => {}
        }
    }
    Ok(())
}
