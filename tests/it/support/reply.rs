//! Responses as bytes.

/// The end of a chunked body.
pub(crate) const LAST_CHUNK: &str = "0\r\n\r\n";

/// One chunk of a chunked body.
pub(crate) fn chunk(data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
    chunk.extend_from_slice(data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// A response in the making.
#[derive(Clone)]
pub(crate) struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} Some Words\r\nX-Request-ID: req-1\r\n"),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.body("application/json; charset=utf-8", body)
    }

    /// The head of a stream of events, whose body is sent in chunks afterwards.
    pub(crate) fn events() -> Vec<u8> {
        Self::new(200).body("text/event-stream", "").chunked_head()
    }

    /// The head alone, which promises a chunked body.
    pub(crate) fn chunked_head(self) -> Vec<u8> {
        format!("{}Transfer-Encoding: chunked\r\n\r\n", self.head).into_bytes()
    }

    /// The whole response, after which the connection stays open.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut bytes = format!("{}Content-Length: {}\r\n\r\n", self.head, self.body.len()).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The whole response, after which the client has to make a new connection.
    pub(crate) fn closing(self) -> Vec<u8> {
        self.header("Connection", "close").bytes()
    }

    /// The response without its last `missing` bytes.
    pub(crate) fn cut(self, missing: usize) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.truncate(bytes.len() - missing);
        bytes
    }

    /// The whole response, its body in chunks of `size` bytes each.
    pub(crate) fn in_chunks(self, size: usize) -> Vec<u8> {
        let body = self.body.clone();
        let mut bytes = self.chunked_head();
        bytes.extend(body.chunks(size).flat_map(chunk));
        bytes.extend_from_slice(LAST_CHUNK.as_bytes());
        bytes
    }
}
