//! What one call costs on a warm connection, beside the same call made otherwise.

use std::process::{Command, ExitCode};

use report::{Budget, Measure, Result, Row, allocations, in_turns, instructions, misses};
use rig::{Operation, Peer, Server, Side, children_seconds, own, pinned};

/// Calls of the shorter of the two runs that are compared.
const CALLS: u32 = 1_000;
/// Of a process whose time is taken, so that its start hardly counts.
const TIMED_CALLS: &str = "20000";
const PAIRS: usize = 5;

/// The most instructions of ours, as a share of bare reqwest's.
const INSTRUCTIONS: f64 = 1.05;
/// The most allocations of ours above bare reqwest's.
const ALLOCATIONS: f64 = 15.0;

const OPERATIONS: [&str; 2] = ["health", "job_get"];
const RUST: [&str; 4] = ["reqwest", BY_HAND, "hyper-util", "progenitor-client"];
/// Reqwest with all around it that a call of ours promises.
const BY_HAND: &str = "reqwest by hand";

fn main() -> ExitCode {
    rig::main(measure)
}

fn measure(arguments: &[&str]) -> Result<()> {
    let server = Server::start()?;
    let url = server.url();
    for operation in OPERATIONS {
        let count = |peer| instructions(&["call", &url, peer, operation], CALLS);
        let ours = count("stromboli")?;
        for peer in RUST {
            let row = Row::new("calls", operation, peer, Measure::Instructions, ours, count(peer)?);
            judged(row, Budget::AtMost(INSTRUCTIONS)).print()?;
        }
        let ours = allocated(&url, "stromboli", operation)?;
        for peer in RUST {
            let theirs = allocated(&url, peer, operation)?;
            let row = Row::new("calls", operation, peer, Measure::Allocations, ours, theirs);
            judged(row, Budget::AtMostMore(ALLOCATIONS)).print()?;
        }
    }
    if arguments.contains(&"--check") {
        return Ok(());
    }
    for operation in OPERATIONS {
        // What ours takes more time for than its instructions say.
        let count = |peer| misses(&["call", &url, peer, operation], CALLS);
        let ours = count("stromboli")?;
        for peer in ["reqwest", BY_HAND] {
            Row::new("calls", operation, peer, Measure::Misses, ours, count(peer)?).print()?;
        }
        let own = own()?;
        let program = |peer: &str| [&own, "call", &url, peer, operation].map(str::to_owned);
        let ours = program("stromboli");
        for peer in ["reqwest", BY_HAND] {
            timed(operation, peer, &ours, &program(peer))?.print()?;
        }
        for (peer, program) in [("Go net/http", go()?), ("Node fetch", node())] {
            if let Some(program) = program {
                let theirs = [program, vec![url.clone(), operation.to_owned()]].concat();
                let row = timed(operation, peer, &ours, &theirs)?;
                // Instead of the Go SDK, which stands on it and cannot be had: the module proxy refuses it.
                let row = if peer.starts_with("Go") {
                    row.budget(Budget::AtMost(1.0))
                } else {
                    row
                };
                row.print()?;
            }
        }
    }
    Ok(())
}

/// The processor time of two programs that make the same calls.
fn timed(operation: &str, peer: &str, ours: &[String], theirs: &[String]) -> Result<Row> {
    let run = |program: &[String]| {
        let mut command = pinned(&program[0], Side::Load);
        children_seconds(command.args(&program[1..]).arg(TIMED_CALLS))
    };
    // Fails here rather than in a pair.
    let (first, second) = (run(ours)?, run(theirs)?);
    let pair = in_turns(PAIRS, || run(ours).unwrap_or(first), || run(theirs).unwrap_or(second));
    Ok(pair.row("calls", operation, peer, Measure::Time))
}

/// The budget is set beside bare reqwest; the other peers are there to see.
fn judged(row: Row, budget: Budget) -> Row {
    if row.peer == "reqwest" { row.budget(budget) } else { row }
}

/// The allocations of one call, in the mean of some.
fn allocated(url: &str, peer: &str, operation: &str) -> Result<f64> {
    const WARM: u32 = 10;
    const COUNTED: u32 = 100;
    let operation = Operation::named(operation).ok_or("no such operation")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let peer = Peer::named(peer, url)?;
    let calls = |count| {
        runtime.block_on(async {
            for _ in 0..count {
                peer.call(operation).await?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    };
    calls(WARM)?;
    let mut made = Ok(());
    let counted = allocations(|| made = calls(COUNTED));
    made?;
    Ok(counted.count_total as f64 / f64::from(COUNTED))
}

/// How to call a program in Go, if that is here.
fn go() -> Result<Option<Vec<String>>> {
    if !answers("go", "version") {
        eprintln!("bench: no Go here, so it is not compared with");
        return Ok(None);
    }
    let program = own()?.replace("bench-calls", "bench-calls-go");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
    let built = Command::new("go")
        .args(["build", "-o", &program, "calls.go"])
        .current_dir(source)
        .status()?;
    if built.success() {
        Ok(Some(vec![program]))
    } else {
        Err("go build failed".into())
    }
}

/// How to call one in Node, if that is here.
fn node() -> Option<Vec<String>> {
    if !answers("node", "--version") {
        eprintln!("bench: no Node here, so it is not compared with");
        return None;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/calls.mjs");
    Some(vec!["node".to_owned(), source.to_owned()])
}

fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|it| it.status.success())
}
