//! A wire in front of a server: it counts its connections and hands answers on in small pieces.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// The wire; it is cut when it is dropped.
pub(crate) struct Relay {
    url: String,
    /// How many connections the client has open.
    open: Arc<watch::Sender<usize>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A wire to the server at `url`, whose answers arrive `piece` bytes at a time.
    pub(crate) async fn to(url: &str, piece: usize) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let open = Arc::new(watch::Sender::new(0));
        let counting = Arc::clone(&open);
        let accepting = tokio::spawn(async move {
            // They end with the task.
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counting.send_modify(|open| *open += 1);
                wires.spawn(relay(client, server.clone(), piece, Arc::clone(&counting)));
                while wires.try_join_next().is_some() {}
            }
        });
        Self { url, open, accepting }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the client has closed all connections.
    pub(crate) async fn closed(&self) {
        let mut open = self.open.subscribe();
        super::within(open.wait_for(|open| *open == 0)).await.unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn relay(client: TcpStream, server: String, piece: usize, open: Arc<watch::Sender<usize>>) {
    client.set_nodelay(true).unwrap();
    let server = TcpStream::connect(server).await.unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let questions = async {
        pass_on(from_client, to_server, usize::MAX).await;
        open.send_modify(|open| *open -= 1);
    };
    tokio::join!(questions, pass_on(from_server, to_client, piece));
}

/// Hands bytes on until one end closes, then closes the other.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, piece: usize) {
    let mut bytes = [0; 16 * 1024];
    // An error is the going away of either end.
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        for piece in bytes[..read].chunks(piece.min(read)) {
            if to.write_all(piece).await.is_err() {
                return;
            }
            // The client gets to see this much before there is more.
            tokio::task::yield_now().await;
        }
    }
    let _ = to.shutdown().await;
}
