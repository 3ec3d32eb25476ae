//! A server that does no more than it must: fixed bytes for a few paths, written in one piece each. It runs in a process
//! of its own, so that nothing of it is in what is measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Result;

/// The answer to `GET /health`, as servers send it.
pub const HEALTH: &str = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha","components":[{"name":"podman","status":"ok"},{"name":"claude-credentials-file","status":"ok"},{"name":"claude-credentials-secret","status":"ok"}]}"#;

/// The answer to `GET /jobs/{id}`: a job that has ended, with 1 KiB of output.
pub const JOB: &str = include_str!("job.json");

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\nX-Request-ID: 0123456789abcdef\r\nTransfer-Encoding: chunked\r\n\r\n";
const DONE: &str = "event: done\ndata: {\"id\":\"run-0123456789abcdef\",\"session_id\":\"01234567-89ab-4def-8123-456789abcdef\",\"status\":\"completed\"}\n\n";
/// Until a client that has sent its request surely waits.
const SETTLE: Duration = Duration::from_millis(2);
/// One line of output, as models print it.
const LINE: &str = "data: The quick brown fox jumps over the lazy dog, and then\n\n";

/// Serves on a free port of all loopback addresses until the standard input ends. Each line of that input is a tick,
/// upon which every held stream sends an event. Prints its port first.
///
/// # Errors
/// When no socket can be had.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // All of 127.0.0.0/8: thousands of connections need more ports than one address has.
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind("0.0.0.0:0".parse()?)?;
        let listener = socket.listen(4096)?;
        println!("{}", listener.local_addr()?.port());
        let (tick, ticks) = watch::channel(0_u64);
        tokio::spawn(accept(listener, ticks));
        let mut lines = BufReader::new(stdin()).lines();
        while lines.next_line().await?.is_some() {
            tick.send_modify(|count| *count += 1);
        }
        Ok(())
    })
}

async fn accept(listener: TcpListener, ticks: watch::Receiver<u64>) {
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let ticks = ticks.clone();
        tokio::spawn(async move {
            // A client that goes away is the usual end.
            let _ = connection(socket, ticks).await;
        });
    }
}

async fn connection(mut socket: TcpStream, mut ticks: watch::Receiver<u64>) -> std::io::Result<()> {
    let json = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-ID: 0123456789abcdef\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let (health, job) = (json(HEALTH), json(JOB));
    let mut read = Vec::with_capacity(1024);
    loop {
        read.clear();
        // No request here has a body, and no client sends the next one before its answer.
        while !read.ends_with(b"\r\n\r\n") {
            if socket.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        }
        let path = read.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        match path {
            b"/health" => socket.write_all(health.as_bytes()).await?,
            path if path.starts_with(b"/jobs/") => socket.write_all(job.as_bytes()).await?,
            path if path.starts_with(b"/run/stream?prompt=held") => held(&mut socket, &mut ticks).await?,
            path if path.starts_with(b"/run/stream?prompt=timed") => timed(&mut socket).await?,
            _ => {
                socket
                    .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    .await?
            }
        }
    }
}

/// A stream that sends a line at once and one at each tick, and ends when the client does.
async fn held(socket: &mut TcpStream, ticks: &mut watch::Receiver<u64>) -> std::io::Result<()> {
    ticks.borrow_and_update();
    socket
        .write_all(format!("{STREAM_HEAD}{}", chunk(LINE)).as_bytes())
        .await?;
    let line = chunk(LINE);
    let mut nothing = [0];
    loop {
        tokio::select! {
            changed = ticks.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                socket.write_all(line.as_bytes()).await?;
            }
            // A client that waits sends nothing: what can be read is its end.
            _ = socket.read(&mut nothing) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// A stream of two lines, each of which says when it was sent: the first together with the head, as servers send it.
async fn timed(socket: &mut TcpStream) -> std::io::Result<()> {
    tokio::time::sleep(SETTLE).await;
    socket
        .write_all(format!("{STREAM_HEAD}{}", chunk(&format!("data: {}\n\n", now()))).as_bytes())
        .await?;
    tokio::time::sleep(SETTLE).await;
    socket
        .write_all(chunk(&format!("data: {}\n\n", now())).as_bytes())
        .await?;
    tokio::time::sleep(SETTLE).await;
    socket.write_all(format!("{}0\r\n\r\n", chunk(DONE)).as_bytes()).await
}

fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// Nanoseconds that another process of this machine can compare.
fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}
