//! How many calls get through when many are made at once, beside bare reqwest: by the processor time of this process, since
//! what else the machine does decides more about the clock's than either client.

use std::process::ExitCode;
use std::sync::Arc;

use report::{Budget, Measure, Result, cpu_seconds, in_turns};
use rig::{Operation, Peer, Server};

/// Calls that are under way at once, and the least of bare reqwest's throughput: not below it by more than the pairs scatter,
/// and where the caches forget each call, not by more than its lines of them (docs/performance.md).
const WIDTHS: [(usize, f64); 6] = [(1, 0.95), (4, 0.95), (16, 0.95), (64, 0.95), (256, 0.95), (1_024, 0.93)];
/// Reqwest with all around it that a call of ours promises, which ours must not be below.
const BY_HAND: &str = "reqwest by hand";
/// Calls of a sample, in all.
const CALLS: usize = 4_096;
const PAIRS: usize = 31;

fn main() -> ExitCode {
    rig::main(|_| measure())
}

fn measure() -> Result<()> {
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let peer = |name| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Arc::new(Peer::named(name, &server.url())?));
    let ours = peer("stromboli")?;
    let others = [("reqwest", peer("reqwest")?), (BY_HAND, peer(BY_HAND)?)];
    for (width, least) in WIDTHS {
        let sample = |peer: &Arc<Peer>| {
            let mut made = Ok(());
            let seconds = cpu_seconds(|| made = runtime.block_on(at_once(peer, width)));
            made.map(|()| seconds)
        };
        for (name, theirs) in &others {
            // Fails here rather than in a pair, and opens the connections.
            let (first, second) = (sample(&ours)?, sample(theirs)?);
            let pair = in_turns(
                PAIRS,
                || sample(&ours).unwrap_or(first),
                || sample(theirs).unwrap_or(second),
            );
            let row = pair
                .inverse()
                .row("concurrency", &width.to_string(), name, Measure::Throughput);
            let least = if *name == BY_HAND { 1.0 } else { least };
            row.budget(Budget::AtLeast(least)).print()?;
        }
    }
    Ok(())
}

/// Makes the calls with so many under way.
async fn at_once(peer: &Arc<Peer>, width: usize) -> Result<()> {
    let callers = (0..width).map(|_| {
        let peer = peer.clone();
        tokio::spawn(async move {
            for _ in 0..CALLS / width {
                peer.call(Operation::JobGet).await?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    Ok(())
}
