//! An emulator in a process of its own that is killed in the middle of writes: all that it acknowledged is there afterwards.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use stromboli_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::client::within;

use super::Dir;

const ROUNDS: u64 = 4;
const WRITERS: u64 = 8;
const WRITES: u64 = 25;
/// Tells the process that is to be killed where its data lie.
const DATA: &str = "STROMBOLI_TEST_DATA";

/// What the emulator has acknowledged.
enum Acknowledged {
    Secret(String),
    /// Asked for: from then on the secret may be there or not.
    Deleting(String),
    Deleted(String),
    Job(String),
    Run {
        session: String,
        prompt: String,
    },
}

#[tokio::test]
async fn a_kill_in_the_middle_of_writes_loses_nothing_acknowledged() {
    let dir = Dir::new("killed");
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut process = Process::start(dir.path());
        let (sender, mut came) = unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (url, sender, seed) = (process.url.clone(), sender.clone(), random.u64(..));
            // An error is the end of the process.
            writers.spawn(async move { write(&url, &format!("{round}-{writer}"), seed, &sender).await.is_ok() });
        }
        drop(sender);
        for _ in 0..random.u64(10..WRITERS * WRITES - 20) {
            acknowledged.push(within(came.recv()).await.unwrap());
        }
        process.kill();
        while let Some(one) = within(came.recv()).await {
            acknowledged.push(one);
        }
        let finished = writers.join_all().await;
        assert!(finished.contains(&false), "it was killed after the last write");
    }
    let process = Process::start(dir.path());
    check(&process.url, &acknowledged).await;
}

#[cfg(unix)]
#[tokio::test]
async fn when_the_disk_is_full_nothing_is_acknowledged_any_more_and_nothing_is_lost() {
    let dir = Dir::new("full");
    let process = Process::start_limited(dir.path(), 4096);
    let value = "x".repeat(100_000);
    let mut acknowledged = Vec::new();
    let error = loop {
        assert!(acknowledged.len() < 100, "the file has no limit");
        let name = format!("secret-{}", acknowledged.len());
        let secret = json!({"name": name, "value": value});
        match exchange(&process.url, "POST", "/secrets", secret).await {
            Ok(_) => acknowledged.push(Acknowledged::Secret(name)),
            Err(error) => break error.to_string(),
        }
    };
    assert!(!acknowledged.is_empty());
    assert!(
        error.starts_with("HTTP/1.1 500 ") && error.contains("emulator.redb: "),
        "{error}"
    );
    let later = exchange(&process.url, "GET", "/health", Value::Null).await;
    assert!(later.unwrap_err().to_string().contains("emulator.redb: "));
    drop(process);
    check(&Process::start(dir.path()).url, &acknowledged).await;
}

/// Not a test: the process that is killed.
#[tokio::test]
#[ignore = "only another test starts it"]
async fn emulator() {
    let Some(dir) = std::env::var_os(DATA) else { return };
    let emulator = Emulator::builder().data(dir).start().await.unwrap();
    writeln!(io::stdout(), "\n{}", emulator.url()).unwrap();
    std::future::pending::<()>().await;
}

struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(dir: &Path) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()), dir)
    }

    /// One that can write no file beyond `blocks`, as when the disk is full.
    #[cfg(unix)]
    fn start_limited(dir: &Path, blocks: u32) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ && ulimit -f {blocks} && exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(std::env::current_exe().unwrap());
        Self::spawn(shell, dir)
    }

    fn spawn(mut command: Command, dir: &Path) -> Self {
        let mut child = command
            .args(["--exact", "data::killed::emulator", "--ignored", "--nocapture"])
            .env(DATA, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let url = lines.find(|line| line.starts_with("http://"));
        Self {
            child,
            url: url.unwrap(),
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes one thing after the other, and tells of each when it is acknowledged.
async fn write(url: &str, name: &str, seed: u64, sender: &UnboundedSender<Acknowledged>) -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut secrets: Vec<String> = Vec::new();
    for number in 0..WRITES {
        let name = format!("{name}-{number}");
        let one = match random.u8(..5) {
            0 if !secrets.is_empty() => {
                let name = secrets.swap_remove(random.usize(..secrets.len()));
                sender.send(Acknowledged::Deleting(name.clone())).unwrap();
                exchange(url, "DELETE", &format!("/secrets/{name}"), Value::Null).await?;
                Acknowledged::Deleted(name)
            }
            0 | 1 => {
                exchange(url, "POST", "/secrets", json!({"name": name, "value": "hush"})).await?;
                secrets.push(name.clone());
                Acknowledged::Secret(name)
            }
            2 => {
                let accepted = exchange(url, "POST", "/run/async", json!({"prompt": name})).await?;
                Acknowledged::Job(accepted["job_id"].as_str().unwrap().to_owned())
            }
            _ => {
                let answer = exchange(url, "POST", "/run", json!({"prompt": name})).await?;
                let session = answer["session_id"].as_str().unwrap().to_owned();
                Acknowledged::Run { session, prompt: name }
            }
        };
        sender.send(one).unwrap();
    }
    Ok(())
}

async fn check(url: &str, acknowledged: &[Acknowledged]) {
    let found = async |target: String| exchange(url, "GET", &target, Value::Null).await;
    let mut secrets = HashMap::new();
    for one in acknowledged {
        match one {
            Acknowledged::Secret(name) => drop(secrets.insert(name, true)),
            Acknowledged::Deleting(name) => drop(secrets.remove(name)),
            Acknowledged::Deleted(name) => drop(secrets.insert(name, false)),
            Acknowledged::Job(id) => {
                let job = found(format!("/jobs/{id}")).await.unwrap();
                assert!(
                    ["completed", "failed"].contains(&job["status"].as_str().unwrap()),
                    "{job}"
                );
            }
            Acknowledged::Run { session, prompt } => {
                let history = found(format!("/sessions/{session}/messages")).await.unwrap();
                let said = |at: usize| history["messages"][at]["content"]["content"][0]["text"].to_string();
                assert!(said(0).contains(prompt) && said(1).contains(prompt), "{history}");
            }
        }
    }
    for (name, there) in secrets {
        assert_eq!(found(format!("/secrets/{name}")).await.is_ok(), there, "{name}");
    }
}

/// A request on a connection of its own; an error unless the whole answer comes and is a good one.
async fn exchange(url: &str, method: &str, target: &str, body: Value) -> io::Result<Value> {
    let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).await?;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close");
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    if !head.starts_with("HTTP/1.1 20") {
        return Err(io::Error::other(answer));
    }
    Ok(serde_json::from_str(body)?)
}
