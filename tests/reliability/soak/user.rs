//! One user of the server: thinks, asks for something, and looks at what comes back.

use std::time::Duration;

use futures_util::future::{Either, select};
use stromboli::{AgentRequest, Client, JobStatus, Result, WaitOptions};
use tokio::sync::{RwLock, watch};

use super::ledger::{Ledger, Told};
use super::server::answer_to;

/// Longer than any request here may take with all that it is made of.
const HANGING: Duration = Duration::from_secs(180);
/// Longer than the server is ever away.
const OUTAGE: Duration = Duration::from_secs(60);

/// Uses the server until it is told to stop, with pauses of `think` on average. It holds `work` for reading while a request
/// is under way: who has it for writing sees all users rest.
pub(super) async fn live(
    client: Client,
    ledger: &Ledger,
    work: &RwLock<()>,
    seed: u64,
    think: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let pause = Box::pin(tokio::time::sleep(think.mul_f64(2.0 * random.f64())));
        let stopped = Box::pin(stop.wait_for(|stop| *stop));
        if let Either::Left(_) = select(stopped, pause).await {
            return;
        }
        let _work = work.read().await;
        let choice = random.u8(..20);
        let asked = ask(&client, ledger, choice);
        if tokio::time::timeout(HANGING, asked).await.is_err() {
            ledger.broken(format!("request of kind {choice} still went on after {HANGING:?}"));
        }
    }
}

async fn ask(client: &Client, ledger: &Ledger, choice: u8) {
    match choice {
        0..5 => drop(run(client, ledger).await),
        5..10 => job(client, ledger).await,
        10..14 => stream(client, ledger).await,
        14..17 => history(client, ledger).await,
        17..19 => agent(client, ledger).await,
        _ => drop(ledger.count("health", client.health().await)),
    }
}

/// Gives the id of the session, too.
async fn run(client: &Client, ledger: &Ledger) -> Option<(String, String)> {
    let (call, prompt) = ledger.call();
    let reply = ledger.note("run", call, Told::Done, client.run(prompt.as_str()).await)?;
    if reply.text() != answer_to(&prompt) {
        ledger.broken(format!("{prompt} was answered with another text"));
    }
    Some((reply.session_id?, prompt))
}

async fn job(client: &Client, ledger: &Ledger) {
    let (call, prompt) = ledger.call();
    let begun = client.start(prompt.as_str()).await;
    let Some(job) = ledger.note("start", call, Told::Begun, begun) else {
        return;
    };
    ledger.begun(job.id());
    let ended = job.wait_with(WaitOptions::new().give_up_after(OUTAGE)).await;
    let Some(ended) = ledger.count("wait", ended) else {
        ledger.broken(format!("the end of job {} was not seen", job.id()));
        return;
    };
    ledger.add("job", ended.status.to_string());
    if ended.status == JobStatus::Completed && ended.text() != answer_to(&prompt) {
        ledger.broken(format!("job {} ended with another text", job.id()));
    }
}

async fn stream(client: &Client, ledger: &Ledger) {
    let (call, prompt) = ledger.call();
    let text = async { client.stream(prompt.as_str()).await?.text().await }.await;
    let text = ledger.note("stream", call, Told::Done, text);
    if text.is_some_and(|text| text != answer_to(&prompt)) {
        ledger.broken(format!("{prompt} was streamed another text"));
    }
}

/// Reads the history of a run of its own, a message at a time, and takes it away.
async fn history(client: &Client, ledger: &Ledger) {
    let Some((session, prompt)) = run(client, ledger).await else {
        return;
    };
    let session = client.session(session);
    let read = async {
        let mut said = Vec::new();
        let mut messages = session.messages().limit(1).stream();
        while let Some(message) = messages.try_next().await? {
            let text = serde_json::to_string(&message).unwrap();
            said.push((message.type_.to_string(), text.contains(&prompt)));
        }
        Ok(said)
    };
    let said: Result<Vec<(String, bool)>> = read.await;
    let whole = [("user", true), ("assistant", true), ("last-prompt", false)];
    let is_whole = |said: &Vec<(String, bool)>| said.iter().map(|(kind, has)| (kind.as_str(), *has)).eq(whole);
    if ledger.count("history", said).is_some_and(|said| !is_whole(&said)) {
        ledger.broken(format!("the history of {prompt} is another"));
    }
    let _ = ledger.count("destroy", session.destroy().await);
}

/// Two turns of an agent.
async fn agent(client: &Client, ledger: &Ledger) {
    let spawned = client.agents().spawn(AgentRequest::new()).await;
    let Some(agent) = ledger.count("spawn", spawned) else {
        return;
    };
    for _ in 0..2 {
        let (call, prompt) = ledger.call();
        let told = agent.ask(prompt.as_str()).await.and_then(|turn| {
            let complete = turn.is_complete() && turn.text == answer_to(&prompt);
            if turn.is_complete() && !complete {
                ledger.broken(format!("the turn of {prompt} has another text"));
            }
            turn.ok()
        });
        let _ = ledger.note("ask", call, Told::Done, told);
    }
    let _ = ledger.count("stop", agent.stop().await);
}
