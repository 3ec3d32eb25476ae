//! Runs a prompt.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = stromboli::Client::from_env()?;
    let reply = client.run("Say hello").await?.ok()?;
    println!("{}", reply.text());
    Ok(())
}
