//! `GET /run/stream`.

use serde_json::{Value, json};
use stromboli_emulator::Emulator;

use crate::client::{Connection, SESSION, get, is_hex16, is_uuid4, within};

/// The data of the last chunk, which is the `done` event.
fn done(chunk: &str) -> Value {
    let data = chunk.strip_prefix("event: done\ndata: ").unwrap();
    serde_json::from_str(data.strip_suffix("\n\n").unwrap()).unwrap()
}

#[tokio::test]
async fn a_stream_is_these_bytes() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("ping").lines(["one", "two"]);
    let mut connection = Connection::open(&emulator).await;
    let target = format!("/run/stream?prompt=ping&session_id={SESSION}");
    connection.send("GET", &target, "X-Request-ID: r\r\n", b"").await;
    let head = connection.head().await;
    let mut lines: Vec<_> = head
        .trim_end()
        .split("\r\n")
        .filter(|line| !line.starts_with("Date: "))
        .collect();
    lines[1..].sort_unstable();
    let expected = [
        "HTTP/1.1 200 OK",
        "Cache-Control: no-cache",
        "Connection: keep-alive",
        "Content-Type: text/event-stream",
        "Transfer-Encoding: chunked",
        "X-Accel-Buffering: no",
        "X-Request-Id: r",
    ];
    assert_eq!(lines, expected);
    assert_eq!(connection.chunk().await, "data: one\n\n");
    assert_eq!(connection.chunk().await, "data: two\n\n");
    let end = connection.chunk().await;
    let id = done(&end)["id"].as_str().unwrap().to_owned();
    assert!(is_hex16(id.strip_prefix("run-").unwrap()));
    let data = format!(r#"{{"id":"{id}","session_id":"{SESSION}","status":"completed"}}"#);
    assert_eq!(end, format!("event: done\ndata: {data}\n\n"));
    assert_eq!(connection.chunk().await, "");
}

#[tokio::test]
async fn a_stream_closes_the_connection_when_the_client_asks_for_it() {
    let emulator = Emulator::start().await.unwrap();
    for (header, version) in [("Connection: x, Close\r\n", "1.1"), ("", "1.0")] {
        let mut connection = Connection::open(&emulator).await;
        let target = "/run/stream?prompt=hi";
        let head = format!("GET {target} HTTP/{version}\r\nHost: test\r\n{header}\r\n");
        connection.raw(head).await;
        let answer = connection.rest().await;
        let (head, events) = answer.split_once("\r\n\r\n").unwrap();
        let connection: Vec<_> = head.split("\r\n").filter(|h| h.starts_with("Connection")).collect();
        let expected: &[_] = if version == "1.1" { &["Connection: close"] } else { &[] };
        assert_eq!(connection, expected, "{version}");
        assert!(events.contains("event: done"), "{events}");
    }
}

#[tokio::test]
async fn nothing_at_all_arrives_before_the_first_event() {
    let emulator = Emulator::start().await.unwrap();
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", "/run/stream?prompt=ping", "", b"").await;
    within(emulator.wait_for(|stats| stats.executions == 1)).await;
    assert!(connection.is_silent(&emulator).await);
    hold.release();
    assert!(connection.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(connection.chunk().await, "data: pong\n\n");
}

#[tokio::test]
async fn each_line_arrives_when_it_is_said() {
    let emulator = Emulator::start().await.unwrap();
    let rule = emulator.on_prompt("ping").lines(["one", "two"]);
    let (second, end) = (rule.hold_after(1), rule.hold_after(2));
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", "/run/stream?prompt=ping", "", b"").await;
    connection.head().await;
    assert_eq!(connection.chunk().await, "data: one\n\n");
    assert!(connection.is_silent(&emulator).await);
    second.release();
    assert_eq!(connection.chunk().await, "data: two\n\n");
    assert!(connection.is_silent(&emulator).await);
    end.release();
    assert_eq!(done(&connection.chunk().await)["status"], "completed");
}

#[tokio::test]
async fn lines_go_out_verbatim_but_for_one_carriage_return() {
    let emulator = Emulator::start().await.unwrap();
    let lines = [
        "",
        "plain\r",
        "two\r\r",
        "10%\r20%",
        "data: x",
        r#"{"a":"<b>"}"#,
        " é\t",
        "a\nb\r\n",
    ];
    emulator.on_prompt("lines").lines(lines);
    let response = get(&emulator, "/run/stream?prompt=lines").await;
    let expected = [
        "data: \n\n",
        "data: plain\n\n",
        "data: two\r\n\n",
        "data: 10%\r20%\n\n",
        "data: data: x\n\n",
        "data: {\"a\":\"<b>\"}\n\n",
        "data:  é\t\n\n",
        "data: a\n\ndata: b\n\ndata: \n\n",
    ];
    let (end, lines) = response.chunks.split_last().unwrap();
    assert_eq!(lines, expected);
    assert_eq!(done(end)["status"], "completed");
}

#[tokio::test]
async fn a_run_without_output_is_its_end() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("quiet");
    let response = get(&emulator, "/run/stream?prompt=quiet").await;
    assert_eq!(response.chunks.len(), 1);
    let end = done(&response.chunks[0]);
    assert!(is_uuid4(end["session_id"].as_str().unwrap()));
    assert_eq!(end.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn a_crash_is_done_with_crash_info() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("boom").lines(["half <"]).crash(137, "SIGKILL");
    let response = get(&emulator, &format!("/run/stream?prompt=boom&session_id={SESSION}")).await;
    let id = done(&response.chunks[1])["id"].clone();
    let expected = format!(
        "data: half <\n\nevent: done\ndata: {{\"id\":{id},\"session_id\":\"{SESSION}\",\"status\":\"crashed\",\"crash_info\":{{\"exit_code\":137,\"signal\":\"SIGKILL\",\"reason\":\"Process killed by SIGKILL\",\"partial_output\":\"half \\u003c\"}}}}\n\n"
    );
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn structured_output_is_in_the_end() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("json").lines([r#"{"structured_output":{"n":1}}"#]);
    let response = get(&emulator, "/run/stream?prompt=json").await;
    assert_eq!(done(&response.chunks[1])["structured_output"], json!({"n": 1}));
}

#[tokio::test]
async fn a_failure_is_an_error_event_of_bare_text() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("bad").fail(1, "what it said");
    let response = get(&emulator, "/run/stream?prompt=bad").await;
    assert_eq!(response.status, 200);
    let expected = "data: what it said\n\nevent: error\ndata: execution failed: exit status 1\n\n";
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn after_a_line_over_64_kib_no_output_comes() {
    let emulator = Emulator::start().await.unwrap();
    let longest = "x".repeat(65_535);
    emulator.on_prompt("fits").lines([longest.clone(), "after".to_owned()]);
    emulator
        .on_prompt("over")
        .lines([format!("{longest}x"), "after".to_owned()]);
    let fits = get(&emulator, "/run/stream?prompt=fits").await;
    assert_eq!(fits.chunks.len(), 3);
    assert_eq!(fits.chunks[0].len(), "data: \n\n".len() + 65_535);
    let over = get(&emulator, "/run/stream?prompt=over").await;
    assert_eq!(over.chunks.len(), 1);
    assert_eq!(done(&over.chunks[0])["status"], "completed");
}

#[tokio::test]
async fn what_comes_before_the_stream_is_plain_text() {
    let emulator = Emulator::start().await.unwrap();
    for target in [
        "/run/stream",
        "/run/stream?prompt=",
        "/run/stream?Prompt=x",
        "/run/stream?prompt=%z",
    ] {
        let response = get(&emulator, target).await;
        assert_eq!(response.status, 400, "{target}");
        assert_eq!(response.body, "Missing required parameter: prompt");
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let emulator = Emulator::builder().claude_configured(false).start().await.unwrap();
    assert_eq!(get(&emulator, "/run/stream").await.status, 400);
    let response = get(&emulator, "/run/stream?prompt=hi").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.body, "Claude not configured. Run 'make claude-setup' first");
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
}
