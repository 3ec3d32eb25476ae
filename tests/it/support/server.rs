//! A server on a free loopback port that plays a script on each connection.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// What happens on a connection, one after the other; then it is closed.
#[derive(Clone)]
pub(crate) enum Step {
    /// Reads one whole request and records it.
    Read,
    /// Reads a request's head, and leaves its body to the next step.
    ReadHead,
    Send(Vec<u8>),
    /// Sends this again and again, until the client closes.
    SendForEver(Vec<u8>),
    /// Waits for [`Server::go_on`].
    Gate,
    /// Waits until the client closes.
    UntilClosed,
    /// Closes with an error, so that the client's next read or write fails.
    Reset,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(n, value)| n.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What the server has seen so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    /// Connections that the client closed while the server waited for that.
    pub(crate) closed: usize,
    /// Bytes of what is sent for ever.
    pub(crate) sent: usize,
}

type Answer = Box<dyn Fn(&Request) -> Vec<u8> + Send + Sync>;

enum Script {
    Steps(Vec<Step>),
    /// Steps for each connection in turn; further ones have those of the last.
    Each(Vec<Vec<Step>>),
    /// Answers every request, on connections that stay open.
    Answer(Answer),
}

struct Shared {
    script: Script,
    requests: Mutex<Vec<Request>>,
    seen: watch::Sender<Seen>,
    gate: Notify,
}

/// The server; it stops when it is dropped.
pub(crate) struct Server {
    url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Plays `steps` on each connection.
    pub(crate) async fn script(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::start(Script::Steps(steps.into_iter().collect())).await
    }

    /// Plays the first of `scripts` on the first connection, and so on; the last on all that follow.
    pub(crate) async fn each(scripts: impl IntoIterator<Item = Vec<Step>>) -> Self {
        Self::start(Script::Each(scripts.into_iter().collect())).await
    }

    /// Reads one request of each connection, sends `bytes` and closes.
    pub(crate) async fn once(bytes: impl Into<Vec<u8>>) -> Self {
        Self::script([Step::Read, Step::Send(bytes.into())]).await
    }

    /// Answers every request with what `answer` makes of it, on connections that stay open.
    pub(crate) async fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(Script::Answer(Box::new(answer))).await
    }

    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            script,
            requests: Mutex::default(),
            seen: watch::Sender::default(),
            gate: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            // Its connections end with the task.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let before = serving.seen.borrow().connections;
                serving.seen.send_modify(|seen| seen.connections += 1);
                connections.spawn(play(Arc::clone(&serving), stream, before));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { url, shared, accepting }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The one request that there was.
    pub(crate) fn only_request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests.remove(0)
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.seen.borrow().connections
    }

    /// Opens the gate at which a script waits, or will wait, once.
    pub(crate) fn go_on(&self) {
        self.shared.gate.notify_one();
    }

    /// Waits until it has seen what `reached` asks for.
    pub(crate) async fn wait_for(&self, reached: impl FnMut(&Seen) -> bool) {
        let mut seen = self.shared.seen.subscribe();
        super::within(seen.wait_for(reached)).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves a connection that has `before` others before it.
async fn play(shared: Arc<Shared>, mut stream: TcpStream, before: usize) {
    stream.set_nodelay(true).unwrap();
    // An error here is the client's going away, which is what some tests are about.
    let _ = match &shared.script {
        Script::Steps(steps) => play_steps(&shared, steps, &mut stream).await,
        Script::Each(scripts) => play_steps(&shared, &scripts[before.min(scripts.len() - 1)], &mut stream).await,
        Script::Answer(answer) => play_answer(&shared, answer, &mut stream).await,
    };
}

async fn play_steps(shared: &Shared, steps: &[Step], stream: &mut TcpStream) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Read => {
                read_request(shared, stream).await?;
            }
            Step::ReadHead => {
                read_head(stream).await?;
            }
            Step::Send(bytes) => stream.write_all(bytes).await?,
            Step::SendForEver(bytes) => loop {
                if let Err(gone) = stream.write_all(bytes).await {
                    shared.seen.send_modify(|seen| seen.closed += 1);
                    return Err(gone);
                }
                shared.seen.send_modify(|seen| seen.sent += bytes.len());
            },
            Step::Gate => shared.gate.notified().await,
            Step::UntilClosed => {
                // End of file or an error: either way the client is gone.
                let mut scrap = [0; 1024];
                while stream.read(&mut scrap).await.is_ok_and(|read| read > 0) {}
                shared.seen.send_modify(|seen| seen.closed += 1);
            }
            Step::Reset => stream.set_zero_linger()?,
        }
    }
    Ok(())
}

async fn play_answer(shared: &Shared, answer: &Answer, stream: &mut TcpStream) -> io::Result<()> {
    loop {
        let request = read_request(shared, stream).await?;
        stream.write_all(&answer(&request)).await?;
    }
}

/// Reads one request and records it.
async fn read_request(shared: &Shared, stream: &mut TcpStream) -> io::Result<Request> {
    let request = receive(stream).await?;
    shared.requests.lock().unwrap().push(request.clone());
    shared.seen.send_modify(|seen| seen.requests += 1);
    Ok(request)
}

/// Reads one request.
async fn receive(stream: &mut TcpStream) -> io::Result<Request> {
    let mut request = read_head(stream).await?;
    let length = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let arrived = request.body.len();
    request.body.resize(length, 0);
    stream.read_exact(&mut request.body[arrived..]).await?;
    Ok(request)
}

/// Reads a request's head, with what came of its body.
async fn read_head(stream: &mut TcpStream) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    Ok(Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes.split_off(head_end),
    })
}
