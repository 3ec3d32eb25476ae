//! An HTTP client of sockets and strings, so that tests see the bytes.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use stromboli_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The id of a session as Claude Code wants it.
pub(crate) const SESSION: &str = "7b1f0c3e-52d4-4a86-9d0b-f3c8e6a41297";

/// A response, its body put together from chunks if it came in such.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Empty when the body was not chunked.
    pub(crate) chunks: Vec<String>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(n, v)| n.eq_ignore_ascii_case(name).then_some(v.as_str()))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The header names, sorted, in lower case.
    pub(crate) fn header_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.headers.iter().map(|(n, _)| n.to_lowercase()).collect();
        names.sort();
        names
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Closed,
    Reset,
}

/// One connection.
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(emulator: &Emulator) -> Self {
        let address = emulator.url().strip_prefix("http://").unwrap();
        Self {
            socket: TcpStream::connect(address).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    /// One whose system keeps few bytes for a test that does not read.
    pub(crate) async fn open_narrow(emulator: &Emulator) -> Self {
        let address = emulator.url().strip_prefix("http://").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self {
            socket: socket.connect(address.parse().unwrap()).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) {
        let length = body.len();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{headers}\r\n");
        self.socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    }

    /// These bytes and nothing else.
    pub(crate) async fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).await.unwrap();
    }

    /// All that comes until the other end closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        within(async { while self.socket.read_buf(&mut self.buffer).await.unwrap() > 0 {} }).await;
        String::from_utf8(std::mem::take(&mut self.buffer)).unwrap()
    }

    /// All that comes until the other end ends the connection, and how it does that.
    pub(crate) async fn end(&mut self) -> (String, End) {
        let end = within(async {
            loop {
                match self.socket.read_buf(&mut self.buffer).await {
                    Ok(0) => return End::Closed,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => return End::Reset,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let end = end.await;
        (String::from_utf8(std::mem::take(&mut self.buffer)).unwrap(), end)
    }

    /// The bytes up to the end of the head and with it.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// The next chunk of a chunked body; empty for the last one.
    pub(crate) async fn chunk(&mut self) -> String {
        let size = self.until("\r\n").await;
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let data = self.take(size).await;
        assert_eq!(self.take(2).await, "\r\n");
        data
    }

    /// A whole response; `method` says whether it has a body.
    pub(crate) async fn response(&mut self, method: &str) -> Response {
        let head = self.head().await;
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let mut response = Response {
            status,
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: String::new(),
            chunks: Vec::new(),
        };
        if method == "HEAD" || status == 204 {
            return response;
        }
        if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            response.body = self.take(length).await;
        } else {
            assert_eq!(response.header("transfer-encoding"), Some("chunked"));
            loop {
                let chunk = self.chunk().await;
                if chunk.is_empty() {
                    break;
                }
                response.body.push_str(&chunk);
                response.chunks.push(chunk);
            }
        }
        response
    }

    /// Whether the other end has closed or reset the connection; what it still sends is thrown away.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut scratch = [0; 1024];
        within(async {
            while let Ok(1..) = self.socket.read(&mut scratch).await {}
            true
        })
        .await
    }

    /// Whether nothing has arrived, after the emulator had every chance to send something.
    pub(crate) async fn is_silent(&mut self, emulator: &Emulator) -> bool {
        for _ in 0..3 {
            get(emulator, "/health").await;
        }
        let read = self.socket.try_read(&mut [0; 1]);
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.buffer.windows(end.len()).position(|bytes| bytes == end.as_bytes());
            if let Some(at) = found {
                return self.take(at + end.len()).await;
            }
            self.fill().await;
        }
    }

    pub(crate) async fn take(&mut self, count: usize) -> String {
        while self.buffer.len() < count {
            self.fill().await;
        }
        let taken = self.buffer.drain(..count).collect();
        String::from_utf8(taken).unwrap()
    }

    async fn fill(&mut self) {
        let read = self.socket.read_buf(&mut self.buffer).await.unwrap();
        assert_ne!(
            read,
            0,
            "closed early after {:?}",
            String::from_utf8_lossy(&self.buffer)
        );
    }
}

/// One request on a connection of its own; `headers` are whole lines.
pub(crate) async fn request(emulator: &Emulator, method: &str, target: &str, headers: &str, body: &[u8]) -> Response {
    let mut connection = Connection::open(emulator).await;
    connection.send(method, target, headers, body).await;
    connection.response(method).await
}

pub(crate) async fn get(emulator: &Emulator, target: &str) -> Response {
    request(emulator, "GET", target, "", b"").await
}

pub(crate) async fn delete(emulator: &Emulator, target: &str) -> Response {
    request(emulator, "DELETE", target, "", b"").await
}

pub(crate) async fn post(emulator: &Emulator, target: &str, body: impl AsRef<[u8]>) -> Response {
    request(emulator, "POST", target, "", body.as_ref()).await
}

/// All that a request is answered on a connection of its own, but for the date, and how that connection ends. The
/// request has the id `r`.
pub(crate) async fn exchange(emulator: &Emulator, method: &str, target: &str, body: &str) -> (String, End) {
    let mut connection = Connection::open(emulator).await;
    let id = "X-Request-ID: r\r\n";
    connection.send(method, target, id, body.as_bytes()).await;
    let (answer, end) = connection.end().await;
    (without_date(&answer), end)
}

/// An answer without its `Date`.
pub(crate) fn without_date(answer: &str) -> String {
    match answer.split_once("Date: ") {
        Some((before, after)) => format!("{before}{}", after.split_once("\r\n").unwrap().1),
        None => answer.to_owned(),
    }
}

/// `work`, or a failure of the test when it takes longer than any machine would need.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), work).await {
        Ok(done) => done,
        Err(_) => panic!("it did not come to an end"),
    }
}

pub(crate) fn is_hex16(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == 16 && text.chars().all(digit)
}

/// Whether `text` is a version 4 UUID.
pub(crate) fn is_uuid4(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts.concat().chars().all(|c| c.is_ascii_hexdigit())
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}
