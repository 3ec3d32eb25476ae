//! Every request that the client sends is valid by the contract. A Prism judges that, which read `openapi.yaml` and not
//! our code: it answers a valid request with the contract's example, which must decode, and any other with what is wrong
//! in `sl-violations`. `cargo xtask contract` starts it.

mod full;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::Deserialize;
use stromboli::hooks::{Hook, ResponseEvent};
use stromboli::{AgentRequest, AgentSendRequest, Client, Credentials, Error, Result, RunRequest, Secret, Token};

use crate::calls::IDS;
use crate::support::within;

const URL: &str = "STROMBOLI_PRISM_URL";
const ID: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";

/// What Prism said, by operation: the status, and what was wrong with the request.
#[derive(Clone, Default)]
struct Verdicts(Arc<Mutex<BTreeMap<&'static str, Vec<String>>>>);

impl Hook for Verdicts {
    fn on_response(&self, response: &ResponseEvent<'_>) {
        let wrong = response.headers.get("sl-violations");
        let wrong = wrong.map_or("", |violations| violations.to_str().unwrap_or("unreadable"));
        let verdict = format!("{} {wrong}", response.status.as_u16());
        let mut verdicts = self.0.lock().unwrap();
        verdicts.entry(response.operation).or_default().push(verdict);
    }
}

impl Verdicts {
    /// Calls of each operation that were answered; all of them must have been valid.
    fn counts(&self) -> BTreeMap<&'static str, usize> {
        let verdicts = self.0.lock().unwrap();
        for (operation, said) in verdicts.iter() {
            for verdict in said {
                assert!(
                    verdict.starts_with('2') && verdict.ends_with(' '),
                    "{operation}: {verdict}"
                );
            }
        }
        verdicts
            .iter()
            .map(|(operation, said)| (*operation, said.len()))
            .collect()
    }
}

fn prism() -> (stromboli::ClientBuilder, Verdicts) {
    let url = std::env::var(URL).unwrap_or_else(|_| panic!("{URL} is not set; run `cargo xtask contract`"));
    let verdicts = Verdicts::default();
    (Client::builder(url).hook(verdicts.clone()), verdicts)
}

fn with_token() -> (Client, Verdicts) {
    let (builder, verdicts) = prism();
    (builder.token(Token::new("abc").unwrap()).build().unwrap(), verdicts)
}

/// Calls one operation with everything that it takes.
async fn full(client: &Client, id: &str) -> Result<()> {
    match id {
        "run_sync" => drop(client.run(full::run()).await?),
        "run_async" => drop(client.start(full::run()).await?),
        "run_stream" => drop(client.stream(full::stream()).await?),
        "session_messages" => drop(client.session(ID).messages().limit(10).offset(20).page().await?),
        "secret_create" => {
            let value = Secret::new("v\"\u{0}\u{e9}\n");
            client.secrets().create("deploy_KEY-1", value).await?;
        }
        "image_get" => drop(client.images().get("Python:3.12@sha256:abc_d-e.f").await?),
        "images_search" => drop(client.images().search(full::search()).await?),
        "image_pull" => drop(client.images().pull(full::pull()).await?),
        "agent_create" => create(client, &full::agent()).await?,
        _ => minimal(client, id).await?,
    }
    Ok(())
}

/// Calls one operation with no more than it needs.
async fn minimal(client: &Client, id: &str) -> Result<()> {
    match id {
        "auth_token" => drop(client.auth().token("ci").await?),
        "auth_refresh" => drop(client.auth().refresh("r.e.f").await?),
        "auth_validate" => drop(client.auth().validate().await?),
        "auth_logout" => drop(client.auth().logout().await?),
        "run_sync" => drop(client.run("hi").await?),
        "run_async" => drop(client.start("hi").await?),
        // Prism sends the example's events as one body, less its last line end, so there is no end to read to. What counts
        // is that the stream was opened.
        "run_stream" => drop(client.stream("hi").await?),
        "jobs_list" => drop(client.jobs().list().await?),
        "job_get" => drop(client.job("job-9d2e61f0c4ab7715").get().await?),
        "job_cancel" => drop(client.job("job-9d2e61f0c4ab7715").cancel().await?),
        "sessions_list" => drop(client.sessions().list().await?),
        "session_destroy" => drop(client.session(ID).destroy().await?),
        "session_messages" => drop(client.session(ID).messages().page().await?),
        "session_message" => drop(client.session(ID).message("e58a2f77").await?),
        "secrets_list" => drop(client.secrets().list().await?),
        "secret_create" => drop(client.secrets().create("a", Secret::new("v")).await?),
        "secret_get" => drop(client.secrets().get("a").await?),
        "secret_delete" => drop(client.secrets().delete("a").await?),
        "images_list" => drop(client.images().list().await?),
        "image_get" => drop(client.images().get("python").await?),
        "images_search" => drop(client.images().search("python").await?),
        "image_pull" => drop(client.images().pull("python").await?),
        "agents_list" => drop(client.agents().list().await?),
        "agent_create" => create(client, &AgentRequest::new()).await?,
        "agent_get" => drop(client.agent("agent-1").get().await?),
        "agent_send" => match client
            .raw()
            .agent_send("agent-1", &AgentSendRequest::new("go on"))
            .await
        {
            Ok(_) => {}
            Err(error) => return Err(Error::from_raw("agent_send", error).await),
        },
        "agent_stream" => match client.raw().agent_stream("agent-1").await {
            Ok(_) => {}
            Err(error) => return Err(Error::from_raw("agent_stream", error).await),
        },
        "agent_stop" => client.agent("agent-1").stop().await?,
        "health" => drop(client.health().await?),
        "claude_status" => drop(client.claude_status().await?),
        _ => unreachable!("{id}"),
    }
    Ok(())
}

async fn create(client: &Client, request: &AgentRequest) -> Result<()> {
    match client.raw().agent_create(request).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::from_raw("agent_create", error).await),
    }
}

#[tokio::test]
#[ignore = "needs a Prism, which `cargo xtask contract` starts"]
async fn every_operation_sends_valid_requests_and_decodes_the_contracts_examples() {
    let (client, verdicts) = with_token();
    for id in IDS {
        within(full(&client, id))
            .await
            .unwrap_or_else(|e| panic!("{id}: {e}\n{:?}", e.body()));
        within(minimal(&client, id))
            .await
            .unwrap_or_else(|e| panic!("{id}: {e}\n{:?}", e.body()));
    }
    assert_eq!(verdicts.counts(), IDS.map(|id| (id, 2)).into());
}

#[derive(Deserialize, JsonSchema)]
struct Anything {}

#[tokio::test]
#[ignore = "needs a Prism, which `cargo xtask contract` starts"]
async fn what_stands_on_several_operations_sends_valid_requests() {
    let (builder, verdicts) = prism();
    let credentials = Credentials::client_id("ci", "an-api-token").unwrap();
    let client = builder.credentials(credentials).build().unwrap();
    within(async {
        client.run(RunRequest::new("And the tests?").resume(ID)).await.unwrap();
        // The example has no structured output; what counts is the request.
        client.run_as::<Anything>("Score this").await.err();
        client.start("hi").await.unwrap().wait().await.unwrap();
        let mut messages = client.session(ID).messages().stream();
        while messages.try_next().await.unwrap().is_some() {}
        let agent = client.agents().spawn(full::agent()).await.unwrap();
        // The example's agent has exited; what counts is the request.
        agent.events().await.err();
        client.compatibility().await.unwrap();
    })
    .await;
    let counts = verdicts.counts();
    let sent = [
        "agent_create",
        "agent_get",
        "agent_send",
        "agent_stream",
        "auth_token",
        "health",
        "job_get",
        "run_async",
        "run_sync",
        "session_messages",
    ];
    assert_eq!(counts.into_keys().collect::<Vec<_>>(), sent);
}

#[tokio::test]
#[ignore = "needs a Prism, which `cargo xtask contract` starts"]
async fn an_invalid_request_is_noticed() {
    let (client, verdicts) = with_token();
    let error = within(client.run("")).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    let said = verdicts.0.lock().unwrap().remove("run_sync").unwrap();
    assert!(
        said[0].contains("prompt must NOT have fewer than 1 characters"),
        "{said:?}"
    );
}
