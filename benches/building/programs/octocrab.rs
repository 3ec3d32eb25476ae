//! Reads an issue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = octocrab::Octocrab::builder().build()?;
    let issue = client.issues("rust-lang", "rust").get(1).await?;
    println!("{}", issue.title);
    Ok(())
}
