//! Starts a run in the background, takes it up again by its id as another process would, and waits for its end.

#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::time::Duration;

use stromboli::{ClaudeOptions, Client, Model, PodmanOptions, RunRequest, WaitOptions};
use stromboli_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    emulator
        .on_prompt("Audit")
        .lines(["looked at 12 files", "found nothing"])
        .delay(Duration::from_millis(50));
    let client = Client::new(emulator.url())?;

    let request = RunRequest::new("Audit everything")
        .workdir("/workspace")
        .claude(
            ClaudeOptions::new()
                .model(Model::Sonnet)
                .max_turns(20)
                .max_budget_usd(2.0),
        )
        .podman(PodmanOptions::new().memory("2g").timeout(Duration::from_secs(600)));
    let id = client.start(request).await?.id().to_owned();
    println!("started {id}");

    let options = WaitOptions::new()
        .timeout(Duration::from_secs(900))
        .on_update(|job| println!("{}", job.status));
    let done = client.job(id).wait_with(options).await?.ok()?;
    println!("{}", done.text());
    Ok(())
}
