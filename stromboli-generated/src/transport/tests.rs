//! What the seam keeps and shows.

use std::task::Waker;

use super::*;

#[test]
fn a_server_whose_url_holds_a_password_is_not_called_without_it() {
    assert!(base("http://localhost:8080/below").is_some());
    for url in ["http://user:secret@localhost", "http://user@localhost", "no URL"] {
        assert!(base(url).is_none(), "{url}");
    }
}

#[test]
fn a_request_with_a_body_says_that_it_and_its_answer_are_json() {
    let url = Url::parse("http://localhost/run").unwrap();
    let request = sends_json(Method::POST, url, serde_json::to_vec(&[1])).unwrap();
    for header in [ACCEPT, CONTENT_TYPE] {
        assert_eq!(request.headers()[&header], "application/json", "{header}");
    }
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.body().and_then(|body| body.as_bytes()), Some(b"[1]".as_slice()));
}

#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn execute(&self, _: Request, _: &'static str) -> ResponseFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn debug_shows_the_url_but_no_password_in_it() {
    let shown = |url| {
        let http = reqwest::Client::builder().build().unwrap();
        format!("{:?}", Client::new_with_client(url, http, Arc::new(Silent)))
    };
    assert!(shown("http://localhost:8080/below").contains("http://localhost:8080/below"));
    assert!(!shown("http://user:secret@localhost").contains("secret"));
}

/// Bytes that come once, and then are waited for.
struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(bytes)))
    }
}

#[test]
fn what_came_beside_a_stream_is_dropped_when_it_is_first_waited_for() {
    let kept = Arc::new(());
    let mut beside = http::Extensions::new();
    beside.insert(kept.clone());
    let mut body = Body {
        bytes: Once(Some(Bytes::from_static(b"first"))),
        beside: Some(beside),
    };
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut body).poll_next(&mut cx).is_ready());
    assert_eq!(Arc::strong_count(&kept), 2);
    assert!(Pin::new(&mut body).poll_next(&mut cx).is_pending());
    assert_eq!(Arc::strong_count(&kept), 1);
}
