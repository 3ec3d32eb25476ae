//! An agent and its stream, as tests handle them.

use std::io;

use futures_util::stream;
use serde_json::{Value, json};
use stromboli_emulator::{Agent, Answer, Answerer, Echo, Emulator, Run, Step};
use tokio::sync::mpsc;

use crate::client::{Connection, get, post, within};

/// Starts an agent and returns its id.
pub(crate) async fn start(emulator: &Emulator, body: Value) -> String {
    let response = post(emulator, "/agents", body.to_string()).await;
    assert_eq!(response.status, 201, "{}", response.body);
    response.json()["id"].as_str().unwrap().to_owned()
}

/// Sends a prompt, which must be taken, and returns the id of the turn.
pub(crate) async fn send(emulator: &Emulator, agent: &str, prompt: &str) -> String {
    let body = json!({"prompt": prompt}).to_string();
    let response = post(emulator, &format!("/agents/{agent}/send"), body).await;
    assert_eq!(response.status, 202, "{}", response.body);
    response.json()["turn_id"].as_str().unwrap().to_owned()
}

/// The agent as the server shows it.
pub(crate) async fn look(emulator: &Emulator, agent: &str) -> Value {
    let response = get(emulator, &format!("/agents/{agent}")).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

/// An event: its name and its data.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Event {
    /// The line of output that it carries.
    pub(crate) fn content(&self) -> &str {
        assert_eq!(self.name, "output");
        self.data["content"].as_str().unwrap_or_default()
    }

    /// The JSON in the line of output that it carries.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_str(self.content()).unwrap()
    }
}

/// An open stream of events.
pub(crate) struct Events {
    pub(crate) connection: Connection,
}

impl Events {
    /// Returns when the headers are there, and so is the subscription.
    pub(crate) async fn open(emulator: &Emulator, agent: &str) -> Self {
        Self::open_on(Connection::open(emulator).await, agent).await
    }

    pub(crate) async fn open_on(mut connection: Connection, agent: &str) -> Self {
        let target = format!("/agents/{agent}/stream");
        connection.send("GET", &target, "", b"").await;
        let head = within(connection.head()).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Self { connection }
    }

    /// The next event, which must have the framing of the wire.
    pub(crate) async fn next(&mut self) -> Event {
        let frame = within(self.connection.chunk()).await;
        let (name, data) = frame.split_once('\n').unwrap();
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        let data = data.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!data.contains('\n'), "{data}");
        let data: Value = serde_json::from_str(data).unwrap();
        if name == "closed" {
            assert_eq!(data, json!({}));
        } else {
            assert_eq!(data["type"], Value::from(name.as_str()));
        }
        Event { name, data }
    }

    /// The events up to and with the first of that name.
    pub(crate) async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            events.push(self.next().await);
            if events.last().unwrap().name == name {
                return events;
            }
        }
    }

    /// Whether the body has come to its regular end.
    pub(crate) async fn is_over(&mut self) -> bool {
        within(self.connection.chunk()).await.is_empty()
    }
}

pub(crate) fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// The events of one turn of a new agent.
pub(crate) async fn turn(emulator: &Emulator, body: Value, prompt: &str) -> Vec<Event> {
    let agent = start(emulator, body).await;
    let mut events = Events::open(emulator, &agent).await;
    send(emulator, &agent, prompt).await;
    events.until("turn_end").await
}

/// The messages in the output among them.
pub(crate) fn messages(events: &[Event]) -> Vec<Value> {
    let outputs = events.iter().filter(|event| event.name == "output");
    outputs.map(Event::message).collect()
}

/// An answerer whose agents are moved by the test.
pub(crate) struct Strings(mpsc::UnboundedSender<Puppet>);

/// The process of an agent in the hands of the test; dropping `steps` ends it.
pub(crate) struct Puppet {
    pub(crate) agent: Agent,
    pub(crate) steps: mpsc::UnboundedSender<Step>,
}

/// The answerer, and the processes that it starts.
pub(crate) fn puppet() -> (Strings, mpsc::UnboundedReceiver<Puppet>) {
    let (started, puppets) = mpsc::unbounded_channel();
    (Strings(started), puppets)
}

impl Answerer for Strings {
    fn answer(&self, run: Run) -> Answer {
        Echo.answer(run)
    }

    fn start_agent(&self, agent: Agent) -> Option<io::Result<Answer>> {
        let (steps, printed) = mpsc::unbounded_channel();
        self.0.send(Puppet { agent, steps }).unwrap();
        let steps = stream::unfold(printed, |mut printed| async {
            printed.recv().await.map(|step| (step, printed))
        });
        Some(Ok(Answer::new(steps)))
    }
}

/// An answerer that cannot start agents.
pub(crate) struct Broken;

impl Answerer for Broken {
    fn answer(&self, run: Run) -> Answer {
        Echo.answer(run)
    }

    fn start_agent(&self, _: Agent) -> Option<io::Result<Answer>> {
        Some(Err(io::Error::other("no such file")))
    }
}
