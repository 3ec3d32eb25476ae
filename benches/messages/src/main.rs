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

use input::{INPUTS, Kind};

const TABLE: &str = "messages";
const PAIRS: usize = 15;
/// Rounds that Valgrind counts, and as many again.
const ROUNDS: u32 = 1;

/// The most bytes that ours may allocate for what is one string, beside those of the struct.
const COPIES: f64 = 1.1;

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Ours,
    Value,
    Struct,
}

/// The peers, and the most that ours may cost beside them.
const PEERS: [(Reader, f64); 2] = [(Reader::Value, 0.6), (Reader::Struct, 1.3)];

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "stromboli",
            Self::Value => "serde_json::Value",
            Self::Struct => "minimal struct",
        }
    }

    fn read(self, kind: Kind, documents: &[String]) {
        for document in documents {
            let document = black_box(document.as_str());
            match (self, kind) {
                // Ours takes a line's text to keep, and so it has to be copied first; a decoder of events lends it.
                (Self::Ours, Kind::Lines) => drop(black_box(Message::parse(document).expect("legal lines"))),
                (Self::Ours, Kind::Page) => whole::<HistoryPage>(document),
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
        for (peer, most) in PEERS {
            let pair = paired(
                PAIRS,
                || Reader::Ours.read(input.kind, &documents),
                || peer.read(input.kind, &documents),
            );
            let row = pair.row(TABLE, input.name, peer.name(), Measure::Time);
            row.budget(Budget::AtMost(most)).print()?;
        }
    }
    Ok(())
}

fn counts() -> Result<()> {
    for input in INPUTS {
        let documents = input.documents();
        let count = |reader: Reader| instructions(&["work", reader.name(), input.name], ROUNDS);
        let ours = count(Reader::Ours)?;
        for (peer, most) in PEERS {
            let row = Row::new(
                TABLE,
                input.name,
                peer.name(),
                Measure::Instructions,
                ours,
                count(peer)?,
            );
            row.budget(Budget::AtMost(most)).print()?;
        }
        let theirs = allocated(|| Reader::Struct.read(input.kind, &documents));
        let row = Row::new(
            TABLE,
            input.name,
            Reader::Struct.name(),
            Measure::Bytes,
            kept(input.kind, documents),
            theirs,
        );
        // Of a text there is one copy in either, so that a second one of ours would show.
        let row = if input.one_string {
            row.budget(Budget::AtMost(COPIES))
        } else {
            row
        };
        row.print()?;
    }
    Ok(())
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
