//! The emulator with the answers that are measured. A line on its input releases the streams that are held.

use stromboli_emulator::Emulator;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let emulator = Emulator::builder().version("v0.5.7-alpha").start().await?;
    emulator.on_prompt("ping").reply("pong");
    let mut held = Some(emulator.on_prompt("held").lines(["first", "second"]).hold_after(1));
    println!("{}", emulator.url());
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        if let Some(hold) = held.take() {
            hold.release();
        }
    }
    Ok(())
}
