//! The parser of eventsource-client, which cannot be had without the client around it.

use std::hint::black_box;

use bytes::Bytes;
use eventsource_client::{Client, ClientBuilder, SSE};
use futures_util::{FutureExt, StreamExt, stream};
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};

/// A server that is not there.
#[derive(Clone)]
struct Canned(Vec<Bytes>);

impl HttpTransport for Canned {
    fn request(&self, _: http::Request<Option<Bytes>>) -> ResponseFuture {
        let chunks = stream::iter(self.0.clone().into_iter().map(Ok));
        let body: ByteStream = Box::pin(chunks.chain(stream::pending()));
        Box::pin(std::future::ready(Ok(http::Response::new(body))))
    }
}

pub fn decode(chunks: &[Bytes]) -> usize {
    let builder = ClientBuilder::for_url("http://localhost/").expect("a legal URL");
    let client = builder.build_with_transport(Canned(chunks.to_vec()));
    let mut events = client.stream();
    let mut total = 0;
    // It would connect again at the end of a body, so the body waits there instead.
    while let Some(Some(event)) = events.next().now_or_never() {
        if let SSE::Event(event) = event.expect("legal events") {
            total += black_box(&*event.data).len();
        }
    }
    total
}
