//! Lines: records with ids of their own that keep the text they were read from.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Owner, Record, Shape, Slot, View, Wire, lenient::recover_place, strict::read_text};
use crate::{ParseError, UnknownMessage};

/// Reads a line, and hands it on to be kept. It is shared, so that a copy of a message has it too.
pub(crate) fn parse<L: Wire>(line: String, keep: fn(&mut L, Arc<String>)) -> Result<L, ParseError> {
    let line = Arc::new(line);
    let mut syntax = None;
    let value = Option::filled(&mut |slot| read(&line, slot, &mut syntax), &mut |value| {
        keep(value, Arc::clone(&line));
    });
    match value {
        Some(value) => Ok(value),
        None => Err(failed(line, syntax)),
    }
}

fn read(line: &str, slot: &mut dyn Slot, syntax: &mut Option<serde_json::Error>) -> bool {
    if read_text(line, slot.place(), 0).is_ok() {
        return true;
    }
    match serde_json::from_str::<&RawValue>(line) {
        Ok(raw) => recover_place(slot.place(), raw, 0),
        Err(error) => {
            *syntax = Some(error);
            false
        }
    }
}

fn failed(line: Arc<String>, syntax: Option<serde_json::Error>) -> ParseError {
    let line = Arc::unwrap_or_clone(line);
    match syntax {
        Some(error) => ParseError::syntax(line, error),
        None => ParseError::not_an_object(line),
    }
}

pub(crate) fn keep(shape: Shape<'_>, line: Arc<String>) {
    match shape {
        Shape::Record(record) => record.keep_line(line),
        Shape::Tagged(tagged) => {
            if let Some(chosen) = tagged.chosen() {
                keep(chosen, line);
            }
        }
        Shape::UnknownMessage(unknown) => unknown.keep_line(line),
        // Never a line.
        Shape::Unknown(_) => {}
    }
}

/// What a line is.
pub(crate) enum Line<'a> {
    Known(&'a dyn Record),
    Unknown(&'a UnknownMessage),
}

impl<'a> Line<'a> {
    pub(crate) fn of(view: View<'a>) -> Option<Self> {
        match view {
            View::Record(record) => Some(Self::Known(record)),
            View::UnknownMessage(unknown) => Some(Self::Unknown(unknown)),
            View::Tagged(choice) => Self::of(choice.chosen()),
            _ => None,
        }
    }
}

/// Defines a record that is a whole line, with the two ids that every line has.
macro_rules! message {
    (
        $(#[$doc:meta])*
        pub struct $name:ident [$($tags:tt)+] { $($fields:tt)* }
    ) => {
        $crate::wire::record! {
            $(#[$doc])*
            pub struct $name [$($tags)+] keeps line {
                $($fields)*
                /// The id of this message.
                uuid: String;
                /// The session it belongs to.
                session_id: String;
            }
        }
    };
}
pub(crate) use message;
