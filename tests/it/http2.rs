//! A proxy that speaks HTTP/2, with an HTTP client of the caller's: that of this crate never speaks it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::{Reason, server};
use http::{Request, Response};
use stromboli::{Client, ErrorKind};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{DONE, HEALTHY, drain, within};

type Sender = server::SendResponse<Bytes>;

/// Refuses runs, sends a stream of two events, and says of all else that the server is healthy.
fn answer(request: &Request<h2::RecvStream>, mut respond: Sender) -> Result<(), h2::Error> {
    let content = match request.uri().path() {
        "/run" => {
            // HTTP/2 says of this one that it may be sent again.
            respond.send_reset(Reason::REFUSED_STREAM);
            return Ok(());
        }
        "/run/stream" => ("text/event-stream", format!("data: pong\n\n{DONE}")),
        _ => ("application/json", HEALTHY.to_owned()),
    };
    let head = Response::builder().header("content-type", content.0);
    let mut body = respond.send_response(head.body(()).unwrap(), false)?;
    body.send_data(Bytes::from(content.1), true)
}

async fn serve(socket: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> Result<(), h2::Error> {
    let mut connection = server::handshake(socket).await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        seen.lock().unwrap().push(request.uri().path().to_owned());
        answer(&request, respond)?;
    }
    Ok(())
}

/// A client that speaks HTTP/2 to such a proxy, and the paths of what arrives there.
async fn proxied() -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let paths = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&paths)));
        }
    });
    let http = reqwest::Client::builder()
        .http2_prior_knowledge()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    let client = Client::builder(url).http_client(http.build().unwrap());
    (client.build().unwrap(), seen)
}

#[tokio::test]
async fn calls_and_streams_go_over_it() {
    let (client, _) = proxied().await;
    assert_eq!(within(client.health()).await.unwrap().status, "ok".into());
    let mut run = within(client.stream("ping")).await.unwrap();
    let (events, error) = drain(&mut run).await;
    assert!(error.is_none() && events.len() == 2, "{events:?} {error:?}");
}

#[tokio::test]
async fn a_run_that_it_refuses_is_not_sent_again() {
    let (client, seen) = proxied().await;
    let error = within(client.run("ping")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Connection, 1),
        "{error:?}"
    );
    assert_eq!(*seen.lock().unwrap(), ["/run"]);
}
