//! What an error says of a response: the same for every operation, whatever the body.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stromboli::{Client, Error, ErrorKind, RetryPolicy};

use crate::calls::{IDS, call};
use crate::support::{Reply, Server, within};

/// The operations that change nothing, so that it is harmless to carry one out twice.
const READS: [&str; 16] = [
    "auth_validate",
    "jobs_list",
    "job_get",
    "sessions_list",
    "session_messages",
    "session_message",
    "secrets_list",
    "secret_get",
    "images_list",
    "image_get",
    "images_search",
    "agents_list",
    "agent_get",
    "agent_stream",
    "health",
    "claude_status",
];

const STATUSES: [u16; 23] = [
    203, 301, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 418, 422, 429, 431, 500, 502, 503, 504, 599, 600, 999,
];

const WORDS: &str = "no, for a reason";

/// Bodies with their content type, and whether the server's words are in them.
fn bodies() -> Vec<(&'static str, Vec<u8>, bool)> {
    let json = "application/json; charset=utf-8";
    vec![
        (json, format!(r#"{{"error":"{WORDS}"}}"#).into(), true),
        (
            json,
            format!(r#"{{"id":"","status":"error","error":"{WORDS}"}}"#).into(),
            true,
        ),
        (
            json,
            format!(r#"{{"success":false,"error":"{WORDS}","name":"n"}}"#).into(),
            true,
        ),
        (json, format!(r#"{{"sessions":null,"error":"{WORDS}"}}"#).into(), true),
        ("text/plain", format!("{WORDS}\n").into(), true),
        ("text/html", "<html>\n<body>\nDUMP".into(), false),
        (json, Vec::new(), false),
        (json, r#"{"error":{"DUMP":[]}}"#.into(), false),
        (json, r#"["DUMP"]"#.into(), false),
        (json, "DUMP\r\n".repeat(1024 * 1024 / 6).into(), false),
        ("text/plain", b"\xff\xfeDUMP".to_vec(), false),
    ]
}

/// A client of `server` that sends every call once.
pub(crate) fn client_of(server: &Server) -> Client {
    let builder = Client::builder(server.url()).retry(RetryPolicy::never());
    builder.build().unwrap()
}

/// What `operation` makes of this response.
pub(crate) async fn error_of(operation: &str, reply: Reply) -> Error {
    let server = Server::once(reply.bytes()).await;
    call(&client_of(&server), operation).await.expect_err(operation)
}

fn kind_of(operation: &str, status: u16) -> ErrorKind {
    match (operation, status) {
        ("image_get", 404) => return ErrorKind::ImageNotFound,
        ("image_pull", 500) => return ErrorKind::ImagePullFailed,
        ("secret_create", 409) => return ErrorKind::SecretExists,
        ("agent_send", 409) => return ErrorKind::AgentBusy,
        ("agent_send", 410) => return ErrorKind::AgentExited,
        _ => {}
    }
    match status {
        203 | 600 | 999 => ErrorKind::Decode,
        301 => ErrorKind::Redirect,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        413 | 431 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        502 | 503 => ErrorKind::Unavailable,
        400 | 405 | 415 | 418 | 422 => ErrorKind::BadRequest,
        500 | 599 => ErrorKind::Internal,
        _ => unreachable!("{status}"),
    }
}

#[tokio::test]
async fn every_unwanted_response_is_an_error_that_tells_all_and_dumps_nothing() {
    // One server and one client for all, because making a client takes longer than a call.
    let next = Arc::new(Mutex::new(Vec::new()));
    let answer = Arc::clone(&next);
    let server = Server::answering(move |_| answer.lock().unwrap().clone()).await;
    let client = client_of(&server);
    for (content_type, body, has_words) in bodies() {
        for status in STATUSES {
            let reply = Reply::new(status).header("Retry-After", "7").header("X-Mine", "kept");
            *next.lock().unwrap() = reply.body(content_type, body.clone()).bytes();
            for operation in IDS {
                let error = call(&client, operation).await.expect_err(operation);
                let context = format!("{operation} {status} {content_type} {error:?}");

                assert_eq!(error.kind(), kind_of(operation, status), "{context}");
                assert_eq!(error.code(), error.kind().code(), "{context}");
                assert!(!error.code().is_empty(), "{context}");
                assert_eq!(error.status().map(|s| s.as_u16()), Some(status), "{context}");
                assert_eq!(error.request_id(), Some("req-1"), "{context}");
                assert_eq!(error.headers()["x-mine"], "kept", "{context}");
                assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{context}");
                assert_eq!(error.body(), &body[..body.len().min(64 * 1024)], "{context}");
                assert_eq!(error.attempts(), 1, "{context}");
                assert!(error.reply().is_none(), "{context}");

                let decided = status == 203 || status == 408 || status >= 500;
                let executed = decided && !READS.contains(&operation);
                assert_eq!(error.may_have_executed(), executed, "{context}");

                let shown = error.to_string();
                if has_words && status >= 400 {
                    assert_eq!(error.message(), WORDS, "{context}");
                    assert_eq!(shown, format!("{operation} failed with status {status}: {WORDS}"));
                }
                assert!(!error.message().is_empty(), "{context}");
                for text in [shown, format!("{error:?}")] {
                    assert!(!text.contains("DUMP") && !text.contains(['\n', '\r']), "{text}");
                    assert!(text.len() < 1000, "{text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn display_is_lower_case_and_has_no_period() {
    for status in STATUSES {
        let shown = error_of("health", Reply::new(status)).await.to_string();
        assert_eq!(shown.chars().next().map(char::is_lowercase), Some(true), "{shown}");
        assert!(!shown.ends_with('.'), "{shown}");
    }
}

#[tokio::test]
async fn predicates_agree_with_the_status() {
    for status in STATUSES {
        let error = error_of("job_get", Reply::new(status)).await;
        assert_eq!(error.is_not_found(), matches!(status, 404 | 410));
        assert_eq!(error.is_unauthorized(), status == 401);
        assert_eq!(error.is_rate_limited(), status == 429);
        assert_eq!(error.is_timeout(), matches!(status, 408 | 504));
        assert!(!error.is_connect() && !error.is_agent_failed());
    }
}

#[tokio::test]
async fn a_wait_is_told_in_whichever_form_it_came() {
    for (name, value, wait) in [
        ("Retry-After", "3", Some(Duration::from_secs(3))),
        ("Retry-After", "0", Some(Duration::ZERO)),
        ("retry-after-ms", "250", Some(Duration::from_millis(250))),
        ("Retry-After", "Wed, 06 May 2020 11:00:00 GMT", Some(Duration::ZERO)),
        ("Retry-After", "soon", None),
        ("Retry-After", "-1", None),
        ("Retry-After", "", None),
        ("Retry-After", "99999999999999999999999", None),
    ] {
        let error = error_of("run_sync", Reply::new(429).header(name, value)).await;
        assert!(error.is_rate_limited());
        assert_eq!(error.retry_after(), wait, "{name}: {value}");
    }
    assert_eq!(error_of("run_sync", Reply::new(429)).await.retry_after(), None);
}

#[tokio::test]
async fn the_words_of_a_refusal_count_only_with_the_statuses_that_servers_send_them_with() {
    let words = "workdir validation failed: path is not absolute";
    let body = format!(r#"{{"id":"","status":"error","error":"{words}"}}"#);
    for (status, executed) in [(500, false), (502, true), (504, true), (201, true)] {
        for operation in ["run_sync", "run_async"] {
            let error = error_of(operation, Reply::new(status).json(body.clone())).await;
            assert_eq!(error.may_have_executed(), executed, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn an_auth_store_that_is_down_refuses_before_it_executes() {
    for operation in ["run_sync", "run_async", "run_stream", "job_cancel"] {
        let reply = Reply::new(503).json(r#"{"error":"auth backend unavailable"}"#);
        let error = error_of(operation, reply).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(!error.may_have_executed(), "{operation}");
    }
}

#[tokio::test]
async fn long_words_are_kept_whole_and_shown_in_part() {
    let words = format!("{}\n{}", "é".repeat(5000), "second line");
    let body = format!(r#"{{"error":"{}"}}"#, words.replace('\n', "\\n"));
    let error = error_of("run_sync", Reply::new(400).json(body)).await;
    assert_eq!(error.message(), words);
    let shown = error.to_string();
    assert!(shown.chars().count() < 300 && !shown.contains('\n'), "{shown}");
}

#[tokio::test]
async fn a_request_id_that_is_no_text_is_none() {
    let mut bytes = Reply::new(500).bytes();
    let at = bytes.windows(5).position(|window| window == b"req-1").unwrap();
    bytes[at] = 0xff;
    let server = Server::once(bytes).await;
    let error = within(client_of(&server).run("hi")).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.request_id()), (500, None));
}
