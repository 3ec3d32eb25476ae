//! Lines: records with ids of their own that keep the text they were read from.

use std::sync::Arc;

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
