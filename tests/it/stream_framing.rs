//! The bytes of a stream: line ends, cuts between chunks, text that is none.

use stromboli::{Client, RunEvent};

use crate::support::{DONE, Reply, Server, drain, lines, within};

/// Holds that a stream with this body, which ends well, has these lines, in pieces of every one of `sizes` bytes.
async fn assert_lines(body: impl AsRef<[u8]>, sizes: &[usize], expected: &[&str]) {
    let body = [body.as_ref(), DONE.as_bytes()].concat();
    // Each chunk of HTTP reaches the decoder as a piece of its own, however TCP cuts. The prompt is the size.
    let server = Server::answering(move |request| {
        let (_, size) = request.target.split_once("prompt=").unwrap();
        let reply = Reply::new(200).body("text/event-stream", body.clone());
        reply.in_chunks(size.parse().unwrap())
    })
    .await;
    let client = Client::new(server.url()).unwrap();
    for size in sizes {
        let mut run = within(client.stream(size.to_string())).await.unwrap();
        assert!(lines(&mut run).await == expected, "in pieces of {size} bytes");
    }
}

const SOME: [usize; 6] = [1, 2, 3, 7, 16, 4096];

#[tokio::test]
async fn a_carriage_return_within_a_line_is_part_of_it() {
    assert_lines("data: 10%\r20%\r30%\n\n", &SOME, &["10%\r20%\r30%"]).await;
    assert_lines("data: \r\r50%\n\n", &SOME, &["\r\r50%"]).await;
    let looks_like_events = "data: a\r\revent: done\rdata: {}\r\r\n\n";
    assert_lines(looks_like_events, &SOME, &["a\r\revent: done\rdata: {}\r"]).await;
}

#[tokio::test]
async fn line_ends_may_be_carriage_return_and_line_feed() {
    let body = "data: one\r\n\r\ndata: \r\n\r\nevent: message\r\ndata: two\r\n\r\n";
    assert_lines(body, &SOME, &["one", "", "two"]).await;
}

#[tokio::test]
async fn events_may_be_cut_anywhere() {
    let body =
        "data: one\n\ndata: \n\n: comment\nid: 7\nretry: 10\ndata: zwei é 🦀\n\ndata: a\ndata: b\n\ndata:three\n\n";
    let sizes: Vec<usize> = (1..=body.len()).collect();
    assert_lines(body, &sizes, &["one", "", "zwei é 🦀", "a\nb", "three"]).await;
}

#[tokio::test]
async fn bytes_that_are_no_text_become_replacement_characters() {
    assert_lines(b"data: a\xffb\xc3\n\n", &SOME, &["a\u{fffd}b\u{fffd}"]).await;
}

#[tokio::test]
async fn output_that_looks_like_json_or_like_a_field_stays_text() {
    let printed = "data: {\"type\":\"result\"}\n\ndata: data: x\n\ndata: event: done\n\ndata:  indented\n\n";
    let expected = ["{\"type\":\"result\"}", "data: x", "event: done", " indented"];
    assert_lines(printed, &SOME, &expected).await;
}

#[tokio::test]
async fn a_line_of_ten_mebibytes_arrives() {
    let line = "x".repeat(10 * 1024 * 1024);
    assert_lines(format!("data: {line}\n\n"), &[64 * 1024], &[&line]).await;
}

#[tokio::test]
async fn a_stream_may_end_with_its_length_or_its_connection() {
    let body = ["data: one\n\n", DONE].concat();
    let with_length = Reply::new(200).body("text/event-stream", body.clone()).bytes();
    let until_close = format!("HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}").into_bytes();
    for reply in [with_length, until_close] {
        let server = Server::once(reply).await;
        let mut run = within(Client::new(server.url()).unwrap().stream("hi")).await.unwrap();
        let (events, error) = drain(&mut run).await;
        assert!(error.is_none(), "{error:?}");
        assert!(
            matches!(events.as_slice(), [RunEvent::Output(_), RunEvent::Done(_)]),
            "{events:?}"
        );
    }
}
