//! A client with a server of its own, which makes each attempt of each call fail as planned and counts what it runs.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker, ready};

use stromboli::hooks::{Hook, RequestEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::fault::Fault;
use crate::support::{Request, receive};

/// What is planned and what came of it. One call is under way at a time, so that every attempt is that call's.
pub(super) struct Lane {
    addr: SocketAddr,
    /// Keeps the port when nobody listens.
    _reserved: TcpSocket,
    door: Mutex<Door>,
    pooled: bool,
    state: Mutex<State>,
}

/// The listener, as long as connections are not to be refused.
#[derive(Default)]
struct Door {
    listener: Option<TcpListener>,
    /// Who waits for connections.
    waiting: Option<Waker>,
}

#[derive(Default)]
struct State {
    plan: Vec<Fault>,
    /// How the attempts of the call under way ended, or will end.
    met: Vec<Fault>,
    /// Runs begun, by the number in the prompt.
    executions: HashMap<String, usize>,
}

impl Lane {
    /// A lane whose client keeps connections for the next attempt if `pooled`. One that is kept can only be reset, so it
    /// is on the other lanes that connections are refused.
    pub(super) async fn start(pooled: bool) -> (Arc<Self>, JoinHandle<()>) {
        let reserved = socket("127.0.0.1:0".parse().unwrap());
        let lane = Arc::new(Self {
            addr: reserved.local_addr().unwrap(),
            _reserved: reserved,
            door: Mutex::default(),
            pooled,
            state: Mutex::default(),
        });
        let serving = Arc::clone(&lane);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let stream = serving.accept().await;
                let lane = Arc::clone(&serving);
                connections.spawn(async move { lane.serve(stream).await });
                while connections.try_join_next().is_some() {}
            }
        });
        (lane, accepting)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(super) fn hook(self: &Arc<Self>) -> impl Hook + use<> {
        Attempts(Arc::clone(self))
    }

    /// Plans the attempts of the next call.
    pub(super) fn plan(&self, plan: Vec<Fault>) {
        let mut state = self.state.lock().unwrap();
        state.plan = plan;
        state.met.clear();
    }

    pub(super) fn met(&self) -> Vec<Fault> {
        self.state.lock().unwrap().met.clone()
    }

    pub(super) fn executions(&self, call: usize) -> usize {
        let state = self.state.lock().unwrap();
        state.executions.get(&call.to_string()).copied().unwrap_or_default()
    }

    fn fault(&self) -> Option<Fault> {
        self.state.lock().unwrap().met.last().copied()
    }

    /// Listens from now on, or refuses connections.
    fn listen(&self, listens: bool) {
        let mut door = self.door.lock().unwrap();
        if listens && door.listener.is_none() {
            door.listener = Some(socket(self.addr).listen(64).unwrap());
            door.waiting.take().into_iter().for_each(Waker::wake);
        } else if !listens {
            door.listener = None;
        }
    }

    async fn accept(&self) -> TcpStream {
        std::future::poll_fn(|context| {
            let mut door = self.door.lock().unwrap();
            door.waiting = Some(context.waker().clone());
            let Some(listener) = &door.listener else {
                return Poll::Pending;
            };
            let (stream, _) = ready!(listener.poll_accept(context)).unwrap();
            Poll::Ready(stream)
        })
        .await
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if self.fault() == Some(Fault::ResetAtOnce) && !self.pooled {
            return stream.set_zero_linger();
        }
        // The plan may change until a request begins to arrive.
        while stream.peek(&mut [0]).await? > 0 {
            let fault = self.fault().unwrap();
            if matches!(fault, Fault::ResetUnread | Fault::Refused | Fault::ResetAtOnce) {
                // A connection that is there can no longer be refused.
                *self.state.lock().unwrap().met.last_mut().unwrap() = Fault::ResetUnread;
                return stream.set_zero_linger();
            }
            let request = receive(&mut stream).await?;
            if fault.executes() {
                let mut state = self.state.lock().unwrap();
                *state.executions.entry(call_of(&request)).or_default() += 1;
            }
            stream.write_all(&fault.response(&request, self.pooled)).await?;
            match fault {
                Fault::ResetAfterRead => return stream.set_zero_linger(),
                Fault::CutInHead | Fault::CutInBody | Fault::UnderstatedLength => break,
                Fault::Slow => return stream.read_exact(&mut [0]).await.map(drop),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A socket on `addr`, which another may have that does not listen.
fn socket(addr: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(addr).unwrap();
    socket
}

/// The prompt of call 7.
pub(super) fn prompt(call: usize) -> String {
    format!("call-{call}-")
}

fn call_of(request: &Request) -> String {
    let text = format!("{}{}", request.target, String::from_utf8_lossy(&request.body));
    let (_, after) = text.split_once("call-").unwrap();
    after.split('-').next().unwrap().to_owned()
}

struct Attempts(Arc<Lane>);

impl Hook for Attempts {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        let mut state = self.0.state.lock().unwrap();
        // More attempts than planned are a fault of the client's, which the number of those that it met shows.
        let planned = state.plan.get(request.attempt as usize - 1).copied();
        let fault = planned.unwrap_or(Fault::None);
        state.met.push(fault);
        self.0.listen(fault != Fault::Refused || self.0.pooled);
    }
}
