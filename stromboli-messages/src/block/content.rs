//! Content that is either a plain string or a list of blocks.

use std::{borrow::Cow, fmt};

use super::{Block, TextBlock, join, texts};
use crate::wire::{Place, Shown, View, Wire, deserialize_by_wire, serialize_by_view};

/// The content of a message or of a tool result: which of the two it was is kept.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// A plain string.
    Text(String),
    /// A list of blocks.
    Blocks(Vec<Block>),
}

impl Content {
    /// The blocks either way: a plain string is one block of text.
    pub fn blocks(&self) -> Cow<'_, [Block]> {
        match self {
            Self::Text(text) => Cow::Owned(vec![TextBlock::new(text).into()]),
            Self::Blocks(blocks) => Cow::Borrowed(blocks),
        }
    }

    /// The blocks either way, without copying.
    pub fn into_blocks(self) -> Vec<Block> {
        match self {
            Self::Text(text) => vec![TextBlock::new(text).into()],
            Self::Blocks(blocks) => blocks,
        }
    }

    /// The blocks as they stand; none for a plain string.
    pub fn as_blocks(&self) -> &[Block] {
        match self {
            Self::Text(_) => &[],
            Self::Blocks(blocks) => blocks,
        }
    }

    /// The text of all text blocks, or the plain string.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Blocks(blocks) => join(texts(blocks)),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Block>> for Content {
    fn from(blocks: Vec<Block>) -> Self {
        Self::Blocks(blocks)
    }
}

impl Shown for Content {
    fn view(&self) -> View<'_> {
        View::Content(self)
    }
}

impl Wire for Content {
    fn place(slot: &mut Option<Self>) -> Place<'_> {
        Place::Content(slot)
    }
}

deserialize_by_wire!(Content);
serialize_by_view!(Content);

/// Shows the blocks, which hide what they say.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text([redacted])"),
            Self::Blocks(blocks) => f.debug_tuple("Blocks").field(blocks).finish(),
        }
    }
}
