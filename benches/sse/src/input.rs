//! What is decoded: streams of one kind of event each, cut into chunks of one size.

use bytes::Bytes;

use crate::decoders::EVENTSOURCE_STREAM;

/// A kind of event.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    event: fn(usize) -> String,
    /// Bytes of a stream, about.
    bytes: usize,
    /// A line is long enough that its bytes count and not its event.
    pub long: bool,
}

pub const CASES: [Case; 5] = [
    Case {
        name: "58-byte tokens",
        event: token,
        bytes: 1 << 20,
        long: false,
    },
    Case {
        name: "named 390-byte events",
        event: named,
        bytes: 1 << 20,
        long: false,
    },
    Case {
        name: "64 KiB lines",
        event: |number| line(number, 64 << 10, "the quick brown fox "),
        bytes: 2 << 20,
        long: true,
    },
    Case {
        name: "64 KiB lines, not ASCII",
        event: |number| line(number, 64 << 10, "der schöne Fuß läuft – 速い "),
        bytes: 2 << 20,
        long: true,
    },
    Case {
        name: "4 MiB lines",
        event: |number| line(number, 4 << 20, "the quick brown fox "),
        bytes: 32 << 20,
        long: true,
    },
];

/// Into what a stream is cut.
#[derive(Clone, Copy)]
pub struct Chunk {
    pub name: &'static str,
    pub bytes: usize,
}

/// A segment of TCP, a frame of HTTP/2, more than a socket gives at once, and the worst.
pub const CHUNKS: [Chunk; 4] = [
    Chunk {
        name: "1 400 B",
        bytes: 1_400,
    },
    Chunk {
        name: "16 KiB",
        bytes: 16 << 10,
    },
    Chunk {
        name: "1 MiB",
        bytes: 1 << 20,
    },
    Chunk { name: "1 B", bytes: 1 },
];

/// Streams in chunks of one byte are this short, or one event.
const BYTEWISE: usize = 64 << 10;

fn token(number: usize) -> String {
    // 58 bytes with its line ends, as a server that prints tokens sends them.
    format!("data: {{\"type\":\"delta\",\"n\":{number:06},\"text\":\" words and so\"}}\n\n")
}

fn named(number: usize) -> String {
    let head = format!("id: {number:06}\nevent: content_block_delta\ndata: {{\"text\":\"");
    let text = "lorem ipsum ".repeat(40);
    let rest = 390 - head.len() - "\"}\n\n".len();
    format!("{head}{}\"}}\n\n", &text[..rest])
}

fn line(number: usize, bytes: usize, text: &str) -> String {
    let head = format!("data: {{\"n\":{number:06},\"text\":\"");
    let repeated = text.repeat((bytes - head.len()) / text.len());
    format!("{head}{repeated}\"}}\n\n")
}

impl Case {
    /// Whether a decoder would take seconds or hours, since its time grows with the square of what it has not decoded yet.
    pub fn is_too_much(&self, peer: &str, chunk: Chunk) -> bool {
        peer == EVENTSOURCE_STREAM && (self.name.starts_with("4 MiB") || self.long && chunk.bytes == 1)
    }

    /// A stream, as it arrives in chunks of a size.
    pub fn chunks(&self, size: usize) -> Vec<Bytes> {
        self.chunks_of(size, if size == 1 { BYTEWISE } else { self.bytes })
    }

    /// A stream of about so many bytes.
    pub fn chunks_of(&self, size: usize, bytes: usize) -> Vec<Bytes> {
        let mut stream = String::new();
        for number in 0.. {
            stream += &(self.event)(number);
            if stream.len() + stream.len() / (number + 1) > bytes {
                break;
            }
        }
        let stream = Bytes::from(stream);
        let starts = (0..stream.len()).step_by(size);
        starts
            .map(|start| stream.slice(start..stream.len().min(start + size)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_the_size_that_their_names_say() {
        assert_eq!(token(1).len(), 58);
        assert_eq!(named(1).len(), 390);
        assert!((65_400..=65_540).contains(&line(1, 64 << 10, "der schöne Fuß läuft – 速い ").len()));
    }

    #[test]
    fn chunks_are_of_one_size() {
        let chunks = CASES[0].chunks(1_400);
        assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == 1_400));
        assert!(chunks.len() > 700);
    }
}
