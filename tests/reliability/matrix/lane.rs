//! All faults that a class of operations meets, one after the other, with the servers and the clients that it takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{from_value, json};
use stromboli::hooks::{Hook, RequestEvent};
use stromboli::{AgentRequest, Client, Credentials, RetryPolicy, Timeouts, Token};
use stromboli_emulator::{Answer, Emulator, Injected, Refusal, Run, Stats};

use super::cell::Came;
use super::class::{ANSWER, Class, IMAGE, TOKEN, World};
use super::fault::{Fault, How, Tls};
use super::peer::Peer;
use super::rule::Sees;
use crate::measure;

/// The most bytes that a client takes of a response, and of an event.
const MOST: usize = 256 * 1024;
const MOST_OF_EVENT: usize = 64 * 1024;
/// The time of a call that shall end by it, and of one that shall not.
const SCANT: Duration = Duration::from_millis(300);
const AMPLE: Duration = Duration::from_secs(60);
/// What a loaded machine, and the end of an error's body (docs/decisions.md), may add to it.
const SLACK: Duration = Duration::from_secs(20);
/// How often a call is made whose scant time is up before the fault has struck, on a loaded machine.
const TRIES: usize = 20;
/// A job that is asked this goes on and on.
const LONG: &str = "long";

pub(super) struct Lane {
    class: Class,
    emulator: Arc<Emulator>,
    peer: Peer,
    /// Meets no fault.
    well: Client,
    /// By their URLs and what time they have.
    clients: HashMap<(String, Time), Client>,
    /// What is there of the emulator's and can be read by many calls.
    session: String,
    job: String,
    cells: usize,
}

/// Which time of a client is scant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Time {
    Ample,
    Connecting,
    Calling,
    Idling,
    CallingAndIdling,
}

impl Time {
    fn of(class: Class, sees: &[Sees]) -> Self {
        match sees {
            [Sees::NoConnection] => Self::Connecting,
            // Opening an agent's stream has the time of a quick call, opening a run's that of its silence.
            [Sees::Silence] => Self::CallingAndIdling,
            [Sees::Stall] if class.is_stream() => Self::Idling,
            [Sees::Stall | Sees::Dribble] => Self::Calling,
            _ => Self::Ample,
        }
    }
}

impl Lane {
    pub(super) async fn start(class: Class) -> Self {
        let answerer = |run: Run| match run.prompt.as_str() {
            LONG => Answer::new(futures_util::stream::pending()),
            _ => Answer::reply(&run, ANSWER),
        };
        let emulator = Emulator::builder()
            .api_token(TOKEN)
            .jwt_secret("0123456789abcdef0123456789abcdef")
            .registry_image(IMAGE)
            .agent_grace(Duration::ZERO)
            .answerer(answerer);
        let emulator = Arc::new(emulator.start().await.unwrap());
        let well = client(Class::Health, Time::Ample, emulator.url());
        let session = well.run("hi").await.unwrap().session_id.unwrap();
        let job = well.start("hi").await.unwrap();
        job.wait().await.unwrap();
        Self {
            class,
            peer: Peer::start(class).await,
            well,
            clients: HashMap::new(),
            session,
            job: job.id().to_owned(),
            emulator,
            cells: 0,
        }
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// Lets a call meet `fault`.
    pub(super) async fn meet(&mut self, fault: &Fault) -> Came {
        let is_ample = Time::of(self.class, &fault.sees(self.class)) == Time::Ample;
        let tries = if is_ample { 1 } else { TRIES };
        let mut came = self.call_into(fault).await;
        for _ in 1..tries {
            if came.struck {
                break;
            }
            came = self.call_into(fault).await;
        }
        came
    }

    async fn call_into(&mut self, fault: &Fault) -> Came {
        self.cells += 1;
        let sees = fault.sees(self.class);
        match &fault.how {
            How::Injected(injected) => {
                let (method, path) = self.class.target();
                let injected = (**injected).clone().method(method).on(path);
                let (emulator, handle) = (Arc::clone(&self.emulator), Arc::<OnceLock<_>>::default());
                let struck = Arc::clone(&handle);
                let strike = move || drop(handle.set(emulator.inject(injected.clone())));
                let mut came = self.emulated(&sees, Box::new(strike)).await;
                came.struck = struck.get().is_some_and(|fault: &Injected| fault.fired() > 0);
                came
            }
            How::Refused => {
                let (emulator, refusal) = (Arc::clone(&self.emulator), Mutex::<Option<Refusal>>::default());
                let strike = move || *refusal.lock().unwrap() = Some(emulator.refuse_connections().unwrap());
                self.emulated(&sees, Box::new(strike)).await
            }
            How::Played { tls, reads, script } => {
                let before = self.peer.played();
                self.peer.play(*reads, script);
                let scheme = if *tls == Tls::Wanted { "https" } else { "http" };
                let url = format!("{scheme}://{}", self.peer.address());
                let mut came = self.call(&sees, &url, self.world("job-1", "s-1", "agent-1")).await;
                came.left = measure::settles(|| self.peer.open(), 0).await;
                came.struck = self.peer.played() > before;
                came
            }
            How::Nameless => {
                let world = self.world("job-1", "s-1", "agent-1");
                self.call(&sees, "http://no-such-host.invalid", world).await
            }
        }
    }

    fn world(&self, job: &str, session: &str, agent: &str) -> World {
        World {
            // Ends, so that no other's is the beginning of it.
            mark: format!("{}-", self.cells),
            job: job.to_owned(),
            session: session.to_owned(),
            agent: agent.to_owned(),
            strike: Box::new(|| {}),
            lost: Mutex::default(),
        }
    }

    async fn call(&mut self, sees: &[Sees], url: &str, world: World) -> Came {
        let (class, time) = (self.class, Time::of(self.class, sees));
        let make = || client(class, time, url);
        let client = match class {
            // It keeps the token that it has got.
            Class::Login => make(),
            _ => self.clients.entry((url.to_owned(), time)).or_insert_with(make).clone(),
        };
        let patience = if time == Time::Ample { AMPLE } else { SCANT } + SLACK;
        let result = tokio::time::timeout(patience, class.call(&client, &world)).await;
        Came {
            result: result.ok(),
            lost: world.lost.lock().unwrap().take(),
            executions: 0,
            left: 0,
            // No server has a part in a connection that cannot be made; others say so.
            struck: true,
        }
    }

    async fn emulated(&mut self, sees: &[Sees], strike: Box<dyn Fn() + Send + Sync>) -> Came {
        self.emulator.clear_faults();
        let job = match self.class {
            Class::Cancel => self.well.start(LONG).await.unwrap().id().to_owned(),
            _ => self.job.clone(),
        };
        let agent = match self.class {
            Class::Send | Class::Events | Class::Turn => {
                // Nothing of the call before goes on.
                let settled =
                    |stats: &Stats| stats.subscribers == 0 && stats.executions == stats.finished + stats.stopped;
                self.emulator.wait_for(settled).await;
                let agent = self.well.agents().spawn(AgentRequest::new()).await.unwrap();
                agent.id().to_owned()
            }
            _ => String::new(),
        };
        let mut world = self.world(&job, &self.session, &agent);
        world.strike = strike;
        let (emulator, well, class) = (Arc::clone(&self.emulator), self.well.clone(), self.class);
        let mark = world.mark();
        let url = emulator.url().to_owned();
        let mut came = tokio::select! {
            came = self.call(sees, &url, world) => came,
            () = speak(&emulator, &well, class, &agent) => unreachable!("it never ends"),
        };
        came.executions = executions(&emulator, class, &mark, &job);
        came
    }
}

/// Gives an agent something to say once somebody listens, and ends it.
async fn speak(emulator: &Emulator, well: &Client, class: Class, agent: &str) {
    if class == Class::Events {
        let finished = emulator.wait_for(|stats| stats.subscribers > 0).await.finished;
        let request = from_value(json!({ "prompt": "hi" })).unwrap();
        well.raw().agent_send(agent, &request).await.unwrap();
        emulator.wait_for(|stats| stats.finished > finished).await;
        well.agent(agent).stop().await.unwrap();
    }
    std::future::pending().await
}

/// How often the emulator carried out what a call asks for that has this mark, or is about this job.
fn executions(emulator: &Emulator, class: Class, mark: &str, job: &str) -> usize {
    let has = |bytes: &[u8], part: &str| bytes.windows(part.len()).any(|window| window == part.as_bytes());
    let requests = emulator.requests().into_iter().filter(|request| request.executed);
    let meant = requests.filter(|request| match class {
        Class::Cancel => request.method == "DELETE" && has(request.target.as_bytes(), job),
        // What counts is the run.
        Class::Login => request.target == "/run" && has(&request.body, mark),
        _ => has(request.target.as_bytes(), mark) || has(&request.body, mark),
    });
    meant.count()
}

fn client(class: Class, time: Time, url: &str) -> Client {
    let scant = |which: &[Time]| if which.contains(&time) { SCANT } else { AMPLE };
    let call = scant(&[Time::Calling, Time::CallingAndIdling]);
    let timeouts = Timeouts::default()
        .connect(scant(&[Time::Connecting]))
        .quick(call)
        .run(call)
        .image_pull(call)
        .stream_idle(scant(&[Time::Idling, Time::CallingAndIdling]));
    let policy = RetryPolicy::default().max_attempts(2);
    let builder = Client::builder(url)
        .timeouts(timeouts)
        .retry(policy.base_delay(Duration::ZERO).budget(1_000_000))
        .hook(Alone)
        .max_response_bytes(MOST)
        .max_event_bytes(MOST_OF_EVENT);
    let builder = match class {
        Class::Login => builder.credentials(Credentials::client_id("ci", TOKEN).unwrap()),
        _ => builder.token(Token::new(TOKEN).unwrap()),
    };
    builder.build().unwrap()
}

/// Each request has a connection of its own, so that what breaks a connection strikes the request that is meant.
struct Alone;

impl Hook for Alone {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        request.headers.insert("connection", "close".parse().unwrap());
    }
}
