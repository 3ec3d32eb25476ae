//! How soon an event that the server sends is there, beside the body that hyper reads. Each event says when it was sent.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use report::{Budget, Measure, Result, in_turns, median};
use rig::{Server, TIMEOUT};
use stromboli::RunEvent;

const PAIRS: usize = 61;
/// Streams of a sample, one after the other, of which the middle one counts: the first finds the caches as the other side left
/// them, and a program has only one of them.
const STREAMS: usize = 5;
/// The two events, and the most of the time that the bodies of hyper and of reqwest take for them. For the first, 1.1 of hyper's
/// cannot be kept on top of reqwest, as its own row shows, and 1.1 of reqwest's is not reached.
const CASES: [(&str, f64, f64); 2] = [
    ("first, with the head", 1.4, 1.2),
    ("second, into the open stream", 1.1, 1.1),
];

fn main() -> ExitCode {
    rig::main(|_| measure())
}

fn measure() -> Result<()> {
    let server = Server::start()?;
    let url = server.url();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = stromboli::Client::new(&*url)?;
    let hyper = HyperClient::builder(TokioExecutor::new()).build_http();
    // With a limit of silence as ours has it: to wait with a timer takes longer to wake up from.
    let reqwest = reqwest::Client::builder().no_proxy().read_timeout(TIMEOUT).build()?;
    for (index, (case, most_of_hyper, most_of_reqwest)) in CASES.into_iter().enumerate() {
        let ours = || middle(index, || runtime.block_on(ours(&client)));
        let hyper = || middle(index, || runtime.block_on(by_hyper(&hyper, &url)));
        let reqwest = || middle(index, || runtime.block_on(by_reqwest(&reqwest, &url)));
        // Fails here rather than in a pair.
        let (ours_once, hyper_once, reqwest_once) = (ours()?, hyper()?, reqwest()?);
        let ours = || ours().unwrap_or(ours_once);
        let hyper = || hyper().unwrap_or(hyper_once);
        let reqwest = || reqwest().unwrap_or(reqwest_once);
        in_turns(PAIRS, ours, hyper)
            .row("first_event", case, "hyper's body", Measure::Time)
            .budget(Budget::AtMost(most_of_hyper))
            .print()?;
        in_turns(PAIRS, ours, reqwest)
            .row("first_event", case, "reqwest's body", Measure::Time)
            .budget(Budget::AtMost(most_of_reqwest))
            .print()?;
        // What of it is reqwest's, on which we stand.
        in_turns(PAIRS, reqwest, hyper)
            .row(
                "first_event",
                &format!("reqwest's body: {case}"),
                "hyper's body",
                Measure::Time,
            )
            .print()?;
    }
    Ok(())
}

/// How late one of the two events is, in the middle of some streams.
fn middle(index: usize, mut stream: impl FnMut() -> Result<[f64; 2]>) -> Result<f64> {
    let late: Result<Vec<_>> = (0..STREAMS).map(|_| stream().map(|late| late[index])).collect();
    late.map(median)
}

/// How late the two events of a stream are, in seconds.
async fn ours(client: &stromboli::Client) -> Result<[f64; 2]> {
    let mut run = client.stream("timed").await?;
    let mut late = [0.0; 2];
    for late in &mut late {
        let event = run.try_next().await?;
        let now = now();
        match event {
            Some(RunEvent::Output(line)) => *late = since(&line, now)?,
            other => return Err(format!("no line but {other:?}").into()),
        }
    }
    // To the end, so that both find the connection in the same state.
    while run.try_next().await?.is_some() {}
    Ok(late)
}

/// The same with the pieces of hyper's body as they come.
async fn by_hyper(client: &HyperClient<HttpConnector, Empty<Bytes>>, url: &str) -> Result<[f64; 2]> {
    let response = client.get(format!("{url}/run/stream?prompt=timed").parse()?).await?;
    let mut body = response.into_body();
    let mut late = [0.0; 2];
    for late in &mut late {
        let frame = body.frame().await.ok_or("the stream ended")??;
        let now = now();
        *late = since(line(frame.data_ref().ok_or("no data")?)?, now)?;
    }
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(late)
}

/// And with those of reqwest's.
async fn by_reqwest(client: &reqwest::Client, url: &str) -> Result<[f64; 2]> {
    let mut response = client.get(format!("{url}/run/stream?prompt=timed")).send().await?;
    let mut late = [0.0; 2];
    for late in &mut late {
        let data = response.chunk().await?.ok_or("the stream ended")?;
        let now = now();
        *late = since(line(&data)?, now)?;
    }
    while response.chunk().await?.is_some() {}
    Ok(late)
}

fn line(data: &[u8]) -> Result<&str> {
    let line = std::str::from_utf8(data)?.strip_prefix("data: ");
    Ok(line.ok_or("no line")?.trim_end())
}

/// The seconds from what a line says to `now`.
fn since(line: &str, now: u128) -> Result<f64> {
    let nanoseconds = now.checked_sub(line.parse()?).ok_or("the clock was set back")?;
    Ok(nanoseconds as f64 / 1e9)
}

/// Nanoseconds by the clock that the server has too.
fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}
