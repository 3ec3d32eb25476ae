//! Asks for a completion.

use async_openai::Client;
use async_openai::types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = CreateChatCompletionRequest {
        model: "gpt-5".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("Say hello").into()],
        ..Default::default()
    };
    let reply = Client::new().chat().create(request).await?;
    let text = reply.choices.into_iter().find_map(|choice| choice.message.content);
    println!("{}", text.unwrap_or_default());
    Ok(())
}
