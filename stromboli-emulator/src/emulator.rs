//! The handle on a running emulator.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::answer::Answerer;
use crate::builder::Builder;
use crate::door::{Door, Refusal};
use crate::fault::Fault;
use crate::faults::Injected;
use crate::observe::{Received, Stats};
use crate::scripted::Rule;
use crate::server;
use crate::settings::Settings;
use crate::state::State;
use crate::store::{self, Contents, Writer};

/// A running emulator. Dropping it closes its port and its connections and ends its runs; with a
/// [data directory](Builder::data) it waits until that is written.
pub struct Emulator {
    url: String,
    state: Arc<State>,
    door: Arc<Door>,
    /// Everything that the emulator spawned ends when this is dropped.
    _alive: watch::Sender<()>,
    /// The data directory, which is free again when this is dropped.
    _writer: Option<Writer>,
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

    pub(crate) async fn bind(
        address: SocketAddr,
        settings: Settings,
        answerer: Box<dyn Answerer>,
        seed: Option<u64>,
    ) -> io::Result<Self> {
        let door = Arc::new(Door::open(address, settings.send_buffer)?);
        let url = format!("http://{}", reachable(door.address()));
        let (alive, stop) = watch::channel(());
        let (store, writer, kept) = match &settings.data {
            Some(dir) => {
                let (store, writer, kept) = store::open(dir).await?;
                (Some(store), Some(writer), kept)
            }
            None => (None, None, Contents::default()),
        };
        let state = Arc::new(State::new(settings, answerer, seed, stop, store, kept));
        state.settle().await.map_err(io::Error::other)?;
        server::spawn(Arc::clone(&state), Arc::clone(&door));
        Ok(Self {
            url,
            state,
            door,
            _alive: alive,
            _writer: writer,
        })
    }

    /// Where this machine reaches it, `http://127.0.0.1:PORT` unless it was given another address.
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

    /// Makes something go wrong from now on, until it is used up or [cleared](Self::clear_faults).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// use stromboli_emulator::Fault;
    ///
    /// let busy = emulator.inject(Fault::status(429).times(2).on("/run"));
    /// // … let the program under test send a run …
    /// println!("{} of its requests were refused", busy.fired());
    /// # Ok(()) }
    /// ```
    pub fn inject(&self, fault: Fault) -> Injected {
        self.state.faults.inject(fault)
    }

    /// Injects no fault any more; one that strikes already goes on.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// Refuses connections until what it returns is released or dropped, as when the server is down: nobody listens on
    /// the port. Connections that are idle are closed, others when their request is answered. The system refuses by
    /// itself, so that refused connections cannot be counted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// let down = emulator.refuse_connections()?;
    /// // … see how the program under test does without a server …
    /// down.release();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the system does not let the port be kept; the emulator is not reachable any more then.
    pub fn refuse_connections(&self) -> io::Result<Refusal> {
        self.door.refuse()
    }

    /// The last 1,024 requests, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.state.received()
    }
}

/// All addresses of a machine are no place to connect to; its loopback is among them.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
impl Drop for Emulator {
    fn drop(&mut self) {
        // The accepting task ends only when the runtime gets to it; the port must be closed now.
        self.door.close();
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
