//! A body in pieces: the events of a stream, the halves of anything else.

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::Fuse;

const EVENT_END: &[u8] = b"\n\n";

/// The pieces that are left.
pub(super) struct Pieces {
    body: Fuse<BodyDataStream>,
    /// Whether it is a stream of events; only such a body has no length.
    is_stream: bool,
    /// What came of the body and is in no piece yet.
    rest: BytesMut,
    /// The second half.
    next: Option<Bytes>,
}

impl Pieces {
    pub(super) fn new(body: Body) -> Self {
        Self {
            is_stream: body.size_hint().exact().is_none(),
            body: body.into_data_stream().fuse(),
            rest: BytesMut::new(),
            next: None,
        }
    }

    /// Reads the body to its end, and says how long it is.
    pub(super) async fn collect(&mut self) -> u64 {
        while let Some(Ok(data)) = self.body.next().await {
            self.rest.extend_from_slice(&data);
        }
        self.rest.len() as u64
    }

    /// Reads the first event of a stream, and says how long it is.
    pub(super) async fn first(&mut self) -> u64 {
        loop {
            if let Some(end) = self.event() {
                return end as u64;
            }
            match self.body.next().await {
                Some(Ok(data)) => self.rest.extend_from_slice(&data),
                _ => return self.rest.len() as u64,
            }
        }
    }

    /// Where the event ends that is whole.
    fn event(&self) -> Option<usize> {
        let at = self.rest.windows(EVENT_END.len()).position(|end| end == EVENT_END)?;
        Some(at + EVENT_END.len())
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        if let Some(half) = self.next.take() {
            return Some(Ok(half));
        }
        loop {
            if self.is_stream
                && let Some(end) = self.event()
            {
                return Some(Ok(self.rest.split_to(end).freeze()));
            }
            match self.body.next().await {
                Some(Ok(data)) => self.rest.extend_from_slice(&data),
                Some(Err(error)) => return Some(Err(error)),
                None if self.rest.is_empty() => return None,
                None => break,
            }
        }
        let mut whole = self.rest.split().freeze();
        if !self.is_stream && whole.len() > 1 {
            self.next = Some(whole.split_off(whole.len() / 2));
        }
        Some(Ok(whole))
    }
}

/// Whether an event is the last of its stream: `done` and `error` end a run, `closed` an agent, whose `error` is an
/// object and ends nothing.
pub(super) fn is_end_marker(event: &[u8]) -> bool {
    let is = |start: &[u8]| event.starts_with(start);
    let is_of_agent = is(b"event: error\ndata: {\"type\":\"error\"");
    is(b"event: done\n") || is(b"event: closed\n") || (is(b"event: error\n") && !is_of_agent)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    async fn pieces(body: Body) -> Vec<Bytes> {
        let mut pieces = Pieces::new(body);
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            all.push(piece.unwrap());
        }
        all
    }

    #[tokio::test]
    async fn events_are_told_apart_however_they_come() {
        let sent = ["data: a\n\ndata: b", "\n", "\nevent: done\ndata: {}\n\n", "rest"];
        let body = Body::from_stream(stream::iter(sent.map(Ok::<_, Infallible>)));
        let expected = ["data: a\n\n", "data: b\n\n", "event: done\ndata: {}\n\n", "rest"];
        assert_eq!(pieces(body).await, expected);
    }

    #[tokio::test]
    async fn what_was_collected_still_comes_in_pieces() {
        let mut sent = ["data: a\n\n", "data: b\n\n"].into_iter();
        // Unlike most bodies, this one does not bear to be asked again after its end.
        let events = stream::unfold((), move |()| {
            let next = sent.next();
            async move { next.map(|event| (Ok::<_, Infallible>(event), ())) }
        });
        let mut pieces = Pieces::new(Body::from_stream(events));
        assert_eq!(pieces.collect().await, 18);
        for expected in ["data: a\n\n", "data: b\n\n"] {
            assert_eq!(pieces.next().await.unwrap().unwrap(), expected);
        }
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn any_other_body_comes_in_halves() {
        assert_eq!(pieces(Body::from("a\n\nbc")).await, ["a\n", "\nbc"]);
        assert_eq!(pieces(Body::from("a")).await, ["a"]);
        assert!(pieces(Body::empty()).await.is_empty());
    }

    #[test]
    fn an_end_marker_is_known_for_runs_and_agents() {
        for event in [
            "event: done\ndata: {}\n\n",
            "event: error\ndata: execution failed: exit status 1\n\n",
            "event: closed\ndata: {}\n\n",
        ] {
            assert!(is_end_marker(event.as_bytes()), "{event}");
        }
        for event in [
            "data: event: done\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":\"x\"}\n\n",
            "event: exited\ndata: {}\n\n",
            "event: turn_end\ndata: {}\n\n",
        ] {
            assert!(!is_end_marker(event.as_bytes()), "{event}");
        }
    }
}
