//! The port: it listens, refuses connections for a while, or is closed for good.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::state::lock;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The longest time to wait for a port that was ours.
const KEEPING: Duration = Duration::from_secs(5);

/// Where connections come in.
pub(crate) struct Door {
    address: SocketAddr,
    send_buffer: Option<u32>,
    /// Sockets are made in this runtime, wherever a refusal ends.
    runtime: Handle,
    entrance: Mutex<Entrance>,
    /// Changes when connections that are idle shall end.
    closing: watch::Sender<()>,
}

struct Entrance {
    latch: Latch,
    /// Connections that were there when the port was shut.
    accepted: VecDeque<(TcpStream, SocketAddr)>,
    /// How many refuse connections.
    refusals: usize,
    /// Who waits for a connection.
    waiting: Option<Waker>,
}

enum Latch {
    Open(TcpListener),
    /// The port stays ours, and nobody listens.
    Shut(TcpSocket),
    Closed,
}

impl Door {
    /// Listens on `address`, whose port may be 0 for a free one.
    ///
    /// # Errors
    /// When it cannot be bound, or when this is no tokio runtime.
    pub(crate) fn open(address: SocketAddr, send_buffer: Option<u32>) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = socket(address, send_buffer)?.listen(BACKLOG)?;
        Ok(Self {
            address: listener.local_addr()?,
            send_buffer,
            runtime,
            entrance: Mutex::new(Entrance {
                latch: Latch::Open(listener),
                accepted: VecDeque::new(),
                refusals: 0,
                waiting: None,
            }),
            closing: watch::Sender::new(()),
        })
    }

    /// Where it listens, with the port that it has.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection and where it comes from; none once it is closed for good.
    pub(crate) async fn accept(&self) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        poll_fn(|cx| {
            let mut entrance = lock(&self.entrance);
            if let Some(connection) = entrance.accepted.pop_front() {
                return Poll::Ready(Some(Ok(connection)));
            }
            entrance.waiting = Some(cx.waker().clone());
            match &entrance.latch {
                Latch::Open(listener) => listener.poll_accept(cx).map(Some),
                Latch::Shut(_) => Poll::Pending,
                Latch::Closed => Poll::Ready(None),
            }
        })
        .await
    }

    /// Sees when connections that are idle shall end.
    pub(crate) fn closing(&self) -> watch::Receiver<()> {
        self.closing.subscribe()
    }

    /// Closes the port for good, at once.
    pub(crate) fn close(&self) {
        lock(&self.entrance).turn(Latch::Closed);
    }

    /// Refuses connections until what it returns is dropped, and ends those that are idle.
    ///
    /// # Errors
    /// When the port cannot be kept.
    pub(crate) fn refuse(self: &Arc<Self>) -> io::Result<Refusal> {
        let mut entrance = lock(&self.entrance);
        if let Latch::Open(listener) = &entrance.latch {
            let mut waiting = VecDeque::new();
            let mut nobody = Context::from_waker(Waker::noop());
            while let Poll::Ready(Ok(connection)) = listener.poll_accept(&mut nobody) {
                waiting.push_back(connection);
            }
            entrance.accepted.extend(waiting);
            // The port cannot be had twice, so that it is nobody's for an instant.
            entrance.turn(Latch::Closed);
            entrance.latch = Latch::Shut(self.keep()?);
        }
        entrance.refusals += 1;
        drop(entrance);
        self.closing.send_replace(());
        Ok(Refusal(Arc::clone(self)))
    }

    /// The port again, once nobody listens there any more: a process that this one is just starting has what is open here,
    /// the listener too, until it runs its own program, and no system tells when that is.
    fn keep(&self) -> io::Result<TcpSocket> {
        let end = Instant::now() + KEEPING;
        loop {
            match socket(self.address, self.send_buffer) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                kept => return kept,
            }
        }
    }

    /// One refusal less.
    fn admit(&self) {
        let mut entrance = lock(&self.entrance);
        entrance.refusals -= 1;
        if entrance.refusals > 0 {
            return;
        }
        match std::mem::replace(&mut entrance.latch, Latch::Closed) {
            Latch::Shut(socket) => {
                let _runtime = self.runtime.enter();
                // The port is ours already: this fails only with the runtime, and with it the emulator.
                if let Ok(listener) = socket.listen(BACKLOG) {
                    entrance.turn(Latch::Open(listener));
                }
            }
            other => entrance.latch = other,
        }
    }
}

impl Entrance {
    fn turn(&mut self, latch: Latch) {
        self.latch = latch;
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

/// A socket on `address` that does not listen yet; the connections will inherit its settings.
fn socket(address: SocketAddr, send_buffer: Option<u32>) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(bytes) = send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    // Connections that go on must not keep the port from being opened again. On Windows they do not, and this would let
    // others have it too.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Connections are refused until this is dropped; from
/// [`Emulator::refuse_connections`](crate::Emulator::refuse_connections).
#[must_use = "connections are accepted again when this is dropped"]
pub struct Refusal(Arc<Door>);

impl Refusal {
    /// Accepts connections again.
    pub fn release(self) {}
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.admit();
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refusal")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[tokio::test]
    async fn a_refusal_waits_for_a_starting_process_that_still_has_the_listener() {
        let door = Arc::new(Door::open(([127, 0, 0, 1], 0).into(), None).unwrap());
        let copy = match &lock(&door.entrance).latch {
            Latch::Open(listener) => listener.as_fd().try_clone_to_owned().unwrap(),
            _ => unreachable!("it was just opened"),
        };
        let refusing = {
            let door = Arc::clone(&door);
            let runtime = Handle::current();
            std::thread::spawn(move || {
                let _runtime = runtime.enter();
                door.refuse()
                    .map(|refusal| (std::net::TcpStream::connect(door.address()), refusal))
            })
        };
        // The refusal has the lock for as long as it waits.
        while door.entrance.try_lock().is_ok() && !refusing.is_finished() {
            std::thread::yield_now();
        }
        drop(copy);
        let (connected, _refusal) = refusing.join().unwrap().unwrap();
        assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
