//! What reading messages costs, beside a tree of serde_json's values and beside the least struct that is of use.
//!
//! `bench-messages [--check]` prints rows; `bench-messages work READER INPUT ROUNDS` reads, for Valgrind to count.

mod input;
#[allow(dead_code, reason = "fields are read and dropped")]
mod minimal;

use std::hint::black_box;

use report::{Budget, Measure, Result, Row, allocations, instructions, paired};
use serde::de::DeserializeOwned;
use stromboli_generated::types::HistoryPage;
use stromboli_messages::Message;

use input::{INPUTS, Input, Kind};

const TABLE: &str = "messages";
const LIMITS: &str = "messages-limits";
const PAIRS: usize = 15;
/// Rounds that Valgrind counts, and as many again.
const ROUNDS: u32 = 1;

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Ours,
    Value,
    Struct,
}

const PEERS: [Reader; 2] = [Reader::Value, Reader::Struct];

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "stromboli",
            Self::Value => "serde_json::Value",
            Self::Struct => "minimal struct",
        }
    }

    /// The most that ours may cost beside it.
    fn most(self, input: &Input) -> Option<f64> {
        match self {
            Self::Value => Some(input.beside_value),
            Self::Struct => input.beside_struct,
            Self::Ours => None,
        }
    }

    fn read(self, kind: Kind, documents: &[String]) {
        for document in documents {
            let document = black_box(document.as_str());
            match (self, kind) {
                // Ours takes a line's text to keep, and so it has to be copied first; a decoder of events lends it.
                (Self::Ours, Kind::Lines) => drop(black_box(Message::parse(document).expect("legal lines"))),
                // As the client does it.
                (Self::Ours, Kind::Page) => drop(black_box(
                    stromboli_messages::from_slice::<HistoryPage>(document.as_bytes()).expect("legal JSON"),
                )),
                (Self::Value, _) => whole::<serde_json::Value>(document),
                (Self::Struct, Kind::Lines) => whole::<minimal::Line>(document),
                (Self::Struct, Kind::Page) => whole::<minimal::Page>(document),
            }
        }
    }
}

/// Reads it as a client does that has received bytes.
fn whole<T: DeserializeOwned>(document: &str) {
    drop(black_box(
        serde_json::from_slice::<T>(document.as_bytes()).expect("legal JSON"),
    ));
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["work", reader, name, rounds] => {
            let readers = [Reader::Ours, Reader::Value, Reader::Struct];
            let reader = readers
                .into_iter()
                .find(|it| it.name() == *reader)
                .ok_or("no such reader")?;
            let input = INPUTS.into_iter().find(|it| it.name == *name).ok_or("no such input")?;
            let documents = input.documents();
            (0..rounds.parse()?).for_each(|_: u32| reader.read(input.kind, &documents));
            Ok(())
        }
        ["--check"] => counts(),
        [] => {
            times()?;
            counts()
        }
        _ => Err("usage: bench-messages [--check]".into()),
    }
}

fn times() -> Result<()> {
    for input in INPUTS {
        let documents = input.documents();
        let read = |reader: Reader| reader.read(input.kind, &documents);
        for peer in PEERS {
            let pair = paired(PAIRS, || read(Reader::Ours), || read(peer));
            let row = pair.row(TABLE, input.name, peer.name(), Measure::Time);
            within(row, peer.most(&input)).print()?;
        }
        // What is left to gain where it is little: how far the peers are apart, and what no reader can do without.
        let pair = paired(PAIRS, || read(Reader::Struct), || read(Reader::Value));
        let case = format!("minimal struct: {}", input.name);
        pair.row(LIMITS, &case, Reader::Value.name(), Measure::Time).print()?;
        let pair = paired(PAIRS, || copied(&documents), || read(Reader::Value));
        let case = format!("search and copy: {}", input.name);
        pair.row(LIMITS, &case, Reader::Value.name(), Measure::Time).print()?;
    }
    Ok(())
}

/// Looks at every byte for what ends or escapes a string, and copies it.
fn copied(documents: &[String]) {
    for document in documents {
        let bytes = black_box(document.as_bytes());
        black_box(memchr::memchr2_iter(b'"', b'\\', bytes).count());
        black_box(bytes.to_vec());
    }
}

fn counts() -> Result<()> {
    for input in INPUTS {
        let count = |reader: Reader| instructions(&["work", reader.name(), input.name], ROUNDS);
        let ours = count(Reader::Ours)?;
        for peer in PEERS {
            let row = Row::new(
                TABLE,
                input.name,
                peer.name(),
                Measure::Instructions,
                ours,
                count(peer)?,
            );
            within(row, peer.most(&input)).print()?;
        }
        let documents = input.documents();
        let theirs = allocated(|| Reader::Struct.read(input.kind, &documents));
        let ours = kept(input.kind, documents);
        let row = Row::new(TABLE, input.name, Reader::Struct.name(), Measure::Bytes, ours, theirs);
        within(row, input.bytes).print()?;
    }
    Ok(())
}

fn within(row: Row, most: Option<f64>) -> Row {
    match most {
        Some(most) => row.budget(Budget::AtMost(most)),
        None => row,
    }
}

/// The bytes that ours allocates in all, given the lines to keep, as a stream has them.
fn kept(kind: Kind, documents: Vec<String>) -> f64 {
    match kind {
        Kind::Lines => allocated(|| {
            for line in documents {
                drop(black_box(Message::parse(line).expect("legal lines")));
            }
        }),
        Kind::Page => allocated(|| Reader::Ours.read(kind, &documents)),
    }
}

fn allocated(work: impl FnOnce()) -> f64 {
    allocations(work).bytes_total as f64
}
