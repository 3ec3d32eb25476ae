//! What is true of every request.

use stromboli_emulator::{Answer, Emulator, Run};

use crate::client::{Connection, get, is_hex16, post, request};

#[tokio::test]
async fn an_unknown_route_is_a_plain_404() {
    let emulator = Emulator::start().await.unwrap();
    let mut connection = Connection::open(&emulator).await;
    connection.send("GET", "/metrics", "X-Request-ID: mine\r\n", b"").await;
    let head = connection.head().await;
    let lines: Vec<_> = head.split("\r\n").filter(|line| !line.starts_with("Date: ")).collect();
    let expected = [
        "HTTP/1.1 404 Not Found",
        "Content-Type: text/plain",
        "X-Request-Id: mine",
        "Content-Length: 18",
        "",
        "",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_wrong_method_is_a_404_too() {
    let emulator = Emulator::start().await.unwrap();
    let cases = [
        ("POST", "/health"),
        ("HEAD", "/health"),
        ("OPTIONS", "/run"),
        ("OPTIONS", "*"),
        ("GET", "/run"),
        ("PUT", "/run"),
        ("POST", "/run/stream"),
        ("DELETE", "/jobs"),
        ("POST", "/jobs/job-1"),
        ("GET", "/"),
        ("GET", "/jobs/a%2Fb"),
        ("GET", "/Health"),
        ("POST", "/sessions"),
        ("GET", "/version"),
        ("GET", "/swagger/doc.json"),
    ];
    for (method, target) in cases {
        let response = request(&emulator, method, target, "", b"").await;
        assert_eq!(response.status, 404, "{method} {target}");
        assert_eq!(response.header("content-type"), Some("text/plain"));
        let body = if method == "HEAD" { "" } else { "404 page not found" };
        assert_eq!(response.body, body, "{method} {target}");
    }
}

#[tokio::test]
async fn a_trailing_slash_redirects_to_the_route_without_it() {
    let emulator = Emulator::start().await.unwrap();
    let get = get(&emulator, "/jobs/?a=1&b=2").await;
    assert_eq!(get.status, 301);
    assert_eq!(get.header("location"), Some("/jobs?a=1&b=2"));
    assert_eq!(get.body, "<a href=\"/jobs?a=1&amp;b=2\">Moved Permanently</a>.\n\n");
    assert!(get.header("x-request-id").is_some_and(is_hex16));

    let post = post(&emulator, "/run/", r#"{"prompt":"hi"}"#).await;
    assert_eq!(post.status, 307);
    assert_eq!(post.header("location"), Some("/run"));
    assert_eq!(post.body, "");
    let delete = request(&emulator, "DELETE", "/jobs/job-1/", "", b"").await;
    assert_eq!((delete.status, delete.header("location")), (307, Some("/jobs/job-1")));

    for (method, target) in [("DELETE", "/jobs/"), ("GET", "/run/"), ("GET", "/jobs//")] {
        let response = request(&emulator, method, target, "", b"").await;
        assert_eq!(response.status, 404, "{method} {target}");
    }
}

#[tokio::test]
async fn a_malformed_escape_in_the_path_is_a_bad_request() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/jobs/%zz").await;
    assert_eq!((response.status, response.body.as_str()), (400, "400 Bad Request"));
}

#[tokio::test]
async fn every_response_carries_a_request_id() {
    let emulator = Emulator::start().await.unwrap();
    emulator.on_prompt("fail").fail(1, "");
    let cases = [
        ("GET", "/health", ""),
        ("GET", "/nowhere", ""),
        ("GET", "/health/", ""),
        ("GET", "/jobs/none", ""),
        ("POST", "/run", ""),
        ("POST", "/run", r#"{"prompt":"hi"}"#),
        ("POST", "/run", r#"{"prompt":"fail"}"#),
        ("GET", "/run/stream?prompt=hi", ""),
        ("GET", "/run/stream", ""),
    ];
    for (method, target, body) in cases {
        let own = request(&emulator, method, target, "", body.as_bytes()).await;
        assert!(own.header("x-request-id").is_some_and(is_hex16), "{method} {target}");
        let empty = request(&emulator, method, target, "X-Request-ID:\r\n", body.as_bytes()).await;
        assert!(empty.header("x-request-id").is_some_and(is_hex16), "{method} {target}");
        let header = "x-request-id: any <text> at all\r\n";
        let echoed = request(&emulator, method, target, header, body.as_bytes()).await;
        assert_eq!(
            echoed.header("x-request-id"),
            Some("any <text> at all"),
            "{method} {target}"
        );
    }
    let (first, second) = (get(&emulator, "/health").await, get(&emulator, "/health").await);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn json_has_its_content_type_and_no_header_that_the_server_lacks() {
    let emulator = Emulator::start().await.unwrap();
    for target in ["/health", "/claude/status", "/jobs", "/jobs/none"] {
        let response = get(&emulator, target).await;
        let content_type = response.header("content-type");
        assert_eq!(content_type, Some("application/json; charset=utf-8"));
        let names = ["content-length", "content-type", "date", "x-request-id"];
        assert_eq!(response.header_names(), names, "{target}");
    }
}

#[tokio::test]
async fn json_is_escaped_as_go_escapes_it() {
    let emulator = Emulator::start().await.unwrap();
    emulator
        .on_prompt("html")
        .lines(["<b>&\u{2028}\u{2029}é \"q\" \\ \u{7f}\u{1}"]);
    let response = post(&emulator, "/run", r#"{"prompt":"html"}"#).await;
    let expected = "\"output\":\"\\u003cb\\u003e\\u0026\\u2028\\u2029é \\\"q\\\" \\\\ \u{7f}\\u0001\"";
    assert!(response.body.contains(expected), "{}", response.body);
}

#[tokio::test]
async fn an_answerer_that_panics_leaves_an_empty_500_and_a_server() {
    let boom = |_: Run| -> Answer { panic!("on purpose") };
    let emulator = Emulator::builder().answerer(boom).start().await.unwrap();
    let response = post(&emulator, "/run", r#"{"prompt":"hi"}"#).await;
    assert_eq!((response.status, response.body.as_str()), (500, ""));
    assert!(response.header("x-request-id").is_some_and(is_hex16));
    assert_eq!(get(&emulator, "/health").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let emulator = Emulator::start().await.unwrap();
    let mut connection = Connection::open(&emulator).await;
    for _ in 0..3 {
        connection.send("GET", "/health", "", b"").await;
        assert_eq!(connection.response("GET").await.status, 200);
    }
}

#[tokio::test]
async fn many_headers_are_accepted_and_too_many_refused() {
    let emulator = Emulator::start().await.unwrap();
    let many: String = (0..90).map(|n| format!("X-H{n}: v\r\n")).collect();
    assert_eq!(request(&emulator, "GET", "/health", &many, b"").await.status, 200);
    let mut connection = Connection::open(&emulator).await;
    let too_many: String = (0..200).map(|n| format!("X-H{n}: v\r\n")).collect();
    connection.send("GET", "/health", &too_many, b"").await;
    assert!(connection.head().await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn what_arrived_can_be_looked_at() {
    let emulator = Emulator::start().await.unwrap();
    let body = "{\"prompt\":\"hé\"} and more";
    request(
        &emulator,
        "POST",
        "/run?x=%20y",
        "X-One: a\r\nX-Two: b\r\n",
        body.as_bytes(),
    )
    .await;
    get(&emulator, "/nowhere").await;
    let requests = emulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].target.as_str()),
        ("POST", "/run?x=%20y")
    );
    assert_eq!(requests[0].body, body.as_bytes());
    assert_eq!(requests[0].header("X-ONE"), Some("a"));
    assert_eq!(requests[0].header("x-three"), None);
    let names: Vec<_> = requests[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "content-length", "x-one", "x-two"]);
    assert_eq!(requests[1].target, "/nowhere");
}

#[tokio::test]
async fn the_last_1024_requests_are_remembered() {
    let emulator = Emulator::start().await.unwrap();
    let mut connection = Connection::open(&emulator).await;
    for number in 0..1030 {
        connection.send("GET", &format!("/{number}"), "", b"").await;
        connection.response("GET").await;
    }
    let requests = emulator.requests();
    assert_eq!(requests.len(), 1024);
    assert_eq!(
        (requests[0].target.as_str(), requests[1023].target.as_str()),
        ("/6", "/1029")
    );
    assert_eq!(emulator.wait_for(|_| true).await.requests, 1030);
}
