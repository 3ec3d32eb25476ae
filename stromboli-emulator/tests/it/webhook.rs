//! The reports of jobs that ended.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use stromboli_emulator::{Dialect, Emulator, Usage};
use tokio::time::Instant;

use crate::client::{delete, get, post, within};
use crate::receiver::{Delivery, Receiver, start_job};

/// The emulator's count of webhooks delivered and given up, once there are so many of them.
async fn outcomes(emulator: &Emulator, count: u64) -> (u64, u64) {
    let ended = emulator.wait_for(|stats| stats.webhooks_delivered + stats.webhooks_failed >= count);
    let stats = within(ended).await;
    (stats.webhooks_delivered, stats.webhooks_failed)
}

fn assert_signed(delivery: &Delivery, secret: &str) {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(delivery.header("x-stromboli-timestamp").unwrap().as_bytes());
    mac.update(b".");
    mac.update(delivery.body.as_bytes());
    let signature = mac.finalize().into_bytes();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        delivery.header("x-stromboli-signature"),
        Some(format!("sha256={hex}").as_str())
    );
}

#[tokio::test]
async fn a_report_is_one_post_as_go_makes_it() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    emulator.on_prompt("ping").reply("<pong>");
    let id = start_job(&emulator, "ping", &receiver.url("/hook?a=b%20c")).await;
    let delivery = receiver.answer(200, "").await;
    let session = get(&emulator, &format!("/jobs/{id}")).await.json()["session_id"].clone();
    let body =
        format!(r#"{{"job_id":"{id}","status":"completed","output":"\u003cpong\u003e","session_id":{session}}}"#);
    let (host, length) = (receiver.url(""), body.len());
    let head = format!(
        "POST /hook?a=b%20c HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\n\
         Content-Length: {length}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        host.strip_prefix("http://").unwrap()
    );
    assert_eq!((&delivery.head, &delivery.body), (&head, &body));
    assert_eq!(outcomes(&emulator, 1).await, (1, 0));
}

#[tokio::test]
async fn a_report_says_how_the_run_ended() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    emulator.on_prompt("bad").fail(1, "what it said");
    emulator.on_prompt("boom").lines(["half"]).crash(137, "SIGKILL");
    let usage = Usage {
        input_tokens: 3,
        ..Usage::default()
    };
    emulator.on_prompt("dear").reply("ok").usage(usage);
    emulator.on_prompt("silent").lines(Vec::<String>::new());
    let usage = json!({
        "input_tokens": 3,
        "output_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "total_tokens": 3,
        "estimated_cost_usd": 0,
    });
    let error = "execution failed: exit status 1, output: what it said";
    let cases = [
        ("bad", json!({"status": "failed", "error": error})),
        ("boom", json!({"status": "crashed", "output": "half"})),
        ("dear", json!({"status": "completed", "output": "ok", "usage": usage})),
        ("silent", json!({"status": "completed"})),
    ];
    for (prompt, mut expected) in cases {
        let id = start_job(&emulator, prompt, &receiver.url("/")).await;
        let report = receiver.answer(200, "").await.json();
        let job = get(&emulator, &format!("/jobs/{id}")).await.json();
        expected["job_id"] = json!(id);
        if prompt != "bad" {
            expected["session_id"] = job["session_id"].clone();
            assert!(expected["session_id"].is_string());
        }
        assert_eq!(report, expected, "{prompt}");
    }
    // Checks that fail after the job was accepted are its end as well.
    let body = json!({"prompt": "hi", "webhook_url": receiver.url("/"), "podman": {"timeout": "x"}});
    post(&emulator, "/run/async", body.to_string()).await;
    let report = receiver.answer(200, "").await.json();
    let error = "invalid timeout duration: time: invalid duration \"x\"";
    assert_eq!((&report["status"], &report["error"]), (&json!("failed"), &json!(error)));
}

#[tokio::test]
async fn a_report_of_an_old_server_has_neither_usage_nor_signature() {
    let builder = Emulator::builder().dialect(Dialect::V0_4_3);
    let emulator = builder.webhook_signing_secret("s3cret").start().await.unwrap();
    let receiver = Receiver::start().await;
    emulator.on_prompt("hi").reply("ok").usage(Usage::default());
    start_job(&emulator, "hi", &receiver.url("/")).await;
    let delivery = receiver.answer(200, "").await;
    assert_eq!(delivery.json().get("usage"), None);
    assert_eq!(delivery.header("x-stromboli-signature"), None);
    assert_eq!(delivery.header("x-stromboli-timestamp"), None);
}

#[tokio::test]
async fn only_jobs_with_a_url_are_reported() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    let sync = json!({"prompt": "hi", "webhook_url": receiver.url("/run")}).to_string();
    assert_eq!(post(&emulator, "/run", sync).await.status, 200);
    start_job(&emulator, "hi", "").await;
    within(emulator.wait_for(|stats| stats.finished == 2)).await;
    start_job(&emulator, "hi", &receiver.url("/job")).await;
    assert_eq!(receiver.answer(200, "").await.line(), "POST /job");
    assert_eq!(outcomes(&emulator, 1).await, (1, 0));
}

#[tokio::test]
async fn a_cancelled_job_is_reported_with_its_real_end() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    let hold = emulator.on_prompt("ping").reply("pong").hold();
    let id = start_job(&emulator, "ping", &receiver.url("/cancelled")).await;
    assert_eq!(delete(&emulator, &format!("/jobs/{id}")).await.status, 200);
    // Nothing was sent at the time: the first to arrive is this.
    start_job(&emulator, "other", &receiver.url("/other")).await;
    assert_eq!(receiver.answer(200, "").await.line(), "POST /other");
    hold.release();
    let report = receiver.answer(200, "").await;
    assert_eq!(
        (report.line(), &report.json()["status"]),
        ("POST /cancelled", &json!("completed"))
    );
}

#[tokio::test]
async fn a_report_that_is_not_received_is_sent_once_more() {
    let builder = Emulator::builder().webhook_signing_secret("s3cret");
    let emulator = builder.start().await.unwrap();
    let receiver = Receiver::start().await;
    for (first, second, expected) in [(500, 204, (1, 0)), (404, 199 + 100, (2, 0)), (503, 304, (2, 1))] {
        start_job(&emulator, "ping", &receiver.url("/")).await;
        let one = receiver.answer(first, "").await;
        assert_signed(&one, "s3cret");
        // The signature is made once, and not for each attempt.
        emulator.advance_clock(Duration::from_secs(60));
        let two = receiver.answer(second, "").await;
        assert_eq!((&two.head, &two.body), (&one.head, &one.body));
        assert_eq!(outcomes(&emulator, expected.0 + expected.1).await, expected);
    }
    // And never a third time.
    start_job(&emulator, "last", &receiver.url("/last")).await;
    assert_eq!(receiver.answer(200, "").await.line(), "POST /last");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_5_seconds_and_the_second_comes_100_ms_later() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    start_job(&emulator, "ping", &receiver.url("/")).await;
    let mut silent = receiver.next().await;
    let begun = Instant::now();
    assert!(silent.is_abandoned().await);
    assert_eq!(begun.elapsed().as_millis(), 5000);
    let mut second = receiver.next().await;
    assert_eq!(begun.elapsed().as_millis(), 5100);
    assert!(second.is_abandoned().await);
    assert_eq!(outcomes(&emulator, 1).await, (0, 1));
    assert_eq!(begun.elapsed().as_millis(), 10_100);
}

#[tokio::test]
async fn a_receiver_that_closes_the_connection_has_received_nothing() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    start_job(&emulator, "ping", &receiver.url("/")).await;
    drop(receiver.next().await);
    receiver.answer(200, "").await;
    assert_eq!(outcomes(&emulator, 1).await, (1, 0));
}

#[tokio::test]
async fn a_job_does_not_wait_for_its_report() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    let id = start_job(&emulator, "ping", &receiver.url("/")).await;
    let mut delivery = receiver.next().await;
    within(emulator.wait_for(|stats| stats.finished == 1)).await;
    assert_eq!(
        get(&emulator, &format!("/jobs/{id}")).await.json()["status"],
        "completed"
    );
    assert_eq!(outcomes(&emulator, 0).await, (0, 0));
    delivery.answer(200, "").await;
    assert_eq!(outcomes(&emulator, 1).await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn reports_under_way_end_with_the_emulator() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    start_job(&emulator, "ping", &receiver.url("/")).await;
    let mut delivery = receiver.next().await;
    let begun = Instant::now();
    drop(emulator);
    assert!(delivery.is_abandoned().await);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it was given up, and not ended"
    );
}

#[tokio::test]
async fn a_signature_is_of_the_time_and_the_body() {
    let emulator = Emulator::builder()
        .webhook_signing_secret("s3cret")
        .start()
        .await
        .unwrap();
    let receiver = Receiver::start().await;
    emulator.advance_clock(Duration::from_secs(1_000_000));
    let now = jiff::Timestamp::now().as_second() + 1_000_000;
    start_job(&emulator, "é\n", &receiver.url("/")).await;
    let delivery = receiver.answer(200, "").await;
    assert_signed(&delivery, "s3cret");
    let sent: i64 = delivery.header("x-stromboli-timestamp").unwrap().parse().unwrap();
    assert!((now..now + 60).contains(&sent), "{sent}");

    let unsigned = Emulator::builder().webhook_signing_secret("").start().await.unwrap();
    start_job(&unsigned, "hi", &receiver.url("/")).await;
    assert_eq!(receiver.answer(200, "").await.header("x-stromboli-signature"), None);
}

#[tokio::test]
async fn where_nothing_can_be_posted_the_report_is_given_up() {
    let emulator = Emulator::start().await.unwrap();
    let closed = Receiver::start().await.url("/");
    let urls = [
        closed.as_str(),
        "https://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "localhost:8080/hook",
        "/hook",
        "not a url",
        "http://",
        "http://127.0.0.1:99999/",
    ];
    for (count, url) in (1..).zip(urls) {
        let id = start_job(&emulator, "ping", url).await;
        assert_eq!(outcomes(&emulator, count).await, (0, count), "{url}");
        assert_eq!(
            get(&emulator, &format!("/jobs/{id}")).await.json()["status"],
            "completed"
        );
    }
}

#[tokio::test]
async fn what_asks_for_encryption_is_never_sent_without() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    let secure = receiver.url("/secure").replace("http://", "https://");
    start_job(&emulator, "ping", &secure).await;
    assert_eq!(outcomes(&emulator, 1).await, (0, 1));
    start_job(&emulator, "ping", &receiver.url("/plain")).await;
    assert_eq!(receiver.answer(200, "").await.line(), "POST /plain");
}

#[tokio::test]
async fn credentials_in_the_url_become_a_header() {
    let (emulator, receiver) = (Emulator::start().await.unwrap(), Receiver::start().await);
    let url = receiver.url("/").replace("http://", "http://us%40er:pass@");
    start_job(&emulator, "ping", &url).await;
    let delivery = receiver.answer(200, "").await;
    assert_eq!(delivery.header("authorization"), Some("Basic dXNAZXI6cGFzcw=="));
    assert!(!delivery.header("host").unwrap().contains('@'));
}
