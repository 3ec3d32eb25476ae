//! Every operation of the contract, called once as its users call it.

use std::fmt::Debug;

use serde::Serialize;
use serde_json::{Value, json};
use stromboli::{
    AgentRequest, AgentSendRequest, ClaudeOptions, Client, Error, ImagePullRequest, ImageSearch, Result, RunRequest,
    Secret, StreamRequest,
};

use crate::support::within;

/// The operations by their ids in the contract.
pub(crate) const IDS: [&str; 30] = [
    "auth_token",
    "auth_refresh",
    "auth_validate",
    "auth_logout",
    "run_sync",
    "run_async",
    "run_stream",
    "jobs_list",
    "job_get",
    "job_cancel",
    "sessions_list",
    "session_destroy",
    "session_messages",
    "session_message",
    "secrets_list",
    "secret_create",
    "secret_get",
    "secret_delete",
    "images_list",
    "image_get",
    "images_search",
    "image_pull",
    "agents_list",
    "agent_create",
    "agent_get",
    "agent_send",
    "agent_stream",
    "agent_stop",
    "health",
    "claude_status",
];

/// Calls one operation and gives what came of it as JSON, in the shape of the response.
pub(crate) async fn call(client: &Client, id: &str) -> Result<Value> {
    within(async {
        Ok(match id {
            "auth_token" => json(client.auth().token("ci").await?),
            "auth_refresh" => json(client.auth().refresh("r.e.f").await?),
            "auth_validate" => json(client.auth().validate().await?),
            "auth_logout" => json(client.auth().logout().await?),
            "run_sync" => json(client.run(run()).await?),
            "run_async" => {
                let job = client.start(run().webhook_url("http://hook")).await?;
                json!({"job_id": job.id(), "session_id": job.session_id()})
            }
            "run_stream" => {
                let request = StreamRequest::new("a & b").workdir("/w").session_id("s-1");
                json(client.stream(request).await?.text().await?)
            }
            "jobs_list" => json!({"jobs": json(client.jobs().list().await?)}),
            "job_get" => json(client.job("job-1").get().await?),
            "job_cancel" => json(client.job("job-1").cancel().await?),
            "sessions_list" => json!({"sessions": json(client.sessions().list().await?)}),
            "session_destroy" => json(client.session("s-1").destroy().await?),
            "session_messages" => {
                let page = client.session("s-1").messages().limit(10).offset(20).page().await?;
                json!({
                    "messages": json(page.items),
                    "total": page.total,
                    "offset": page.offset,
                    "limit": page.limit,
                    "has_more": page.has_more,
                })
            }
            "session_message" => json!({"message": json(client.session("s/1").message("m 1").await?)}),
            "secrets_list" => json!({"secrets": json(client.secrets().list().await?)}),
            "secret_create" => json(client.secrets().create("token", Secret::new("v\"1")).await?),
            "secret_get" => json(client.secrets().get("token").await?),
            "secret_delete" => json(client.secrets().delete("token").await?),
            "images_list" => json!({"images": json(client.images().list().await?)}),
            "image_get" => json(client.images().get("a/b:3@x").await?),
            "images_search" => {
                let search = ImageSearch::new("py").limit(5).no_trunc(true);
                json!({"results": json(client.images().search(search).await?)})
            }
            "image_pull" => {
                let request = ImagePullRequest::new("a/b:3").platform("linux/arm64").quiet(true);
                json(client.images().pull(request).await?)
            }
            "agents_list" => json(client.agents().list().await?),
            "agent_create" => {
                let request = AgentRequest::new().prompt("hi").idle_timeout_seconds(60);
                match client.raw().agent_create(&request).await {
                    Ok(response) => json(response.into_inner()),
                    Err(error) => return Err(Error::from_raw("agent_create", error).await),
                }
            }
            "agent_get" => json(client.agent("agent-1").get().await?),
            "agent_send" => {
                let request = AgentSendRequest::new("go on");
                match client.raw().agent_send("agent-1", &request).await {
                    Ok(response) => json(response.into_inner()),
                    Err(error) => return Err(Error::from_raw("agent_send", error).await),
                }
            }
            "agent_stream" => match client.raw().agent_stream("agent-1").await {
                Ok(response) => json!(response.status().as_u16()),
                Err(error) => return Err(Error::from_raw("agent_stream", error).await),
            },
            "agent_stop" => json(client.agent("agent-1").stop().await?),
            "health" => json(client.health().await?),
            "claude_status" => json(client.claude_status().await?),
            _ => unreachable!("{id}"),
        })
    })
    .await
}

fn run() -> RunRequest {
    RunRequest::new("hi").claude(ClaudeOptions::new().model("opus").max_turns(3))
}

/// A decoded value as JSON. Whatever the contract names must have found its field.
fn json<T: Debug + Serialize>(value: T) -> Value {
    let shown = format!("{value:?}");
    assert!(!shown.contains("extra: {\""), "{shown}");
    serde_json::to_value(value).unwrap()
}
