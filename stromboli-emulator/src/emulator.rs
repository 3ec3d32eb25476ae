//! The handle on a running emulator.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use crate::answer::Answerer;
use crate::builder::Builder;
use crate::observe::{Received, Stats};
use crate::scripted::Rule;
use crate::server::{self, Listener};
use crate::settings::Settings;
use crate::state::{State, lock};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A running emulator. Dropping it closes its port and its connections and ends its runs.
pub struct Emulator {
    url: String,
    state: Arc<State>,
    listener: Listener,
    /// Everything that the emulator spawned ends when this is dropped.
    _alive: watch::Sender<()>,
}

impl Emulator {
    /// Starts an emulator with the default settings on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Chooses settings first.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn bind(settings: Settings, answerer: Box<dyn Answerer>, seed: Option<u64>) -> io::Result<Self> {
        let listener = listen(&settings)?;
        let url = format!("http://{}", listener.local_addr()?);
        let listener = Arc::new(Mutex::new(Some(listener)));
        let (alive, stop) = watch::channel(());
        let state = Arc::new(State::new(settings, answerer, seed, stop));
        server::spawn(Arc::clone(&state), Arc::clone(&listener));
        Ok(Self {
            url,
            state,
            listener,
            _alive: alive,
        })
    }

    /// Where it listens, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Scripts the answer to the prompts that contain `part`. The newest rule that matches counts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// emulator.on_prompt("").reply("I can do only one thing");
    /// emulator.on_prompt("ping").reply("pong");
    /// emulator.on_prompt("crash").lines(["working"]).crash(137, "SIGKILL");
    /// # Ok(()) }
    /// ```
    pub fn on_prompt(&self, part: impl Into<String>) -> Rule<'_> {
        self.state.scripted.add(part.into())
    }

    /// Runs and turns of agents begun so far.
    pub fn executions(&self) -> u64 {
        self.state.stats().executions
    }

    /// Runs killed so far because the client went away.
    pub fn stopped(&self) -> u64 {
        self.state.stats().stopped
    }

    /// Waits until the counts satisfy `reached`, and returns them. Waits for ever if they never do.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// emulator.wait_for(|stats| stats.stopped == 0).await;
    /// # Ok(()) }
    /// ```
    pub async fn wait_for(&self, reached: impl FnMut(&Stats) -> bool) -> Stats {
        self.state.wait_for(reached).await
    }

    /// Sets the server's clock forward: tokens expire, rate limits recover, old jobs are removed. What waits already is
    /// not shortened, such as the timeout of a run; nor do agents idle the faster.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # use std::time::Duration;
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// emulator.advance_clock(Duration::from_secs(24 * 60 * 60));
    /// # Ok(()) }
    /// ```
    pub fn advance_clock(&self, by: Duration) {
        self.state.clock.advance(by);
    }

    /// Puts a session there whose conversation is `transcript`: JSON lines in the form in which Claude Code keeps them on
    /// disk. It lies where runs find it that have the working directory of its first line with a `cwd`, or else
    /// `/workspace`. Claude Code resumes only sessions whose ids are UUIDs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// let id = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";
    /// let line = r#"{"type":"user","uuid":"1","message":{"role":"user","content":"hi"}}"#;
    /// emulator.add_session(id, line);
    /// # Ok(()) }
    /// ```
    pub fn add_session(&self, id: impl Into<String>, transcript: &str) {
        self.state.sessions.put(id.into(), transcript);
    }

    /// The transcript of a session as it would lie on disk, once a run has written one.
    pub fn transcript(&self, session_id: &str) -> Option<String> {
        self.state.sessions.transcript(session_id)
    }

    /// The value of a secret, which the server itself never tells.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.state.secrets.get(name).map(|secret| secret.value)
    }

    /// Breaks the connections of all agent streams that are open, as a proxy does that is restarted; the agents go on.
    pub fn close_streams(&self) {
        self.state.agents.cut_streams();
    }

    /// The last 1,024 requests, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.state.received()
    }
}

/// A socket that listens on a free loopback port; the connections inherit its settings.
fn listen(settings: &Settings) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    if let Some(bytes) = settings.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The accepting task ends only when the runtime gets to it; the port must be closed now.
        lock(&self.listener).take();
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
