//! Runs a prompt with nothing but reqwest.

use std::time::Duration;

#[derive(serde::Serialize)]
struct Run<'a> {
    prompt: &'a str,
}

#[derive(serde::Deserialize)]
struct Reply {
    status: String,
    output: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("STROMBOLI_URL")?;
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(2100))
        .build()?;
    let request = client.post(format!("{url}/run")).json(&Run { prompt: "Say hello" });
    let reply: Reply = request.send().await?.error_for_status()?.json().await?;
    if reply.status != "completed" {
        return Err(reply.status.into());
    }
    println!("{}", reply.output.unwrap_or_default());
    Ok(())
}
