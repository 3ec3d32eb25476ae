//! Every operation by its name, on a server that has what each of them needs.

use std::time::Duration;

use futures_util::TryStreamExt;
use stromboli::{AgentRequest, Client, ClientBuilder, Credentials, Result, RetryPolicy, Secret, WaitOptions};
use stromboli_emulator::{Emulator, Fault, Hold};

use crate::support::{Relay, within};

const API_TOKEN: &str = "the-api-token";
const SESSION: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";
const IMAGE: &str = "ghcr.io/acme/agent:2";
pub(super) const LIFE: Duration = Duration::from_secs(3600);

/// What [`World::call`] knows.
pub(super) const OPERATIONS: [&str; 39] = [
    "health",
    "health after two refusals",
    "compatibility",
    "claude_status",
    "claude_status with an expired token",
    "auth token",
    "auth refresh",
    "auth validate",
    "auth logout",
    "run",
    "run after a refusal",
    "run with an expired token",
    "start",
    "job get",
    "job cancel",
    "job wait",
    "job updates",
    "jobs list",
    "stream open",
    "stream read",
    "stream text",
    "sessions list",
    "session page",
    "session stream",
    "session destroy",
    "secrets create",
    "secrets list",
    "secrets delete",
    "images list",
    "images search",
    "images pull",
    "agents spawn",
    "agents spawn with a prompt",
    "agents list",
    "agent get",
    "agent ask",
    "agent send",
    "agent events",
    "agent stop",
];

/// Polls of a job one after the other.
pub(super) fn often() -> WaitOptions<'static> {
    let moment = Duration::from_millis(1);
    WaitOptions::new().min_interval(moment).max_interval(moment)
}

/// A server, a wire to it, and what the operations need there.
pub(super) struct World {
    pub(super) emulator: Emulator,
    pub(super) relay: Relay,
    /// A client beside the wire, for what has to be there before.
    direct: Client,
}

impl World {
    pub(super) async fn start() -> Self {
        let emulator = Emulator::builder()
            .api_token(API_TOKEN)
            .jwt_secret("0123456789abcdef0123456789abcdef")
            .jwt_expiry(LIFE)
            .jwt_refresh_expiry(LIFE * 1000)
            .registry_image(IMAGE)
            .start()
            .await
            .unwrap();
        emulator.on_prompt("").reply("one\ntwo\nthree");
        let relay = Relay::to(emulator.url(), 50).await;
        let direct = Client::builder(emulator.url());
        let direct = direct.credentials(Credentials::client_id("ci", API_TOKEN).unwrap());
        Self {
            direct: direct.build().unwrap(),
            emulator,
            relay,
        }
    }

    /// A client on the wire that obtains its token, and does not wait for long between attempts.
    pub(super) fn builder(&self) -> ClientBuilder {
        Client::builder(self.relay.url())
            .credentials(Credentials::client_id("ci", API_TOKEN).unwrap())
            .retry(
                RetryPolicy::default()
                    .base_delay(Duration::from_millis(1))
                    .budget(u32::MAX),
            )
    }

    /// A token of the server's.
    pub(super) async fn access_token(&self) -> String {
        within(self.direct.auth().token("ci")).await.unwrap().access_token
    }

    /// Puts there what `operation` needs, and gives its id; and whatever is to be kept meanwhile.
    pub(super) async fn prepare(&self, operation: &str) -> (String, Option<Hold>) {
        // Turns that others gave up are over before the next begins.
        within(
            self.emulator
                .wait_for(|stats| stats.executions == stats.finished + stats.stopped),
        )
        .await;
        self.emulator.clear_faults();
        let direct = &self.direct;
        let mut hold = None;
        let id = match operation {
            "health after two refusals" => {
                self.emulator.inject(Fault::status(503).times(2).on("/health"));
                String::new()
            }
            "run after a refusal" => {
                self.emulator.inject(Fault::status(429).times(1).on("/run"));
                String::new()
            }
            "claude_status with an expired token" | "run with an expired token" => {
                self.emulator.advance_clock(LIFE);
                String::new()
            }
            "auth refresh" => within(direct.auth().token("ci")).await.unwrap().refresh_token,
            "job get" | "job wait" | "job updates" => within(direct.start("hi")).await.unwrap().id().to_owned(),
            "job cancel" => {
                hold = Some(self.emulator.on_prompt("held").reply("done").hold());
                within(direct.start("held")).await.unwrap().id().to_owned()
            }
            "session page" | "session stream" | "session destroy" => {
                let line = |n| format!(r#"{{"type":"user","uuid":"{n}","message":{{"role":"user","content":"hi"}}}}"#);
                let lines: Vec<_> = (0..5).map(line).collect();
                self.emulator.add_session(SESSION, &lines.join("\n"));
                SESSION.to_owned()
            }
            "secrets create" | "secrets delete" => {
                // The one of the last time may be there or not.
                let _ = within(direct.secrets().delete("key")).await;
                if operation == "secrets delete" {
                    within(direct.secrets().create("key", Secret::new("x"))).await.unwrap();
                }
                "key".to_owned()
            }
            "agent get" | "agent ask" | "agent send" | "agent events" | "agent stop" => {
                within(direct.agents().spawn(AgentRequest::new()))
                    .await
                    .unwrap()
                    .id()
                    .to_owned()
            }
            _ => String::new(),
        };
        (id, hold)
    }

    pub(super) async fn call(client: &Client, operation: &str, id: &str) -> Result<()> {
        let agent = || client.agent(id);
        let messages = || client.session(id).messages().limit(2);
        match operation {
            "health" | "health after two refusals" => drop(client.health().await?),
            "compatibility" => drop(client.compatibility().await?),
            "claude_status" | "claude_status with an expired token" => drop(client.claude_status().await?),
            "auth token" => drop(client.auth().token("ci").await?),
            "auth refresh" => drop(client.auth().refresh(id).await?),
            "auth validate" => drop(client.auth().validate().await?),
            "auth logout" => drop(client.auth().logout().await?),
            "run" | "run after a refusal" | "run with an expired token" => drop(client.run("hi").await?.ok()?),
            "start" => drop(client.start("hi").await?),
            "job get" => drop(client.job(id).get().await?),
            "job cancel" => drop(client.job(id).cancel().await?),
            "job wait" => {
                drop(client.job(id).wait_with(often()).await?.ok()?);
            }
            "job updates" => {
                let mut updates = client.job(id).updates_with(often());
                while updates.try_next().await?.is_some() {}
            }
            "jobs list" => drop(client.jobs().list().await?),
            "stream open" => drop(client.stream("hi").await?),
            "stream read" => {
                let mut run = client.stream("hi").await?;
                while run.try_next().await?.is_some() {}
            }
            "stream text" => assert_eq!(client.stream("hi").await?.text().await?, "one\ntwo\nthree"),
            "sessions list" => drop(client.sessions().list().await?),
            "session page" => drop(messages().page().await?),
            "session stream" => assert_eq!(messages().stream().try_collect::<Vec<_>>().await?.len(), 5),
            "session destroy" => drop(client.session(id).destroy().await?),
            "secrets create" => drop(client.secrets().create(id, Secret::new("x")).await?),
            "secrets list" => drop(client.secrets().list().await?),
            "secrets delete" => drop(client.secrets().delete(id).await?),
            "images list" => drop(client.images().list().await?),
            "images search" => drop(client.images().search("agent").await?),
            "images pull" => drop(client.images().pull(IMAGE).await?),
            "agents spawn" => drop(client.agents().spawn(AgentRequest::new()).await?),
            "agents spawn with a prompt" => {
                let mut agent = client.agents().spawn("hi").await?;
                if let Some(turn) = agent.first_turn() {
                    drop(turn.finish().await?.ok()?);
                }
            }
            "agents list" => drop(client.agents().list().await?),
            "agent get" => drop(agent().get().await?),
            "agent ask" => drop(agent().ask("hi").await?.ok()?),
            "agent send" => drop(agent().send("hi").await?),
            "agent events" => {
                let mut events = agent().events().await?;
                agent().stop().await?;
                while events.try_next().await?.is_some() {}
            }
            "agent stop" => agent().stop().await?,
            unknown => panic!("no operation is called {unknown}"),
        }
        Ok(())
    }
}
