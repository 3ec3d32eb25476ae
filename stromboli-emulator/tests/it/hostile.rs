//! Requests that nobody should send: each gets the answer of the real server, and the next request is answered as ever.

use stromboli_emulator::{Echo, Emulator};

use crate::client::{Connection, get, post, request};

/// Routes that read a body, and how they refuse one that cannot be read.
const BODIES: [(&str, &str, &str); 8] = [
    (
        "/run",
        r#"{"id":"","status":"error","error":"Invalid request: "#,
        r#""}"#,
    ),
    (
        "/run/async",
        r#"{"id":"","status":"error","error":"Invalid request: "#,
        r#""}"#,
    ),
    ("/auth/token", r#"{"error":"invalid request: "#, r#""}"#),
    ("/auth/refresh", r#"{"error":"invalid request: "#, r#""}"#),
    ("/secrets", r#"{"success":false,"error":""#, r#""}"#),
    ("/images/pull", r#"{"error":""#, r#""}"#),
    ("/agents", r#"{"error":""#, r#""}"#),
    ("/agents/none/send", r#"{"error":""#, r#""}"#),
];

async fn started() -> Emulator {
    let secret = "0123456789abcdef0123456789abcdef";
    Emulator::builder()
        .jwt_secret(secret)
        .api_token("t")
        .start()
        .await
        .unwrap()
}

/// A POST of someone who may do everything.
async fn send(emulator: &Emulator, target: &str, body: &[u8]) -> (u16, String) {
    let answer = request(emulator, "POST", target, "Authorization: Bearer t\r\n", body).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_400_of_every_route_in_its_shape() {
    let emulator = started().await;
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], &str); 9] = [
        (b"", "EOF"),
        (b" \n", "EOF"),
        (b"{\"a\":", "unexpected EOF"),
        (b"prompt=hi", "invalid character 'p' looking for beginning of value"),
        (
            b"\xff\xfe{\0}\0",
            "invalid character 'ÿ' looking for beginning of value",
        ),
        (b"{\"a\":01}", "invalid character '1' after object key:value pair"),
        (b"{\"a\":\"\0\"}", r"invalid character '\\x00' in string literal"),
        (
            b"{\"a\":1,}",
            r#"invalid character '}' looking for beginning of object key string"#,
        ),
        (deep.as_bytes(), "invalid character '[' exceeded max depth"),
    ];
    for (target, before, after) in BODIES {
        for (body, text) in &cases {
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]);
            let expected = (400, format!("{before}{text}{after}"));
            assert_eq!(send(&emulator, target, body).await, expected, "{target} {shown}");
        }
    }
    assert_eq!(get(&emulator, "/health").await.status, 200);
    assert_eq!(emulator.executions(), 0);
}

#[tokio::test]
async fn a_body_of_the_wrong_type_is_a_400_of_every_route_that_names_the_type() {
    let emulator = started().await;
    for (target, before, after) in BODIES {
        for (body, kind) in [("[]", "array"), ("\"hi\"", "string"), ("7", "number"), ("true", "bool")] {
            let (status, said) = send(&emulator, target, body.as_bytes()).await;
            assert_eq!(status, 400, "{target} {body}: {said}");
            let text = said.strip_prefix(before).and_then(|said| said.strip_suffix(after));
            let into = format!("json: cannot unmarshal {kind} into Go value of type ");
            assert!(
                text.is_some_and(|text| text.starts_with(&into)),
                "{target} {body}: {said}"
            );
        }
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_replaced_byte_by_byte_and_refused_where_it_names_something() {
    let emulator = Emulator::builder().answerer(Echo).start().await.unwrap();
    let body = b"{\"prompt\":\"a\xff\xfeb\xc3\"}";
    let answer = post(&emulator, "/run", body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["output"], "a\u{fffd}\u{fffd}b\u{fffd}");
    assert_eq!(emulator.requests()[0].body, body.as_slice());
    let answer = post(&emulator, "/secrets", b"{\"name\":\"a\xff\",\"value\":\"v\"}").await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    for (target, status) in [
        ("/run/stream?prompt=%ff", 200),
        ("/jobs/%ff", 404),
        ("/sessions/%ff/messages", 404),
        ("/secrets/%ff", 400),
        ("/images/%ff", 400),
        ("/images/search?q=%ff", 400),
    ] {
        assert_eq!(get(&emulator, target).await.status, status, "{target}");
    }
}

#[tokio::test]
async fn an_id_that_would_leave_its_directory_reaches_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let unknown = "404 page not found";
    let (job, agent) = (
        r#"{"id":"","status":"error","error":"job not found"}"#,
        r#"{"error":"agent: not found"}"#,
    );
    let no_image = r#"{"error":"validation error: invalid image name"}"#;
    let no_secret = r#"{"error":"validation error: invalid secret name"}"#;
    let no_session = r#"{"success":false,"error":"invalid session ID"}"#;
    let history = r#"{"error":"session history not found: .."}"#;
    let cases = [
        // One segment, whether it is written plainly or not.
        ("GET", "/jobs/..", 404, job),
        ("GET", "/jobs/%2e%2e", 404, job),
        ("DELETE", "/jobs/..", 404, job),
        ("GET", "/agents/..", 404, agent),
        ("DELETE", "/agents/..", 404, agent),
        ("GET", "/agents/../stream", 404, agent),
        ("GET", "/secrets/..", 400, no_secret),
        ("GET", "/images/..", 400, no_image),
        ("DELETE", "/sessions/..", 400, no_session),
        ("DELETE", "/sessions/..%5c..%5cetc", 400, no_session),
        ("GET", "/sessions/../messages", 404, history),
        ("GET", "/sessions/%2e%2e/messages/..", 404, history),
        // A slash separates, whether it is written plainly or not, and no segment takes another back.
        ("GET", "/jobs/../secrets", 404, unknown),
        ("GET", "/jobs/..%2fsecrets", 404, unknown),
        ("DELETE", "/sessions/..%2f..%2fetc", 404, unknown),
        ("GET", "/images/..%2F..%2Fetc%2Fpasswd", 404, unknown),
        ("GET", "/../../etc/passwd", 404, unknown),
        ("GET", "//etc/passwd", 404, unknown),
    ];
    for (method, target, status, body) in cases {
        let answer = request(&emulator, method, target, "", b"").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{method} {target}"
        );
    }
    let zero = get(&emulator, "/sessions/a%00b/messages").await;
    assert_eq!(zero.status, 404, "{}", zero.body);
    assert_eq!(
        get(&emulator, "/secrets").await.json()["secrets"][0]["name"],
        "claude-credentials"
    );
}

#[tokio::test]
async fn a_hundred_thousand_headers_are_refused_and_the_next_request_is_answered() {
    let emulator = Emulator::start().await.unwrap();
    // The first fits into the bytes that a head may have, and the second does not.
    for header in ["a: b\r\n", "X-Header: some value\r\n"] {
        let head = format!("GET /health HTTP/1.1\r\nHost: test\r\n{}\r\n", header.repeat(100_000));
        let mut connection = Connection::open(&emulator).await;
        connection.raw(head).await;
        let answer = connection.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            "{answer}"
        );
        assert!(
            answer.ends_with("\r\n\r\n431 Request Header Fields Too Large"),
            "{answer}"
        );
        assert_eq!(get(&emulator, "/health").await.status, 200);
    }
}

#[tokio::test]
async fn a_huge_body_is_read_by_every_route_that_takes_one() {
    let emulator = started().await;
    let filler = format!("{{\"unknown\":\"{}\"", "x".repeat(4 << 20));
    // What is required comes last, or not at all.
    for (target, last, status) in [
        ("/run", r#","prompt":"hi"}"#, 200),
        ("/run/async", r#","prompt":"hi"}"#, 202),
        ("/run", "}", 400),
        ("/auth/token", r#","client_id":"ci"}"#, 200),
        ("/auth/refresh", "}", 400),
        ("/secrets", r#","name":"a","value":"b"}"#, 201),
        ("/images/pull", r#","image":"python:3.12"}"#, 200),
        ("/agents", "}", 201),
        ("/agents/none/send", r#","prompt":"hi"}"#, 404),
    ] {
        let (answered, said) = send(&emulator, target, format!("{filler}{last}").as_bytes()).await;
        assert_eq!(answered, status, "{target}: {said}");
    }
    let value = format!("{{\"name\":\"big\",\"value\":\"{}\"}}", "x".repeat((1 << 20) + 1));
    let (status, said) = send(&emulator, "/secrets", value.as_bytes()).await;
    assert_eq!(status, 400, "{said}");
}
