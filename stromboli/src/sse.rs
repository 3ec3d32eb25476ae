//! A decoder of server-sent events: bytes in, events out. It does no IO, keeps no clock and knows no payload.
//!
//! It follows the "event stream interpretation" of the HTML standard to the letter, whatever the chunks in which the
//! bytes arrive. Reconnecting is left to the caller: for an agent's stream it would start the agent again.
//!
//! ```
//! use stromboli::sse::Decoder;
//!
//! # fn main() -> Result<(), stromboli::sse::Error> {
//! let mut decoder = Decoder::new();
//! let mut lines = Vec::new();
//! for chunk in ["data: hel", "lo\n\neve", "nt: done\ndata: {}\n\n"] {
//!     let mut input = chunk.as_bytes();
//!     while let Some(event) = decoder.next(&mut input)? {
//!         lines.push(format!("{}: {}", event.event, event.data));
//!     }
//! }
//! assert_eq!(lines, ["message: hello", "done: {}"]);
//! assert!(!decoder.has_partial_event()); // the stream did not end inside an event
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::time::Duration;

use memchr::{memchr, memchr2};

use field::{Field, Fields, decode};

mod error;
mod field;

pub use error::Error;

/// The most bytes that one event may take, unless [`Decoder::max_event_bytes`] says otherwise: 64 MiB.
///
/// One line of an agent's output can be 10 MiB before JSON escapes it, which takes six bytes for `<`, `>` and `&`.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 64 * 1024 * 1024;

/// A buffer above this size is given back once an event did without it.
const RETAINED_BYTES: usize = 1024 * 1024;

/// One event, borrowed from the decoder and from the input until the next call of [`Decoder::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event's name, `message` when the server gave none.
    pub event: &'a str,
    /// The values of its `data` lines, joined by line feeds. Only text with invalid UTF-8 is owned.
    pub data: Cow<'a, str>,
    /// The last event id of the stream so far, empty when there is none.
    pub id: &'a str,
    /// The last reconnection time of the stream so far.
    pub retry: Option<Duration>,
}

/// Turns the bytes of one stream into events; see the [module](self) for an example.
///
/// Time is linear in the bytes, whatever the chunks. An event of one `data` line that lies within one chunk is not
/// copied, all others gather in one buffer that is used again.
#[derive(Debug, Clone)]
pub struct Decoder {
    limit: usize,
    /// `[data_start..line_start]` is the data so far, `[line_start..]` a line whose end has not come yet.
    buf: Vec<u8>,
    data_start: usize,
    line_start: usize,
    /// A `data` field was seen since the last blank line.
    has_data: bool,
    fields: Fields,
    /// No line has ended yet, so a byte order mark may still come.
    first_line: bool,
    lone_cr_is_data: bool,
    /// The last byte was a CR that ended a line: an LF that follows belongs to it.
    after_cr: bool,
    /// The caller may still look at the event; the next call forgets it.
    dispatched: bool,
    failed: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self {
            limit: DEFAULT_MAX_EVENT_BYTES,
            buf: Vec::new(),
            data_start: 0,
            line_start: 0,
            has_data: false,
            fields: Fields::default(),
            first_line: true,
            lone_cr_is_data: false,
            after_cr: false,
            dispatched: false,
            failed: false,
        }
    }

    /// Sets the most bytes that one event may take, [`DEFAULT_MAX_EVENT_BYTES`] by default.
    ///
    /// Counted are the data, the name, the id and the line being read, which may also be a comment.
    #[must_use]
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Leaves the standard in one point: CR ends a line only before LF, and is data elsewhere.
    ///
    /// For servers that copy lines of text into events without looking for CR, which programs print to draw a progress
    /// bar. By the standard the rest of such a line is a field of unknown name, and lost.
    ///
    /// ```
    /// # use stromboli::sse::Decoder;
    /// let mut decoder = Decoder::new().lone_cr_is_data();
    /// let event = decoder.next(&mut b"data: 10%\r20%\n\n".as_slice())?;
    /// assert_eq!(event.unwrap().data, "10%\r20%");
    /// # Ok::<(), stromboli::sse::Error>(())
    /// ```
    #[must_use]
    pub fn lone_cr_is_data(mut self) -> Self {
        self.lone_cr_is_data = true;
        self
    }

    /// Takes bytes off the front of `input` up to the end of the next event.
    ///
    /// `None` says that all of `input` is taken and the event needs more.
    ///
    /// # Errors
    ///
    /// [`Error::EventTooLarge`] when an event passes the limit, and from then on at every call.
    #[inline]
    pub fn next<'e, 'i: 'e>(&'e mut self, input: &mut &'i [u8]) -> Result<Option<Event<'e>>, Error> {
        if self.dispatched {
            self.start_event();
        }
        let Some(borrowed) = self.read_event(input)? else {
            return Ok(None);
        };
        let data = if borrowed.is_empty() {
            self.buf.get(self.data_start..self.line_start).unwrap_or_default()
        } else {
            borrowed
        };
        Ok(Some(Event {
            // The name of the event is "message" unless the event type buffer holds another.
            event: if self.fields.event.is_empty() {
                "message"
            } else {
                &self.fields.event
            },
            data: decode(data),
            id: &self.fields.id,
            retry: self.fields.retry,
        }))
    }

    /// Whether data, a name or part of a line came after the last event's end.
    ///
    /// The standard drops these at the end of a stream; here the caller can tell that the stream was cut.
    pub fn has_partial_event(&self) -> bool {
        !self.dispatched && (self.has_data || !self.fields.event.is_empty() || self.has_partial_line())
    }

    fn has_partial_line(&self) -> bool {
        self.buf.len() > self.line_start
    }

    /// Reads lines up to the blank one that ends an event. Its data is the slice, or the buffer when that is empty.
    #[inline]
    fn read_event<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, Error> {
        // The event's only data line so far, when this input holds all of it.
        let mut borrowed: &'i [u8] = &[];
        loop {
            // A line ends with CR LF, LF or CR. A lone CR ends it at once, without waiting for a next byte.
            if self.after_cr
                && let Some((first, rest)) = input.split_first()
            {
                self.after_cr = false;
                if *first == b'\n' {
                    *input = rest;
                }
            }
            let Some((line, end, rest)) = split_line(input, self.lone_cr_is_data) else {
                self.check_size(borrowed.len() + input.len())?;
                self.buffer_data(borrowed);
                self.buf.extend_from_slice(input);
                *input = &[];
                return Ok(None);
            };
            self.check_size(borrowed.len() + line.len())?;
            *input = rest;
            self.after_cr = end == b'\r';
            let mut line = line;
            if self.has_partial_line() {
                self.buf.extend_from_slice(line);
                line = &[];
                if self.lone_cr_is_data && self.buf.last() == Some(&b'\r') {
                    self.buf.pop();
                }
            } else if self.lone_cr_is_data {
                line = line.strip_suffix(b"\r").unwrap_or(line);
            }
            if self.has_partial_line() {
                self.end_buffered_line();
            } else if line.is_empty() {
                self.first_line = false;
                // A blank line dispatches the event if there was a data field, even an empty one. If not, only the
                // event's name is forgotten.
                if self.has_data {
                    self.dispatched = true;
                    return Ok(Some(borrowed));
                }
                self.start_event();
            } else {
                match Field::parse(line, &mut self.first_line) {
                    Field::Data(value) if !self.has_data => {
                        self.has_data = true;
                        borrowed = value;
                    }
                    // Each data line is appended to the data, with a line feed between them.
                    Field::Data(value) => {
                        self.buffer_data(borrowed);
                        borrowed = &[];
                        self.buf.push(b'\n');
                        self.buf.extend_from_slice(value);
                        self.line_start = self.buf.len();
                    }
                    field => self.fields.set(field),
                }
            }
        }
    }

    /// Interprets the line at the end of the buffer. A first data line stays where it is.
    fn end_buffered_line(&mut self) {
        let line = self.buf.get(self.line_start..).unwrap_or_default();
        match Field::parse(line, &mut self.first_line) {
            Field::Data(value) => {
                let value_start = self.buf.len() - value.len();
                if self.has_data {
                    // A line feed and the value take the place of the field's name, which is longer than the line feed.
                    if let Some(joint) = self.buf.get_mut(self.line_start) {
                        *joint = b'\n';
                    }
                    self.buf.drain(self.line_start + 1..value_start);
                } else {
                    self.has_data = true;
                    self.data_start = value_start;
                }
                self.line_start = self.buf.len();
            }
            field => {
                self.fields.set(field);
                self.buf.truncate(self.line_start);
            }
        }
    }

    /// Keeps the event's only data line, of which the buffer has nothing yet, beyond its input.
    fn buffer_data(&mut self, data: &[u8]) {
        if !data.is_empty() {
            self.buf.extend_from_slice(data);
            self.line_start = self.buf.len();
        }
    }

    /// Fails if `more` bytes beside those held are too many, counted alike under any chunking.
    #[inline]
    fn check_size(&mut self, more: usize) -> Result<(), Error> {
        let held = self.buf.len() - self.data_start + self.fields.event.len() + self.fields.id.len();
        if held + more > self.limit || self.failed {
            Err(self.fail())
        } else {
            Ok(())
        }
    }

    /// Gives back all memory and makes this and every further call an error.
    #[cold]
    fn fail(&mut self) -> Error {
        *self = Self {
            failed: true,
            ..Self::new().max_event_bytes(self.limit)
        };
        Error::EventTooLarge { limit: self.limit }
    }

    /// Forgets the last event, but not the id and the reconnection time, which belong to the stream.
    fn start_event(&mut self) {
        if self.buf.capacity() > RETAINED_BYTES && self.buf.len() <= RETAINED_BYTES {
            self.buf = Vec::new();
        }
        self.buf.clear();
        self.data_start = 0;
        self.line_start = 0;
        self.has_data = false;
        self.dispatched = false;
        self.fields.clear_event();
    }
}

/// The first line, its terminator and what follows, if the line's end is there.
#[inline]
fn split_line(input: &[u8], lone_cr_is_data: bool) -> Option<(&[u8], u8, &[u8])> {
    let length = match input.first()? {
        b'\n' => 0,
        _ if lone_cr_is_data => memchr(b'\n', input)?,
        b'\r' => 0,
        _ => memchr2(b'\n', b'\r', input)?,
    };
    let (line, rest) = input.split_at_checked(length)?;
    let (end, rest) = rest.split_first()?;
    Some((line, *end, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(decoder: &mut Decoder, mut input: &[u8]) -> usize {
        let mut events = 0;
        while decoder.next(&mut input).unwrap().is_some() {
            events += 1;
        }
        events
    }

    #[test]
    fn memory_of_a_huge_event_is_given_back_after_a_small_one() {
        let mut decoder = Decoder::new();
        let huge = vec![b'x'; 4 * RETAINED_BYTES];
        for field in ["data: ", "event: ", "unknown: ", ":"] {
            assert_eq!(count(&mut decoder, field.as_bytes()), 0);
            assert_eq!(count(&mut decoder, &huge), 0);
            assert!(decoder.buf.capacity() > RETAINED_BYTES);
            count(&mut decoder, b"\n\n");
            assert_eq!(count(&mut decoder, b"data: small\n\n"), 1);
            assert!(decoder.buf.capacity() <= RETAINED_BYTES, "{field}");
            assert!(decoder.fields.event.capacity() <= RETAINED_BYTES, "{field}");
        }
    }

    #[test]
    fn a_failed_decoder_holds_no_memory() {
        let mut decoder = Decoder::new().max_event_bytes(100);
        assert_eq!(count(&mut decoder, b"id: 1\nevent: e\ndata: d\n"), 0);
        assert!(decoder.next(&mut [b'x'; 101].as_slice()).is_err());
        assert_eq!(
            decoder.buf.capacity() + decoder.fields.event.capacity() + decoder.fields.id.capacity(),
            0
        );
    }

    #[test]
    fn an_event_of_one_line_within_its_input_is_not_copied() {
        let mut decoder = Decoder::new();
        assert_eq!(
            count(&mut decoder, b"data: a\n\n: comment\r\ndata: b\r\n\r\ndata: c\r\r"),
            3
        );
        assert_eq!(decoder.buf.capacity(), 0);
    }

    #[test]
    fn a_buffer_is_used_again() {
        let mut decoder = Decoder::new();
        count(&mut decoder, b"data: one\ndata: two\n\n");
        let before = decoder.buf.as_ptr();
        for _ in 0..100 {
            assert_eq!(
                count(&mut decoder, b"data: 1\nda") + count(&mut decoder, b"ta: 2\n\n"),
                1
            );
        }
        assert_eq!(decoder.buf.as_ptr(), before);
    }
}
