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

/// A response to a request whose URL holds a prompt, with its body beside it.
fn read() -> Received {
    let url = Url::parse("http://localhost/run/stream?prompt=topsecret").unwrap();
    let response = http::Response::builder()
        .status(StatusCode::ACCEPTED)
        .version(http::Version::HTTP_2)
        .header("x-request-id", "req-1")
        .url(url)
        .extension(7_u32);
    Received {
        response: response.body("").unwrap().into(),
        body: Some(Bytes::from_static(b"topsecret")),
    }
}

#[test]
fn a_response_that_its_body_is_put_into_is_otherwise_as_it_came() {
    let response = read().into_response();
    assert_eq!(response.url().query(), Some("prompt=topsecret"));
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.headers()["x-request-id"], "req-1");
    assert_eq!(response.extensions().get(), Some(&7_u32));
    assert_eq!(response.content_length(), Some(9));
}

#[test]
fn a_stream_that_the_transport_has_read_is_not_lost() {
    let stream = stream(read());
    assert_eq!(stream.headers()["x-request-id"], "req-1");
    let mut bytes = stream.into_inner();
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(&mut *bytes).poll_next(&mut cx) {
        Poll::Ready(Some(Ok(bytes))) => assert_eq!(bytes, b"topsecret".as_slice()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn debug_shows_neither_the_url_nor_the_body_of_a_response() {
    let shown = format!("{:?}", read());
    assert!(shown.contains("202") && !shown.contains("secret"), "{shown}");
}

#[test]
fn paths_stand_behind_that_of_the_server() {
    for (server, expected) in [
        ("http://localhost", "/jobs"),
        ("http://localhost/", "/jobs"),
        ("http://localhost/below", "/below/jobs"),
        ("http://localhost/below/", "/below/jobs"),
    ] {
        let client = Client::new_with_client(server, reqwest::Client::new(), Arc::new(Silent));
        assert_eq!(url(&client, format_args!("/jobs")).unwrap().path(), expected);
        let id = String::from("a");
        let one = url(&client, format_args!("/jobs/{id}")).unwrap();
        assert_eq!(one.path(), format!("{expected}/a"));
    }
}
