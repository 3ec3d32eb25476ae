//! Lines: records with ids of their own that keep the text they were read from.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Record, Shape, Variant, View, Wire, recover, strict};
use crate::{ParseError, UnknownMessage};

/// Reads a line, and keeps it. It is shared, so that a copy of a message has it too.
pub(crate) fn parse<L: Wire + Variant>(line: String) -> Result<L, ParseError> {
    let mut value: L = match strict(&line) {
        Ok(value) => value,
        Err(_) => match serde_json::from_str::<&RawValue>(&line) {
            Ok(raw) => match recover(raw) {
                Some(value) => value,
                None => return Err(ParseError::not_an_object(line)),
            },
            Err(error) => return Err(ParseError::syntax(line, error)),
        },
    };
    keep(value.shape(), line.into());
    Ok(value)
}

fn keep(shape: Shape<'_>, line: Arc<String>) {
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
