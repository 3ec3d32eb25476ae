//! The server's process, and the programs that are measured as a whole.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use crate::Result;

/// Who runs on which processors.
#[derive(Clone, Copy)]
pub enum Side {
    /// What is asked.
    Server,
    /// Who asks.
    Load,
}

/// This program as a server in a process of its own, until it is dropped.
pub struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts this program with the argument `serve`, which has to call [`serve`](crate::serve).
    ///
    /// # Errors
    /// When it cannot be started or does not say its port.
    pub fn start() -> Result<Self> {
        let mut command = pinned(&own()?, Side::Server);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| "the server did not say its port")?;
        Ok(Self { process, port })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.url_at(1)
    }

    /// Where it is as well: all of 127.0.0.0/8 is this machine.
    pub fn url_at(&self, host: u8) -> String {
        format!("http://127.0.0.{host}:{}", self.port)
    }

    /// Every held stream sends an event.
    ///
    /// # Errors
    /// When the server has ended.
    pub fn tick(&mut self) -> Result<()> {
        Ok(self.process.stdin.as_mut().ok_or("no input")?.write_all(b"\n")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// This program's path.
///
/// # Errors
/// When the system does not know it.
pub fn own() -> Result<String> {
    Ok(std::env::current_exe()?.to_string_lossy().into_owned())
}

/// `program`, kept to processors of its own where there are two or more and the system can do it.
pub fn pinned(program: &str, side: Side) -> Command {
    let processors = available_parallelism().map_or(1, usize::from);
    let can = Command::new("taskset")
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

/// Runs `command` to its end, and gives the processor time that it took, in seconds.
///
/// # Errors
/// When it cannot be started or fails.
pub fn children_seconds(command: &mut Command) -> Result<f64> {
    let before = waited_for()?;
    let output = command.output().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed: {said}").into());
    }
    Ok(waited_for()? - before)
}

/// The processor time of all children that have ended and were waited for.
fn waited_for() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|e| format!("this runs on Linux only: {e}"))?;
    // The name of the program may hold anything, and ends with the last parenthesis; fields are counted from 3 after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|it| it.parse::<u32>().ok());
    let (user, system) = (ticks(16).ok_or("no cutime")?, ticks(17).ok_or("no cstime")?);
    // USER_HZ is 100 on every Linux that Rust runs on.
    Ok(f64::from(user + system) / 100.0)
}
