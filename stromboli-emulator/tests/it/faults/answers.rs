//! Answers with a flaw.

use stromboli_emulator::{Emulator, Fault};

use super::{PING, PING_STREAM, STATUS, STATUS_HEAD, executed, faulty};
use crate::client::{Connection, End, exchange, get, without_date};

/// What `GET /claude/status` gives with this fault; it must have been executed, once, and have been struck.
async fn flawed(fault: Fault) -> (String, End) {
    let (emulator, injected) = faulty(fault).await;
    let answer = exchange(&emulator, "GET", "/claude/status", "").await;
    assert_eq!((executed(&emulator), injected.fired()), (vec![true], 1));
    answer
}

/// `STATUS_HEAD` with this header before its length, as a whole answer by hand has it.
fn closing_head() -> String {
    STATUS_HEAD.replace("Content-Length", "Connection: close\r\nContent-Length")
}

#[tokio::test]
async fn an_answer_written_by_hand_has_the_bytes_of_one_by_hyper() {
    for (method, target, body) in [
        ("GET", "/claude/status", ""),
        ("GET", "/nowhere", ""),
        ("HEAD", "/nowhere", ""),
        ("GET", "/jobs/", ""),
        ("POST", "/run", "{"),
        ("POST", "/run", PING),
        ("GET", PING_STREAM, ""),
        ("DELETE", "/agents/none", ""),
    ] {
        let (emulator, _) = faulty(Fault::cut_after(u64::MAX)).await;
        let (by_hand, end) = exchange(&emulator, method, target, body).await;
        assert_eq!(end, End::Closed);
        // The same numbers give the same ids.
        let (emulator, _) = faulty(Fault::cut_after(u64::MAX)).await;
        emulator.clear_faults();
        let mut connection = Connection::open(&emulator).await;
        connection
            .send(method, target, "X-Request-ID: r\r\n", body.as_bytes())
            .await;
        // It is closed by nonsense, since a request that asked for that would be answered otherwise.
        connection.raw("nonsense\r\n\r\n").await;
        let by_hyper = without_date(&connection.rest().await);
        let (by_hyper, _) = by_hyper.rsplit_once("HTTP/1.1 400 Bad Request\r\n").unwrap();
        assert_eq!(by_hand, by_hyper, "{method} {target}");
    }
}

#[tokio::test]
async fn a_cut_answer_has_so_many_bytes() {
    let whole = format!("{STATUS_HEAD}{STATUS}");
    for bytes in [1, 17, 40] {
        let (answer, end) = flawed(Fault::cut_after(bytes)).await;
        assert_eq!((answer.as_str(), end), (&whole[..bytes as usize], End::Closed));
    }
    let (answer, end) = flawed(Fault::cut_after(40).by_reset()).await;
    assert_eq!((answer.as_str(), end), (&whole[..40], End::Reset));
    assert_eq!(flawed(Fault::cut_after(0)).await, (String::new(), End::Closed));
    // The date, which has one length, is 37 bytes with its name.
    let (answer, _) = flawed(Fault::cut_after(whole.len() as u64 + 37 - 1)).await;
    assert_eq!(answer, whole[..whole.len() - 1]);
    let (answer, _) = flawed(Fault::cut_after(10_000)).await;
    assert_eq!(answer, whole);
}

#[tokio::test]
async fn a_cut_body_has_so_many_bytes() {
    for bytes in [0, 1, 26, 27, 51, 52, 1000] {
        let (answer, end) = flawed(Fault::cut_body_after(bytes)).await;
        let left = STATUS.get(..bytes as usize).unwrap_or(STATUS);
        assert_eq!((answer, end), (format!("{STATUS_HEAD}{left}"), End::Closed), "{bytes}");
    }
    let (_, end) = flawed(Fault::cut_body_after(5).by_reset()).await;
    assert_eq!(end, End::Reset);
}

#[tokio::test]
async fn a_cut_stream_breaks_off_within_a_chunk() {
    let (emulator, _) = faulty(Fault::cut_body_after(13)).await;
    let (answer, end) = exchange(&emulator, "GET", PING_STREAM, "").await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!((body, end), ("B\r\ndata: one\n\n\r\nB\r\nda", End::Closed));
    // The run is killed, as when a client goes away.
    let stats = crate::client::within(emulator.wait_for(|stats| stats.stopped == 1)).await;
    assert_eq!((stats.executions, stats.finished), (1, 0));
}

#[tokio::test]
async fn a_cut_does_not_wait_for_what_it_leaves_out() {
    let emulator = Emulator::start().await.unwrap();
    let _hold = emulator.on_prompt("slow").lines(["one", "two"]).hold_after(1);
    let target = "/run/stream?prompt=slow";
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", target, "X-Request-ID: r\r\n", b"").await;
    let head = connection.head().await;
    let event = "B\r\ndata: one\n\n";
    for fault in [
        Fault::cut_after((head.len() + event.len()) as u64),
        Fault::cut_body_after(11),
    ] {
        emulator.inject(fault.times(1));
        let (answer, end) = exchange(&emulator, "GET", target, "").await;
        assert_eq!((answer, end), (format!("{}{event}", without_date(&head)), End::Closed));
    }
}

#[tokio::test]
async fn a_length_can_be_too_great_and_too_small() {
    for (more, length) in [(10, "62"), (-10, "42"), (-1000, "0"), (i64::MAX, "9223372036854775859")] {
        let (answer, end) = flawed(Fault::wrong_length(more)).await;
        let head = STATUS_HEAD.replace("52", length);
        assert_eq!((answer, end), (format!("{head}{STATUS}"), End::Closed));
    }
    let (emulator, _) = faulty(Fault::wrong_length(-1)).await;
    let (answer, _) = exchange(&emulator, "GET", PING_STREAM, "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.ends_with(&format!("\r\nContent-Length: {}", body.len() - 1)),
        "{head}"
    );
    assert!(!head.contains("Transfer-Encoding"), "{head}");
    assert!(body.starts_with("data: one\n\ndata: two\n\nevent: done\n"), "{body}");
}

#[tokio::test]
async fn a_content_type_can_be_wrong_on_a_connection_that_is_kept() {
    let (emulator, _) = faulty(Fault::content_type("text/html")).await;
    let mut connection = Connection::open(&emulator).await;
    for _ in 0..2 {
        connection.send("GET", "/claude/status", "", b"").await;
        let response = connection.response("GET").await;
        assert_eq!(response.header("content-type"), Some("text/html"));
        assert_eq!(response.body, STATUS);
    }
    assert_eq!(executed(&emulator), [true, true]);
}

#[tokio::test]
async fn garbage_comes_in_the_place_of_the_answer() {
    let garbage = "\u{1}\u{7f}SSH-2.0\r\n\r\n";
    assert_eq!(flawed(Fault::garbage(garbage)).await, (garbage.to_owned(), End::Closed));
    assert_eq!(flawed(Fault::garbage("")).await, (String::new(), End::Closed));
    let (_, end) = flawed(Fault::garbage(garbage).by_reset()).await;
    assert_eq!(end, End::Reset);
}

#[tokio::test]
async fn garbage_comes_in_the_place_of_a_chunk() {
    let head = STATUS_HEAD.replace("Content-Length: 52", "Transfer-Encoding: chunked");
    let half = &STATUS[..26];
    for garbage in ["xyz\r\n", "-1\r\n", "FFFFFFFFFFFFFFFFF\r\n", "\r\n\r\n", "no end"] {
        let (answer, end) = flawed(Fault::garbage_chunk(garbage)).await;
        let expected = format!("{head}1A\r\n{half}\r\n{garbage}");
        assert_eq!((answer, end), (expected, End::Closed));
    }
    let (emulator, _) = faulty(Fault::garbage_chunk("zz\r\n")).await;
    let (answer, _) = exchange(&emulator, "GET", PING_STREAM, "").await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "B\r\ndata: one\n\n\r\nzz\r\n");
}

#[tokio::test]
async fn an_answer_of_http_1_0_ends_with_its_connection() {
    let (answer, end) = flawed(Fault::http_1_0()).await;
    let head = closing_head().replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!((answer, end), (format!("{head}{STATUS}"), End::Closed));
    let (emulator, _) = faulty(Fault::http_1_0()).await;
    let (answer, _) = exchange(&emulator, "GET", PING_STREAM, "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert!(
        !head.contains("Transfer-Encoding") && !head.contains("Content-Length"),
        "{head}"
    );
    assert!(body.starts_with("data: one\n\ndata: two\n\nevent: done\n"), "{body}");
    assert!(body.ends_with("}\n\n"), "{body}");
}

#[tokio::test]
async fn a_request_of_http_1_0_gets_no_chunks_by_hand_either() {
    let (emulator, _) = faulty(Fault::informational(102)).await;
    let mut connection = Connection::open(&emulator).await;
    connection.raw(format!("GET {PING_STREAM} HTTP/1.0\r\n\r\n")).await;
    let (answer, _) = connection.end().await;
    assert!(
        answer.contains("HTTP/1.0 200 OK\r\n") && !answer.contains("chunked"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_informational_head_comes_before_the_answer() {
    for (status, line) in [(103, "103 Early Hints"), (102, "102 Processing"), (199, "199 <none>")] {
        let (answer, end) = flawed(Fault::informational(status)).await;
        let expected = format!("HTTP/1.1 {line}\r\n\r\n{}{STATUS}", closing_head());
        assert_eq!((answer, end), (expected, End::Closed));
    }
}

#[tokio::test]
async fn headers_and_body_can_be_others() {
    let fault = Fault::delay_headers(std::time::Duration::ZERO)
        .header("x-request-id", "mine")
        .header("X-More", "a")
        .without_header("content-TYPE")
        .body("{}");
    let (emulator, _) = faulty(fault).await;
    let response = get(&emulator, "/claude/status").await;
    assert_eq!((response.status, response.body.as_str()), (200, "{}"));
    assert_eq!(
        response.header_names(),
        ["content-length", "date", "x-more", "x-request-id"]
    );
    assert_eq!(response.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn headers_go_out_as_they_are_told() {
    let fault = Fault::cut_after(u64::MAX)
        .header("Bad Name", "a")
        .header("X-Bell", "\u{7}")
        .header("Content-Length", "wrong")
        .without_header("Date");
    let (emulator, _) = faulty(fault).await;
    let mut connection = Connection::open(&emulator).await;
    connection
        .send("GET", "/claude/status", "X-Request-ID: r\r\n", b"")
        .await;
    let (answer, _) = connection.end().await;
    let head = STATUS_HEAD.replace(
        "Content-Length: 52\r\n",
        "Content-Length: wrong\r\nBad Name: a\r\nX-Bell: \u{7}\r\n",
    );
    assert_eq!(answer, format!("{head}{STATUS}"));
}

#[tokio::test]
async fn an_answer_is_flawed_behind_a_route_that_refuses() {
    let (emulator, _) = faulty(Fault::cut_body_after(3).on("/run")).await;
    let (answer, _) = exchange(&emulator, "POST", "/run", "{").await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"i"), "{answer}");
    assert_eq!(emulator.executions(), 0);
    exchange(&emulator, "POST", "/run", PING).await;
    assert_eq!(emulator.executions(), 1);
}
