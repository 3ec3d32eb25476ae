//! How the report of a job follows redirects: as Go's HTTP client does.

use stromboli_emulator::Emulator;

use crate::client::within;
use crate::receiver::{Receiver, start_job};

async fn start() -> (Emulator, Receiver) {
    let builder = Emulator::builder().webhook_signing_secret("s3cret");
    (builder.start().await.unwrap(), Receiver::start().await)
}

async fn outcome(emulator: &Emulator) -> (u64, u64) {
    let ended = emulator.wait_for(|stats| stats.webhooks_delivered + stats.webhooks_failed > 0);
    let stats = within(ended).await;
    (stats.webhooks_delivered, stats.webhooks_failed)
}

#[tokio::test]
async fn some_redirects_keep_the_post() {
    for status in [307, 308] {
        let ((emulator, receiver), elsewhere) = (start().await, Receiver::start().await);
        start_job(&emulator, "ping", &receiver.url("/a/b?c")).await;
        let to = format!("Location: {}\r\n", elsewhere.url("/there"));
        let first = receiver.answer(status, &to).await;
        let second = elsewhere.answer(200, "").await;
        assert_eq!(second.line(), "POST /there");
        assert_eq!(second.body, first.body);
        for name in ["content-type", "content-length", "user-agent", "x-stromboli-timestamp"] {
            assert_eq!(second.header(name), first.header(name), "{name}");
        }
        assert!(second.header("x-stromboli-signature").is_some());
        assert_eq!(second.header("referer"), Some(receiver.url("/a/b?c").as_str()));
        assert_eq!(second.header("host"), elsewhere.url("").strip_prefix("http://"));
        assert_eq!(outcome(&emulator).await, (1, 0));
    }
}

#[tokio::test]
async fn other_redirects_make_a_get_of_it() {
    for status in [301, 302, 303] {
        let (emulator, receiver) = start().await;
        start_job(&emulator, "ping", &receiver.url("/a/b")).await;
        receiver.answer(status, "Location: c?d\r\n").await;
        let second = receiver.answer(307, "Location: /e\r\n").await;
        assert_eq!((second.line(), second.body.as_str()), ("GET /a/c?d", ""));
        assert_eq!(second.header("content-length"), None);
        assert_eq!(second.header("transfer-encoding"), None);
        assert!(second.header("x-stromboli-signature").is_some());
        // What has become a GET stays one.
        let third = receiver.answer(200, "").await;
        assert_eq!((third.line(), third.body.as_str()), ("GET /e", ""));
        assert_eq!(outcome(&emulator).await, (1, 0));
    }
}

#[tokio::test]
async fn what_is_no_redirect_is_not_followed() {
    for (status, headers) in [
        (307, ""),
        (302, "Location:\r\n"),
        (304, "Location: /x\r\n"),
        (300, "Location: /x\r\n"),
        (302, "Location: https://127.0.0.1:1/x\r\n"),
        (302, "Location: http://\r\n"),
    ] {
        let (emulator, receiver) = start().await;
        start_job(&emulator, "ping", &receiver.url("/")).await;
        for _ in 0..2 {
            assert_eq!(receiver.answer(status, headers).await.line(), "POST /");
        }
        assert_eq!(outcome(&emulator).await, (0, 1), "{status} {headers}");
    }
}

#[tokio::test]
async fn ten_requests_are_made_and_no_more() {
    let (emulator, receiver) = start().await;
    start_job(&emulator, "ping", &receiver.url("/0")).await;
    for _ in 0..2 {
        for number in 0..10 {
            let to = format!("Location: /{}\r\n", number + 1);
            let request = receiver.answer(307, &to).await;
            assert_eq!(request.line(), format!("POST /{number}"));
        }
    }
    assert_eq!(outcome(&emulator).await, (0, 1));
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let ((emulator, receiver), elsewhere) = (start().await, Receiver::start().await);
    let url = receiver.url("/").replace("http://", "http://user:pass@");
    start_job(&emulator, "ping", &url).await;
    receiver
        .answer(307, &format!("Location: {}\r\n", elsewhere.url("/")))
        .await;
    let second = elsewhere.answer(200, "").await;
    assert_eq!(second.header("authorization"), None);
    assert_eq!(second.header("referer"), Some(receiver.url("/").as_str()));
}
