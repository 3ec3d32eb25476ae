//! Whoever receives webhooks: a listener that shows each request and answers as it is told.

use serde_json::Value;
use stromboli_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{post, within};

/// A listening socket on loopback.
pub(crate) struct Receiver {
    listener: TcpListener,
}

/// A request, whose sender waits for an answer.
pub(crate) struct Delivery {
    pub(crate) head: String,
    pub(crate) body: String,
    socket: TcpStream,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.local_addr().unwrap())
    }

    /// The next request.
    pub(crate) async fn next(&self) -> Delivery {
        within(async {
            let (mut socket, _) = self.listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let end = loop {
                if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                    break end + 4;
                }
                assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0);
            };
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut body = bytes.split_off(end);
            let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            while body.len() < length {
                assert_ne!(socket.read_buf(&mut body).await.unwrap(), 0);
            }
            let body = String::from_utf8(body).unwrap();
            Delivery { head, body, socket }
        })
        .await
    }

    /// The next request, answered with this status and these header lines.
    pub(crate) async fn answer(&self, status: u16, headers: &str) -> Delivery {
        let mut delivery = self.next().await;
        delivery.answer(status, headers).await;
        delivery
    }
}

impl Delivery {
    pub(crate) async fn answer(&mut self, status: u16, headers: &str) {
        let answer = format!("HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
        self.socket.write_all(answer.as_bytes()).await.unwrap();
    }

    /// The method and the target.
    pub(crate) fn line(&self) -> &str {
        self.head.split(" HTTP/1.1\r\n").next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Waits until the sender has gone, having sent nothing more.
    pub(crate) async fn is_abandoned(&mut self) -> bool {
        within(async { matches!(self.socket.read(&mut [0; 1]).await, Ok(0) | Err(_)) }).await
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find_map(|(n, value)| n.eq_ignore_ascii_case(name).then_some(value))
}

/// Starts a job whose end is reported there, and returns its id.
pub(crate) async fn start_job(emulator: &Emulator, prompt: &str, webhook_url: &str) -> String {
    let body = serde_json::json!({"prompt": prompt, "webhook_url": webhook_url});
    let accepted = post(emulator, "/run/async", body.to_string()).await;
    assert_eq!(accepted.status, 202, "{}", accepted.body);
    accepted.json()["job_id"].as_str().unwrap().to_owned()
}
