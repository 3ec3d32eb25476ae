//! A session's history, page by page or message by message: pulled, so nothing is fetched that nobody asked for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use stromboli_generated::types::{HistoryMessage, HistoryPage};

use crate::client::{Client, path_segment};
use crate::error::{Error, ErrorKind, Result};

/// A part of a list, and where in the list it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What the part holds, in the server's order.
    pub items: Vec<T>,
    /// How many there are in the whole list.
    pub total: u32,
    /// How many were skipped.
    pub offset: u32,
    /// The most that the part could have held. The server lowers a limit that is too high for it.
    pub limit: u32,
    /// Whether more follow.
    pub has_more: bool,
}

impl From<HistoryPage> for Page<HistoryMessage> {
    fn from(page: HistoryPage) -> Self {
        // Counts are never negative; the contract has no other integers.
        let count = |number: i32| u32::try_from(number).unwrap_or_default();
        Self {
            items: page.messages.unwrap_or_default(),
            total: count(page.total),
            offset: count(page.offset),
            limit: count(page.limit),
            has_more: page.has_more,
        }
    }
}

/// Which messages of a session to read, from [`SessionHandle::messages`](crate::SessionHandle::messages). Nothing is sent
/// before [`page`](Self::page) is awaited, or [`stream`](Self::stream) is read.
#[derive(Clone, Debug)]
#[must_use]
pub struct Messages {
    client: Client,
    session_id: String,
    limit: Option<u32>,
    offset: u32,
}

impl Messages {
    pub(crate) fn new(client: Client, session_id: String) -> Self {
        Self {
            client,
            session_id,
            limit: None,
            offset: 0,
        }
    }

    /// The most messages that one page shall hold. The server takes 50 without it, or for 0, and 200 for more than that
    /// (WIRE §8).
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How many messages to skip.
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// One page. Beyond the end it is empty.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let page = client.session("550e8400-e29b-41d4-a716-446655440000").messages().limit(50).page().await?;
    /// println!("{} of {} messages", page.items.len(), page.total);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) for a session without a transcript, which those of persistent agents are too.
    #[doc(alias = "GetMessages")]
    pub async fn page(&self) -> Result<Page<HistoryMessage>> {
        path_segment("session id", &self.session_id)?;
        // The contract's integers end earlier, and so does every transcript.
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let offset = (self.offset > 0).then(|| number(self.offset));
        let raw = self.client.raw();
        let call = raw.session_messages(&self.session_id, self.limit.map(number), offset);
        Ok(self.client.call("session_messages", call).await?.into())
    }

    /// All messages from the offset on. A page is fetched when its first message is asked for.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut messages = client.session("550e8400-e29b-41d4-a716-446655440000").messages().stream();
    /// while let Some(message) = messages.try_next().await? {
    ///     println!("{} {}", message.timestamp, message.type_);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> MessageStream {
        MessageStream {
            next: Some(self),
            fetching: None,
            fetched: Vec::new().into_iter(),
        }
    }
}

type Fetching = Pin<Box<dyn Future<Output = (Messages, Result<Page<HistoryMessage>>)> + Send>>;

/// A session's messages one by one, from [`Messages::stream`]: a [`Stream`], or to be read with
/// [`try_next`](Self::try_next). After an error there is nothing more.
pub struct MessageStream {
    /// What to fetch after the page at hand; none while that is being fetched, and after the last page.
    next: Option<Messages>,
    fetching: Option<Fetching>,
    fetched: std::vec::IntoIter<HistoryMessage>,
}

impl MessageStream {
    /// The next message; `None` after the last.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stood.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let mut messages = client.session("550e8400-e29b-41d4-a716-446655440000").messages().stream();
    /// let first = messages.try_next().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Messages::page`]; [`ErrorKind::Decode`] when the server gives an empty page and says that more follows.
    pub async fn try_next(&mut self) -> Result<Option<HistoryMessage>> {
        std::future::poll_fn(|cx| self.poll_message(cx)).await.transpose()
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<HistoryMessage>>> {
        loop {
            if let Some(message) = self.fetched.next() {
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(messages) = self.next.take() {
                self.fetching = Some(Box::pin(async move {
                    let page = messages.page().await;
                    (messages, page)
                }));
            }
            let Some(fetching) = &mut self.fetching else {
                return Poll::Ready(None);
            };
            let (mut messages, page) = ready!(fetching.as_mut().poll(cx));
            self.fetching = None;
            let page = match page {
                Ok(page) => page,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            if page.has_more {
                // Asking again would give the same page for ever, and to end here would hide messages.
                if page.items.is_empty() {
                    let message = format!(
                        "page at offset {} is empty, but more is said to follow",
                        messages.offset
                    );
                    let error = Error::new(ErrorKind::Decode, message).sent("session_messages", 1, false);
                    return Poll::Ready(Some(Err(error)));
                }
                let count = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
                messages.offset = messages.offset.saturating_add(count);
                self.next = Some(messages);
            }
            self.fetched = page.items.into_iter();
        }
    }
}

impl Stream for MessageStream {
    type Item = Result<HistoryMessage>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx)
    }
}

impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageStream")
            .field("fetched", &self.fetched.len())
            .field("ended", &(self.next.is_none() && self.fetching.is_none()))
            .finish_non_exhaustive()
    }
}
