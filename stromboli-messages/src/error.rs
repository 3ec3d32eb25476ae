//! Why a line is not a message.

use std::fmt;

/// A line that is not a JSON object, or in a transcript one with a field name that Rust's strings cannot hold (half of a
/// surrogate pair). It holds the line, and shows nothing of it.
pub struct ParseError(Box<Inner>);

struct Inner {
    line: String,
    /// Of the syntax alone, so it never quotes the line.
    source: Option<serde_json::Error>,
}

impl ParseError {
    pub(crate) fn syntax(line: String, source: serde_json::Error) -> Self {
        Self(Box::new(Inner {
            line,
            source: Some(source),
        }))
    }

    pub(crate) fn not_an_object(line: String) -> Self {
        Self(Box::new(Inner { line, source: None }))
    }

    /// The line as it was given.
    pub fn line(&self) -> &str {
        &self.0.line
    }

    /// The line as it was given.
    pub fn into_line(self) -> String {
        self.0.line
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.source {
            Some(_) => "the line is not JSON",
            None => "the line is JSON but no object with names that can be held",
        })
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParseError")
            .field("bytes", &self.0.line.len())
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}
