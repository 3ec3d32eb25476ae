//! Lines: records with ids of their own that keep the text they were read from.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Wire, recover, strict};
use crate::ParseError;

/// What the records that are whole lines have in common. The line is shared, so that a copy of a message has it too.
pub(crate) trait Line {
    fn uuid(&self) -> Option<&str>;
    fn session_id(&self) -> Option<&str>;
    fn line(&self) -> Option<&str>;
    fn keep_line(&mut self, line: Arc<String>);
}

impl<L: Line> Line for Box<L> {
    fn uuid(&self) -> Option<&str> {
        L::uuid(self)
    }

    fn session_id(&self) -> Option<&str> {
        L::session_id(self)
    }

    fn line(&self) -> Option<&str> {
        L::line(self)
    }

    fn keep_line(&mut self, line: Arc<String>) {
        L::keep_line(self, line);
    }
}

/// Reads a line, and keeps it.
pub(crate) fn parse<L: Line + Wire>(line: String) -> Result<L, ParseError> {
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
    value.keep_line(line.into());
    Ok(value)
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
