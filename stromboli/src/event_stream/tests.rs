//! What an open stream keeps.

use std::task::Waker;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::*;

#[tokio::test]
async fn a_stream_that_waits_does_not_keep_the_buffer_its_head_was_read_into() {
    let buffer = Bytes::from(b"text/event-stream".to_vec());
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_maybe_shared(buffer.clone()) {
        headers.insert(CONTENT_TYPE, value);
    }
    let silent = ByteStream::new(Box::pin(futures_util::stream::pending()));
    let response = ResponseValue::new(silent, StatusCode::OK, headers);
    let Ok(mut stream) = EventStream::open("run_stream", true, response, Decoder::new(), Duration::MAX) else {
        panic!("it is one of events");
    };
    assert!(!buffer.is_unique());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(stream.poll_event(&mut cx, |_, _| ()).is_pending());
    assert!(buffer.is_unique());
    assert_eq!(stream.head.headers()[CONTENT_TYPE], "text/event-stream");
}
