//! What thousands of open streams take of memory and tasks, beside bare reqwest: while they wait, and after each got a few
//! events. Bytes are those of the heap, counted and not sampled.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::task::Poll;

use futures_core::Stream;
use report::{Budget, Measure, Result, Row, allocations, cpu_seconds};
use rig::Server;
use tokio::runtime::Runtime;

const STREAMS: u32 = 10_000;
/// Events that each stream gets.
const TICKS: u32 = 5;
/// The most bytes of ours above reqwest's, a stream.
const BYTES: f64 = 2_048.0;

fn main() -> ExitCode {
    rig::main(|_| measure())
}

fn measure() -> Result<()> {
    let mut server = Server::start()?;
    // Each on an address of its own, whose ports are all free.
    let url = server.url_at(1);
    let ours = held(&mut server, async || {
        let client = stromboli::Client::new(&*url)?;
        let mut open = Vec::with_capacity(STREAMS as usize);
        for _ in 0..STREAMS {
            open.push(client.stream("held").await?);
        }
        Ok(open)
    })?;
    let url = server.url_at(2);
    let theirs = held(&mut server, async || {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let mut open = Vec::with_capacity(STREAMS as usize);
        for _ in 0..STREAMS {
            let response = client.get(format!("{url}/run/stream?prompt=held")).send().await?;
            // Boxed, because it cannot be moved once it was polled.
            open.push(Box::pin(response.error_for_status()?.bytes_stream()));
        }
        Ok(open)
    })?;
    let row = |case, measure, ours, theirs| Row::new("streams", case, "reqwest", measure, ours, theirs);
    row("each of 10,000 that wait", Measure::Bytes, ours.waiting, theirs.waiting)
        .budget(Budget::AtMostMore(BYTES))
        .print()?;
    row(
        "each of 10,000 that got 5 events",
        Measure::Bytes,
        ours.trickled,
        theirs.trickled,
    )
    .budget(Budget::AtMostMore(BYTES))
    .print()?;
    row("10,000 that wait", Measure::Tasks, ours.tasks, theirs.tasks)
        .budget(Budget::AtMostMore(0.0))
        .print()?;
    row(
        "an event for each of 10,000",
        Measure::Time,
        ours.seconds,
        theirs.seconds,
    )
    .print()
}

/// What so many streams took.
struct Taken {
    /// Bytes of the heap, of one stream.
    waiting: f64,
    trickled: f64,
    tasks: f64,
    /// Of the processor, for one event of one stream.
    seconds: f64,
}

/// Opens streams, reads the first event of each, waits on all, and reads a few more.
fn held<S, T, E>(server: &mut Server, open: impl AsyncFnOnce() -> Result<Vec<S>>) -> Result<Taken>
where
    S: Stream<Item = std::result::Result<T, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    // One thread, so that what its tasks take is counted as well.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut streams: Result<Vec<S>> = Ok(Vec::new());
    let waiting = allocations(|| {
        streams = runtime.block_on(async {
            let mut streams = open().await?;
            read(&mut streams).await?;
            Ok(streams)
        });
    });
    let mut streams = streams?;
    let tasks = runtime.metrics().num_alive_tasks();
    let mut seconds = 0.0;
    let mut read_all: Result<()> = Ok(());
    let trickled = allocations(|| {
        seconds = cpu_seconds(|| read_all = (0..TICKS).try_for_each(|_| tick(server, &runtime, &mut streams)));
    });
    read_all?;
    let of_one = |bytes: i64| bytes as f64 / f64::from(STREAMS);
    Ok(Taken {
        waiting: of_one(waiting.bytes_current),
        trickled: of_one(waiting.bytes_current + trickled.bytes_current),
        tasks: tasks as f64,
        seconds: seconds / f64::from(STREAMS * TICKS),
    })
}

fn tick<S, T, E>(server: &mut Server, runtime: &Runtime, streams: &mut [S]) -> Result<()>
where
    S: Stream<Item = std::result::Result<T, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    server.tick()?;
    runtime.block_on(read(streams))
}

/// Reads one event of each, and waits for the next as long as there is none.
async fn read<S, T, E>(streams: &mut [S]) -> Result<()>
where
    S: Stream<Item = std::result::Result<T, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    for stream in &mut *streams {
        poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx))
            .await
            .ok_or("a stream ended")??;
    }
    for stream in streams {
        let more = poll_fn(|cx| Poll::Ready(pin!(&mut *stream).poll_next(cx).is_ready())).await;
        if more {
            return Err("more than an event came".into());
        }
    }
    Ok(())
}
