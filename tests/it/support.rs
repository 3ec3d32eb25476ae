//! What the tests share: a server that does on its socket what a script says, and the bytes it says.

mod relay;
mod reply;
mod server;

use std::future::Future;
use std::time::Duration;

use stromboli::{Client, Error, RunEvent, RunStream, Timeouts};
use tokio::net::TcpSocket;

pub(crate) use relay::Relay;
pub(crate) use reply::{LAST_CHUNK, Reply, chunk};
pub(crate) use server::{Request, Server, Step};

/// A run's reply with nothing special about it.
pub(crate) const COMPLETED: &str = r#"{"id":"run-1","status":"completed","output":"pong","session_id":"s-1"}"#;
/// The answer of a healthy server.
pub(crate) const HEALTHY: &str = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha"}"#;
/// The event that ends a stream.
pub(crate) const DONE: &str =
    "event: done\ndata: {\"id\":\"run-1\",\"session_id\":\"s-1\",\"status\":\"completed\"}\n\n";

/// Longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// A timeout that is to strike, within which nothing has to happen.
pub(crate) const SHORT: Duration = Duration::from_millis(60);
/// A timeout that is to strike after something has happened within it, on a machine with much else to do as well.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// The output of `future`, which must not hang.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// A client of `server` with these timeouts.
pub(crate) fn client_with(server: &Server, timeouts: Timeouts) -> Client {
    Client::builder(server.url()).timeouts(timeouts).build().unwrap()
}

/// The URL of a port on which nothing listens, as long as the socket lives.
pub(crate) fn deaf_port() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// The events of `run` up to its end or its first error.
pub(crate) async fn drain(run: &mut RunStream) -> (Vec<RunEvent>, Option<Error>) {
    let mut events = Vec::new();
    loop {
        match within(run.try_next()).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

/// The lines of `run`, which must end well.
pub(crate) async fn lines(run: &mut RunStream) -> Vec<String> {
    let (events, error) = drain(run).await;
    assert!(error.is_none(), "{error:?}");
    let output = |event| match event {
        RunEvent::Output(line) => Some(line),
        _ => None,
    };
    events.into_iter().filter_map(output).collect()
}
