//! A session's history: one page, and all of it as a stream that is pulled.

use std::pin::pin;

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use serde_json::json;
use stromboli::{Block, Client, ErrorKind, MessageStream, RetryPolicy};

use crate::support::{Reply, Request, Server, Step, within};

/// What the server allows at most on one page.
const MOST: u32 = 3;

fn parameter(request: &Request, name: &str) -> Option<u32> {
    let (_, query) = request.target.split_once('?')?;
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.parse().unwrap())
}

/// The messages `from..to` of `total` as a page.
fn page(from: u32, to: u32, total: u32, limit: u32) -> Vec<u8> {
    let message = |n| {
        let content = json!({"role": "user", "content": null});
        json!({
            "uuid": format!("m-{n}"), "type": "user", "session_id": "s-1", "timestamp": "2026-05-06T10:00:00Z",
            "content": content,
        })
    };
    let messages: Vec<_> = (from..to).map(message).collect();
    raw_page(json!(messages), total, from, limit, to < total)
}

fn raw_page(messages: serde_json::Value, total: u32, offset: u32, limit: u32, has_more: bool) -> Vec<u8> {
    let page = json!({
        "messages": messages, "total": total, "offset": offset, "limit": limit, "has_more": has_more,
    });
    Reply::new(200).json(page.to_string()).bytes()
}

/// A server that has `total` messages and clamps the limit, as a real one does.
async fn history(total: u32) -> Server {
    Server::answering(move |request| {
        let limit = parameter(request, "limit").unwrap_or(MOST).min(MOST);
        let from = parameter(request, "offset").unwrap_or(0).min(total);
        page(from, (from + limit).min(total), total, limit)
    })
    .await
}

fn client_of(server: &Server) -> Client {
    let builder = Client::builder(server.url()).retry(RetryPolicy::never());
    builder.build().unwrap()
}

fn stream_of(server: &Server) -> MessageStream {
    client_of(server).session("s-1").messages().stream()
}

/// The uuids of what a stream gives, which must end well.
async fn uuids(stream: MessageStream) -> Vec<String> {
    within(stream.map_ok(|message| message.uuid).try_collect())
        .await
        .unwrap()
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| format!("m-{n}")).collect()
}

fn offsets(server: &Server) -> Vec<Option<u32>> {
    let requests = server.requests();
    requests.iter().map(|request| parameter(request, "offset")).collect()
}

#[tokio::test]
async fn a_page_says_where_it_is_and_which_limit_the_server_took() {
    let server = history(7).await;
    let messages = client_of(&server).session("s-1").messages();
    let page = within(messages.clone().limit(2).offset(4).page()).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.offset, page.limit), (2, 7, 4, 2));
    assert!(page.has_more);

    let clamped = within(messages.clone().limit(u32::MAX).page()).await.unwrap();
    assert_eq!((clamped.items.len(), clamped.limit, clamped.offset), (3, MOST, 0));

    let beyond = within(messages.offset(u32::MAX).page()).await.unwrap();
    assert!(beyond.items.is_empty() && !beyond.has_more);
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets,
        [
            "/sessions/s-1/messages?limit=2&offset=4",
            "/sessions/s-1/messages?limit=2147483647",
            "/sessions/s-1/messages?offset=2147483647",
        ]
    );
}

#[tokio::test]
async fn a_transcript_without_messages_is_an_empty_page_and_an_empty_stream() {
    let server = Server::answering(|_| raw_page(json!(null), 0, 0, 50, false)).await;
    let page = within(client_of(&server).session("s-1").messages().page())
        .await
        .unwrap();
    assert_eq!(
        (page.items.as_slice(), page.total, page.has_more),
        ([].as_slice(), 0, false)
    );
    assert!(uuids(stream_of(&server)).await.is_empty());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_stream_gives_every_message_once_and_stops_exactly_at_the_end() {
    for total in 0..=7 {
        let server = history(total).await;
        assert_eq!(uuids(stream_of(&server)).await, numbered(0..total));
        // One page even when there is nothing, and none after the last.
        let pages = total.div_ceil(MOST).max(1);
        assert_eq!(server.requests().len(), pages as usize, "{total}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_from_what_came_when_the_server_lowers_the_limit() {
    let server = history(7).await;
    let messages = client_of(&server).session("s-1").messages();
    assert_eq!(uuids(messages.limit(100).offset(1).stream()).await, numbered(1..7));
    assert_eq!(offsets(&server), [Some(1), Some(4)]);
    for request in server.requests() {
        assert_eq!(parameter(&request, "limit"), Some(100));
    }
}

#[tokio::test]
async fn a_page_is_fetched_only_when_its_first_message_is_asked_for() {
    let server = history(5).await;
    let mut stream = stream_of(&server);
    assert_eq!(server.connections(), 0);
    for read in 1..=5 {
        assert!(within(stream.try_next()).await.unwrap().is_some());
        assert_eq!(server.requests().len(), if read <= 3 { 1 } else { 2 }, "{read}");
    }
    for _ in 0..3 {
        assert_eq!(within(stream.try_next()).await.unwrap(), None);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_history_that_grows_is_read_to_its_new_end_even_in_pages_below_the_limit() {
    let server = Server::answering(|request| match parameter(request, "offset") {
        None => page(0, 2, 3, 50),
        Some(2) => page(2, 4, 5, 50),
        Some(offset) => page(offset, 5, 5, 50),
    })
    .await;
    assert_eq!(uuids(stream_of(&server)).await, numbered(0..5));
    assert_eq!(offsets(&server), [None, Some(2), Some(4)]);
}

#[tokio::test]
async fn an_empty_page_that_promises_more_is_an_error_and_not_asked_for_again() {
    for nothing in [json!([]), json!(null)] {
        let server = Server::answering(move |request| match parameter(request, "offset") {
            None => page(0, 2, 9, 2),
            Some(offset) => raw_page(nothing.clone(), 9, offset, 2, true),
        })
        .await;
        let mut stream = stream_of(&server);
        assert!(within(stream.try_next()).await.unwrap().is_some());
        assert!(within(stream.try_next()).await.unwrap().is_some());
        let error = within(stream.try_next()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(
            !error.may_have_executed() && error.to_string().contains("offset 2"),
            "{error}"
        );
        assert_eq!(within(stream.try_next()).await.unwrap(), None);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_error_ends_a_stream_after_what_came_before_it() {
    let server = Server::answering(|request| match parameter(request, "offset") {
        None => page(0, 2, 9, 2),
        Some(_) => Reply::new(500).json(r#"{"error":"line too long"}"#).bytes(),
    })
    .await;
    let items: Vec<_> = within(stream_of(&server).collect()).await;
    assert_eq!(items.len(), 3);
    assert!(items[0].is_ok() && items[1].is_ok());
    let error = items[2].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Internal, "line too long"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_transient_error_in_the_middle_is_retried_like_that_of_any_read() {
    let server = Server::script([
        Step::Read,
        Step::Send(page(0, 2, 3, 2)),
        Step::Read,
        Step::Send(Reply::new(503).header("Retry-After", "0").bytes()),
        Step::Read,
        Step::Send(page(2, 3, 3, 2)),
    ])
    .await;
    let client = Client::new(server.url()).unwrap();
    assert_eq!(uuids(client.session("s-1").messages().stream()).await, numbered(0..3));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let server = Server::script([Step::Read, Step::Gate, Step::Send(page(0, 2, 2, 2))]).await;
    let mut stream = stream_of(&server);
    // Polled once, so that it is on its way.
    assert!(stream.try_next().now_or_never().is_none());
    server.go_on();
    assert_eq!(within(stream.try_next()).await.unwrap().unwrap().uuid, "m-0");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn dropping_a_stream_closes_the_connection_it_waits_on() {
    let server = Server::script([Step::Read, Step::UntilClosed]).await;
    let mut stream = stream_of(&server);
    {
        let mut read = pin!(stream.try_next());
        tokio::select! {
            biased;
            read = read.as_mut() => panic!("{read:?}"),
            () = server.wait_for(|seen| seen.requests == 1) => {}
        }
    }
    drop(stream);
    server.wait_for(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn a_session_without_a_transcript_is_not_found() {
    let body = r#"{"error":"session history not found: s-1"}"#;
    let server = Server::answering(move |_| Reply::new(404).json(body).bytes()).await;
    let session = client_of(&server).session("s-1");
    for error in [
        within(session.messages().page()).await.unwrap_err(),
        within(session.messages().stream().try_next()).await.unwrap_err(),
        within(session.message("m-1")).await.unwrap_err(),
    ] {
        assert!(error.is_not_found());
        assert_eq!(error.message(), "session history not found: s-1");
    }
}

#[tokio::test]
async fn history_is_made_of_the_blocks_that_live_messages_have() {
    let line = |kind, role, blocks| {
        json!({"uuid": "m", "type": kind, "session_id": "s-1", "timestamp": "2026-05-06T10:00:00.123Z",
            "content": {"role": role, "content": blocks}})
    };
    let messages = json!([
        line("user", "user", json!([{"type": "text", "text": "List the files"}])),
        line(
            "assistant",
            "assistant",
            json!([
                {"type": "thinking"},
                {"type": "tool_use", "id": "t-1", "name": "Bash", "input": {"command": "ls"}},
            ])
        ),
        line(
            "user",
            "user",
            json!([{"type": "tool_result", "tool_use_id": "t-1", "content": "main.rs", "is_error": true}])
        ),
        line(
            "assistant",
            "assistant",
            json!([{"type": "brand_new", "field": {"deep": [1]}}])
        ),
        line("file-history-snapshot", "", json!(null)),
    ]);
    let server = Server::once(raw_page(messages.clone(), 5, 0, 50, false)).await;
    let items = within(client_of(&server).session("s-1").messages().page())
        .await
        .unwrap()
        .items;

    assert_eq!(items[0].text(), "List the files");
    let [Block::Thinking(thinking), Block::ToolUse(tool)] = items[1].blocks() else {
        panic!("{items:?}")
    };
    assert_eq!((thinking.thinking.as_ref(), tool.name.as_deref()), (None, Some("Bash")));
    assert_eq!(tool.input.as_ref().unwrap().to_value().unwrap()["command"], "ls");
    let [Block::ToolResult(result)] = items[2].blocks() else {
        panic!("{items:?}")
    };
    assert!(result.is_error() && result.text() == "main.rs");
    assert!(matches!(items[3].blocks(), [Block::Unknown(_)]));
    assert!(items[4].blocks().is_empty() && items[4].text().is_empty());
    assert_eq!(serde_json::to_value(&items).unwrap(), messages);
    assert!(!format!("{items:?}").contains("main.rs"));
}
