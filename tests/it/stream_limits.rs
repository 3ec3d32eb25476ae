//! What a stream never does: wait in vain, gather without end, or promise what it cannot know.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt;
use stromboli::{Client, ErrorKind, RunEvent, Timeouts};

use crate::support::{Reply, SHORT, Server, Step, chunk, within};

const DONE: &str = "event: done\ndata: {\"id\":\"run-1\",\"session_id\":\"s\",\"status\":\"completed\"}\n\n";

#[tokio::test]
async fn gathered_text_is_bounded() {
    let line = chunk(format!("data: {}\n\n", "x".repeat(1000)));
    let server = Server::script([Step::Read, Step::Send(Reply::events()), Step::SendForEver(line)]).await;
    let client = Client::builder(server.url())
        .max_response_bytes(10_000)
        .build()
        .unwrap();
    let error = within(within(client.stream("hi")).await.unwrap().text())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.body().starts_with(b"xxx") && error.body().len() <= 10_000);
    assert!(error.may_have_executed());
}

#[tokio::test]
async fn gathered_text_may_be_as_large_as_the_limit() {
    let events = chunk(format!("data: 1234\n\ndata: 678\n\n{DONE}"));
    let server = Server::once([Reply::events(), events].concat()).await;
    let client = Client::builder(server.url()).max_response_bytes(9).build().unwrap();
    assert_eq!(
        within(within(client.stream("hi")).await.unwrap().text()).await.unwrap(),
        "1234\n678"
    );
}

#[tokio::test]
async fn a_refusal_after_output_is_not_taken_for_a_run_that_never_was() {
    let refusal = "event: error\ndata: session initialization in progress: session s; please retry\n\n";
    for (events, may_have_executed) in [(refusal.to_owned(), false), (format!("data: x\n\n{refusal}"), true)] {
        let server = Server::once([Reply::events(), chunk(events)].concat()).await;
        let run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
        let error = within(run.text()).await.unwrap_err();
        assert_eq!(error.may_have_executed(), may_have_executed, "{error:?}");
    }
}

#[tokio::test]
async fn an_end_that_cannot_be_read_is_kept_when_there_was_no_output() {
    let server = Server::once([Reply::events(), chunk("event: done\ndata: {\"oops\":1}\n\n")].concat()).await;
    let error = within(Client::new(server.url()).unwrap().stream("hi"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.body()), (ErrorKind::Decode, &b"{\"oops\":1}"[..]));
}

/// The server is a thread of its own: the one that the client runs on is blocked for longer than the silence may last.
#[tokio::test]
async fn what_came_while_the_process_was_held_up_is_read_before_silence_is_blamed() {
    const IDLE: Duration = Duration::from_millis(200);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, sent) = mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        assert!(socket.read(&mut head).unwrap() > 0);
        socket
            .write_all(&[Reply::events(), chunk("data: first\n\n")].concat())
            .unwrap();
        sent.recv().unwrap();
        socket.write_all(&chunk(format!("data: second\n\n{DONE}"))).unwrap();
        // Until the client has closed.
        while socket.read(&mut head).is_ok_and(|read| read > 0) {}
    });
    let client = Client::builder(&url)
        .timeouts(Timeouts::default().stream_idle(IDLE))
        .build()
        .unwrap();
    let mut run = within(client.stream("hi")).await.unwrap();
    assert_eq!(
        within(run.try_next()).await.unwrap(),
        Some(RunEvent::Output("first".into()))
    );
    {
        let mut next = std::pin::pin!(run.try_next());
        assert!(next.as_mut().now_or_never().is_none());
        send.send(()).unwrap();
        std::thread::sleep(2 * IDLE);
        assert_eq!(within(next).await.unwrap(), Some(RunEvent::Output("second".into())));
    }
    drop(run);
    drop(client);
    // The runtime must go on, or the connection would never be closed.
    within(tokio::task::spawn_blocking(|| server.join().unwrap()))
        .await
        .unwrap();
}

/// The URL of a server that sends this without a pause, from threads of its own.
fn flood(what: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, what) = (stream.unwrap(), what.clone());
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                stream.write_all(&Reply::events()).unwrap();
                while stream.write_all(&what).is_ok() {}
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_nothing_leaves_the_caller_its_time() {
    let nothings = [":\n", "\n", "id: 1\n\n"].map(|nothing| chunk(nothing.repeat(2000)));
    for nothing in nothings.into_iter().chain([chunk(":\n").repeat(2000)]) {
        let mut run = within(Client::new(flood(nothing)).unwrap().stream("hi")).await.unwrap();
        let waited = tokio::time::timeout(SHORT, run.try_next()).await;
        assert!(waited.is_err(), "{waited:?}");
    }
}
