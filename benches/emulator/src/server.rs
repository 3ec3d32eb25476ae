//! The servers under measurement, each a process of its own.

use std::process::Stdio;
use std::thread::available_parallelism;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Result;

/// A server that runs until it is dropped. It would end by itself if this process did, since its input would.
pub struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts `emulator` or `bare`, which lie beside this program.
    pub async fn start(name: &str) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name(name);
        let mut command = pinned(&program.to_string_lossy(), Side::Server);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command
            .spawn()
            .map_err(|e| format!("cannot run {}: {e}", program.display()))?;
        let output = process.stdout.take().ok_or("no output")?;
        let url = BufReader::new(output).lines().next_line().await?;
        let address = url.as_deref().and_then(|url| url.strip_prefix("http://"));
        let address = address.ok_or_else(|| format!("{name} did not say its URL"))?.to_owned();
        Ok(Self { process, address })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Releases the streams that are held.
    pub async fn release(&mut self) -> Result<()> {
        let input = self.process.stdin.as_mut().ok_or("no input")?;
        Ok(input.write_all(b"\n").await?)
    }

    /// The memory that the process holds now, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let id = self.process.id().ok_or("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))
            .map_err(|e| format!("cannot read the memory of a process, which is done on Linux only: {e}"))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = kib.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    /// The whole response to one request.
    pub async fn exchange(&self, method: &str, target: &str, body: &str) -> Result<String> {
        let mut socket = TcpStream::connect(&self.address).await?;
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {length}");
        socket.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await?;
        let mut response = String::new();
        socket.read_to_string(&mut response).await?;
        Ok(response)
    }
}

/// Who runs on which processors.
#[derive(Clone, Copy)]
pub enum Side {
    Server,
    Load,
}

/// `program`, kept to processors of its own where there are two or more and the system can do it, so that the load takes
/// nothing from the server.
pub fn pinned(program: &str, side: Side) -> Command {
    let processors = available_parallelism().map_or(1, usize::from);
    let can = std::process::Command::new("taskset")
        .arg("-V")
        .output()
        .is_ok_and(|it| it.status.success());
    if processors < 2 || !can {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.arg("-c");
    match side {
        Side::Server => command.arg("0"),
        Side::Load => command.arg(format!("1-{}", processors - 1)),
    };
    command.arg(program);
    command
}
