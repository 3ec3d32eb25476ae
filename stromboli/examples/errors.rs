//! What goes wrong, and what a program can do about it.

#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use stromboli::{Client, Error, ErrorKind, Token};
use stromboli_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().api_token("right").start().await?;
    emulator.on_prompt("crash").crash(137, "killed");
    let client = |token| Client::builder(emulator.url()).token(Token::new(token)?).build();

    let calls: [Result<_, Error>; 5] = [
        Client::new("localhost:8080").map(drop),
        Client::connect("http://127.0.0.1:9").await.map(drop),
        client("wrong")?.run("hello").await.map(drop),
        client("right")?.job("job-forgotten").get().await.map(drop),
        client("right")?
            .run("please crash")
            .await
            .and_then(|reply| Ok(reply.ok()?))
            .map(drop),
    ];
    for error in calls.into_iter().filter_map(Result::err) {
        let advice = match error.kind() {
            ErrorKind::InvalidInput => "change the program",
            ErrorKind::Connect => "start the server",
            ErrorKind::AgentFailed => "look at error.reply()",
            _ if error.is_unauthorized() => "get another token",
            _ if error.is_not_found() => "start it anew",
            _ => "report it",
        };
        println!(
            "{error} [{}, request {:?}] -> {advice}",
            error.code(),
            error.request_id()
        );
        println!("  may have run: {}", error.may_have_executed());
    }
    Ok(())
}
