//! Thousands of open streams: what they cost, and that an event for all of them reaches each.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::Server;
use crate::{LATENESS, MEMORY, Result, Row, median};

/// How often it is done with each server; the median counts.
const ROUNDS: usize = 3;
/// Connections that are opened at once.
const AT_ONCE: usize = 250;
/// What takes longer hangs. No budget: those are relative.
const PATIENCE: Duration = Duration::from_secs(60);
/// Descriptors for everything else.
const SPARE: usize = 100;

/// Fails when this process may not open so many streams.
pub fn enough_files(streams: usize) -> Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").map_err(|e| format!("this runs on Linux only: {e}"))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    let needed = streams + SPARE;
    if limit == "unlimited" || limit.parse::<usize>().is_ok_and(|limit| limit >= needed) {
        return Ok(());
    }
    Err(format!("{needed} open files are needed and {limit} allowed: raise the hard limit (ulimit -Hn)").into())
}

/// What one round showed.
struct Round {
    memory: u64,
    middle: f64,
    last: f64,
}

/// Opens so many streams on each server in turns.
pub async fn measure(streams: usize) -> Result<Vec<Row>> {
    let (mut runs, mut agents, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        bare.push(held(Server::start("bare").await?, streams).await?);
        runs.push(held(Server::start("emulator").await?, streams).await?);
        agents.push(subscribed(Server::start("emulator").await?, streams).await?);
        println!("{streams} streams  round {round}/{ROUNDS} is over; every stream got its event");
    }
    let mut rows = compared(&format!("{streams} streams of runs"), &runs, &bare);
    rows.extend(compared(&format!("{streams} streams of an agent"), &agents, &bare));
    Ok(rows)
}

fn compared(what: &str, ours: &[Round], theirs: &[Round]) -> Vec<Row> {
    let of = |rounds: &[Round], value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let milliseconds = |rounds: &[Round]| {
        format!(
            "{:.0} ms, {:.0} ms",
            of(rounds, |it| it.middle) * 1e3,
            of(rounds, |it| it.last) * 1e3
        )
    };
    let most = |rounds: &[Round]| rounds.iter().map(|round| round.memory).max().unwrap_or_default();
    let lateness = of(ours, |it| it.last) / of(theirs, |it| it.last);
    vec![
        Row {
            what: format!("{what}: memory"),
            emulator: mebibytes(most(ours)),
            bare: mebibytes(most(theirs)),
            measured: mebibytes(most(ours)),
            budget: format!("≤ {}", mebibytes(MEMORY)),
            kept: most(ours) <= MEMORY,
        },
        Row {
            what: format!("{what}: an event reaches half of them, all"),
            emulator: milliseconds(ours),
            bare: milliseconds(theirs),
            measured: format!("{lateness:.2}"),
            budget: format!("≤ {LATENESS}"),
            kept: lateness <= LATENESS,
        },
    ]
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Streams of runs, each of which has sent a line and sends the next when it is released.
async fn held(mut server: Server, streams: usize) -> Result<Round> {
    let open = open(&server, "/run/stream?prompt=held", b"data: first\n\n", streams).await?;
    let memory = server.memory()?;
    let start = Instant::now();
    server.release().await?;
    reached(open, b"data: second\n\n", start, memory).await
}

/// Streams of one agent, which is then given a prompt.
async fn subscribed(server: Server, streams: usize) -> Result<Round> {
    let created = server.exchange("POST", "/agents", "{}").await?;
    let id = created
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let path = format!("/agents/{}", id.ok_or("no agent was created")?);
    let open = open(&server, &format!("{path}/stream"), b"\r\n\r\n", streams).await?;
    let memory = server.memory()?;
    let start = Instant::now();
    let sent = server
        .exchange("POST", &format!("{path}/send"), r#"{"prompt":"ping"}"#)
        .await?;
    if !sent.starts_with("HTTP/1.1 202") {
        return Err(format!("the agent did not take its prompt: {sent}").into());
    }
    reached(open, b"event: turn_start\n", start, memory).await
}

/// Opens streams of `target` and reads from each up to `mark`.
async fn open(server: &Server, target: &str, mark: &'static [u8], streams: usize) -> Result<Vec<TcpStream>> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let mut opened = Vec::with_capacity(streams);
    while opened.len() < streams {
        let mut opening = JoinSet::new();
        for _ in 0..AT_ONCE.min(streams - opened.len()) {
            let (address, request) = (server.address().to_owned(), request.clone());
            opening.spawn(async move {
                let mut socket = TcpStream::connect(address).await?;
                socket.write_all(request.as_bytes()).await?;
                read_to(&mut socket, mark).await?;
                Ok::<_, std::io::Error>(socket)
            });
        }
        while let Some(socket) = timeout(PATIENCE, opening.join_next()).await? {
            opened.push(socket??);
        }
    }
    Ok(opened)
}

/// Waits until each of the streams has sent `mark`.
async fn reached(open: Vec<TcpStream>, mark: &'static [u8], start: Instant, memory: u64) -> Result<Round> {
    let mut waiting = JoinSet::new();
    for mut socket in open {
        waiting.spawn(async move {
            read_to(&mut socket, mark).await?;
            Ok::<_, std::io::Error>((start.elapsed().as_secs_f64(), socket))
        });
    }
    let (mut times, mut sockets) = (Vec::with_capacity(waiting.len()), Vec::new());
    while let Some(read) = timeout(PATIENCE, waiting.join_next())
        .await
        .map_err(|_| "a stream was starved")?
    {
        let (time, socket) = read??;
        times.push(time);
        // To be closed later: closing is work too.
        sockets.push(socket);
    }
    Ok(Round {
        memory,
        last: times.iter().copied().fold(0.0, f64::max),
        middle: median(times),
    })
}

async fn read_to(socket: &mut TcpStream, mark: &[u8]) -> std::io::Result<()> {
    let mut read = Vec::new();
    while !read.windows(mark.len()).any(|part| part == mark) {
        if socket.read_buf(&mut read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
