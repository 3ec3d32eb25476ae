//! How fast events are decoded, beside other decoders and beside a search for line ends, which is the least there is to do.
//!
//! `bench-sse [--check]` prints rows; `bench-sse work DECODER CASE CHUNK ROUNDS` decodes, for Valgrind to count.

mod decoders;
mod input;

use std::hint::black_box;

use report::{Budget, Measure, Result, Row, allocations, instructions, paired};
use stromboli::sse::Decoder;

use decoders::{FLOOR, OURS, PEERS, SSE_STREAM, decode_with};
use input::{CASES, CHUNKS, Case, Chunk};

const TABLE: &str = "sse";
const PAIRS: usize = 11;
/// Rounds that Valgrind counts, and as many again.
const ROUNDS: u32 = 1;

/// The least share of the speed of the fastest decoder, on long lines.
const LONG: f64 = 0.9;
/// How much faster than sse-stream, on tokens.
const TOKENS: f64 = 2.0;
/// The least share of the speed of a search for line ends, on long lines.
const SEARCH: f64 = 0.25;
/// The least share of the speed of shorter lines in larger chunks that longer lines and smaller chunks have.
const FLAT: f64 = 0.5;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["work", decoder, case, chunk, rounds] => work(decoder, case, chunk, rounds.parse()?),
        ["--check"] => counts(),
        [] => {
            times()?;
            flat()?;
            counts()
        }
        _ => Err("usage: bench-sse [--check]".into()),
    }
}

/// Speed beside every peer.
fn times() -> Result<()> {
    for case in CASES {
        for chunk in CHUNKS {
            let chunks = case.chunks(chunk.bytes);
            let name = format!("{}, chunks of {}", case.name, chunk.name);
            for &(peer, decode) in PEERS {
                if case.is_too_much(peer, chunk) {
                    continue;
                }
                let pair = paired(
                    PAIRS,
                    || _ = black_box((OURS.1)(black_box(&chunks))),
                    || _ = black_box(decode(black_box(&chunks))),
                );
                let mut row = pair.inverse().row(TABLE, &name, peer, Measure::Throughput);
                row.budget = least(&case, chunk, peer).map(Budget::AtLeast);
                row.print()?;
            }
        }
    }
    Ok(())
}

/// What the speed has to be beside this peer, where that is said. Chunks of one byte measure calls, and not bytes.
fn least(case: &Case, chunk: Chunk, peer: &str) -> Option<f64> {
    match peer {
        _ if chunk.bytes == 1 => None,
        FLOOR => case.long.then_some(SEARCH),
        _ if case.long => Some(LONG),
        SSE_STREAM if case.name == CASES[0].name => Some(TOKENS),
        _ => None,
    }
}

/// That a byte costs the same whatever the length of its line and of its chunk. Of all there is as much, so that the
/// input is as near to the processor. (A line that lies in one chunk is not copied, which makes it faster than the others.)
fn flat() -> Result<()> {
    let bytes = 16 << 20;
    let same = |line: &str| CASES.into_iter().find(|case| case.name == line).ok_or("no such case");
    let base = same("64 KiB lines")?.chunks_of(16 << 10, bytes);
    for line in ["64 KiB lines", "4 MiB lines"] {
        for chunk in CHUNKS.into_iter().filter(|chunk| chunk.bytes > 1) {
            let chunks = same(line)?.chunks_of(chunk.bytes, bytes);
            let (mut ours, mut theirs) = (Decoder::new(), Decoder::new());
            let pair = paired(
                PAIRS,
                || _ = black_box(decode_with(&mut ours, black_box(&chunks))),
                || _ = black_box(decode_with(&mut theirs, black_box(&base))),
            );
            let name = format!("{line}, chunks of {}", chunk.name);
            let row = pair
                .inverse()
                .row("sse-flat", &name, "64 KiB lines, chunks of 16 KiB", Measure::Throughput);
            row.budget(Budget::AtLeast(FLAT)).print()?;
        }
    }
    Ok(())
}

/// Instructions and allocations, which are the same on every machine.
fn counts() -> Result<()> {
    for case in CASES {
        for chunk in CHUNKS.into_iter().filter(|chunk| chunk.bytes == 16 << 10) {
            let name = format!("{}, chunks of {}", case.name, chunk.name);
            let count = |decoder: &str| instructions(&["work", decoder, case.name, chunk.name], ROUNDS);
            let ours = count(OURS.0)?;
            for &(peer, _) in PEERS {
                if case.is_too_much(peer, chunk) || peer == FLOOR {
                    continue;
                }
                let mut row = Row::new(TABLE, &name, peer, Measure::Instructions, ours, count(peer)?);
                row.budget = least(&case, chunk, peer).map(|least| Budget::AtMost(1.0 / least));
                row.print()?;
            }
        }
        for chunk in CHUNKS {
            let chunks = case.chunks(chunk.bytes);
            let mut decoder = Decoder::new();
            decode_with(&mut decoder, &chunks);
            let again = allocations(|| _ = black_box(decode_with(&mut decoder, &chunks)));
            let name = format!("{}, chunks of {}, not the first", case.name, chunk.name);
            let row = Row::new(
                "sse-allocations",
                &name,
                "none",
                Measure::Allocations,
                again.count_total as f64,
                0.0,
            );
            row.budget(Budget::AtMostMore(0.0)).print()?;
        }
    }
    Ok(())
}

fn work(decoder: &str, case: &str, chunk: &str, rounds: u32) -> Result<()> {
    let decode = [OURS]
        .iter()
        .chain(PEERS)
        .find(|(name, _)| *name == decoder)
        .ok_or("no such decoder")?
        .1;
    let case = CASES.iter().find(|it| it.name == case).ok_or("no such case")?;
    let chunk = CHUNKS.iter().find(|it| it.name == chunk).ok_or("no such chunks")?;
    let chunks = case.chunks(chunk.bytes);
    for _ in 0..rounds {
        black_box(decode(black_box(&chunks)));
    }
    Ok(())
}
