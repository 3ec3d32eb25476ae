//! One message that is put together from full lines and from the events of its writing.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem::discriminant,
};

use serde_json::value::RawValue;

use crate::{
    ApiMessage, Block, Content, Delta, Json, ServerToolUse, TextBlock, ThinkingBlock, ToolUse, block::text_or_extra,
    stream_event::MessageDelta,
};

/// How many blocks that no full line said are looked at from either end for the one that a full line says now. The line of
/// a block comes when it has just been written, so that one of the ends is near.
const NEAR: usize = 64;

/// What is known of the blocks of a message beside what they say.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// One for each block of the message.
    pieces: Vec<Piece>,
    /// Where the block of each number in the events is.
    indices: HashMap<Option<u64>, usize>,
    /// Where the first block of each full line is.
    lines: HashMap<String, usize>,
    /// Where the blocks are that no full line said, in order.
    unsaid: VecDeque<usize>,
    /// Whether the final usage is known.
    counted: bool,
    /// Whether something of it was taken back.
    retracted: bool,
}

/// A block.
#[derive(Clone, Default)]
struct Piece {
    /// Its number in the events.
    index: Option<u64>,
    /// Whether a full line said it.
    said: bool,
    /// Whether its writing came to its end.
    stopped: bool,
    /// The id of that line.
    uuid: Option<String>,
    /// The input of a tool, as far as it was written.
    input: String,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece")
            .field("index", &self.index)
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}

impl Draft {
    /// Takes the blocks of a full line, each in the place of what was written of it.
    pub(super) fn say(&mut self, message: &mut ApiMessage, blocks: Vec<Block>, uuid: Option<String>) {
        if uuid.as_ref().is_some_and(|uuid| self.lines.contains_key(uuid)) {
            // The same line again.
            return;
        }
        for block in blocks {
            let said = Piece {
                said: true,
                uuid: uuid.clone(),
                ..Piece::default()
            };
            let Some(at) = self.written(message, &block) else {
                self.add(message, said, block);
                continue;
            };
            // Near one of the ends, so that few are moved.
            if let Ok(place) = self.unsaid.binary_search(&at) {
                self.unsaid.remove(place);
            }
            if let Some(uuid) = &uuid {
                self.lines.entry(uuid.clone()).or_insert(at);
            }
            if let Some((piece, place)) = self.block(message, at) {
                *piece = Piece {
                    index: piece.index,
                    ..said
                };
                *place = block;
            }
        }
    }

    /// Takes what a full line says about the message, except for its content.
    pub(super) fn describe(&self, message: &mut ApiMessage, line: ApiMessage) {
        message.id = line.id.or(message.id.take());
        message.kind = line.kind.or(message.kind.take());
        message.role = line.role.or(message.role.take());
        message.model = line.model.or(message.model.take());
        message.stop_reason = line.stop_reason.or(message.stop_reason.take());
        message.stop_sequence = line.stop_sequence.or(message.stop_sequence.take());
        message.stop_details = line.stop_details.or(message.stop_details.take());
        message.container = line.container.or(message.container.take());
        message.context_management = line.context_management.or(message.context_management.take());
        message.diagnostics = line.diagnostics.or(message.diagnostics.take());
        if !self.counted {
            message.usage = line.usage.or(message.usage.take());
        }
        message.extra.extend(line.extra);
    }

    /// Whether the block of this number has begun.
    pub(super) fn knows(&self, index: Option<u64>) -> bool {
        index.is_some() && self.indices.contains_key(&index)
    }

    /// A block begins.
    pub(super) fn start(&mut self, message: &mut ApiMessage, index: Option<u64>, block: Block) {
        let piece = Piece {
            index,
            ..Piece::default()
        };
        self.add(message, piece, block);
    }

    /// A block goes on, or begins where that was missed.
    pub(super) fn go_on(&mut self, message: &mut ApiMessage, index: Option<u64>, delta: &Delta) {
        if !self.indices.contains_key(&index) {
            let block = match delta {
                Delta::Text(_) | Delta::Citations(_) => TextBlock::default().into(),
                Delta::Thinking(_) | Delta::Signature(_) => ThinkingBlock::default().into(),
                Delta::InputJson(_) => ToolUse::default().into(),
                Delta::Unknown(_) => return,
            };
            self.start(message, index, block);
        }
        let Some((piece, block)) = self.numbered(message, index) else {
            return;
        };
        if piece.said {
            return;
        }
        match (delta, block) {
            (Delta::Text(delta), Block::Text(block)) => append(
                &mut block.text,
                &text_or_extra(delta.text.as_deref(), &delta.extra, "text"),
            ),
            (Delta::Citations(delta), Block::Text(block)) => {
                block.citations.get_or_insert_default().extend(delta.citation.clone());
            }
            (Delta::Thinking(delta), Block::Thinking(block)) => {
                append(
                    &mut block.thinking,
                    &text_or_extra(delta.thinking.as_deref(), &delta.extra, "thinking"),
                );
            }
            (Delta::Signature(delta), Block::Thinking(block)) => {
                append(&mut block.signature, delta.signature.as_deref().unwrap_or_default());
            }
            (Delta::InputJson(delta), Block::ToolUse(ToolUse { input, .. }))
            | (Delta::InputJson(delta), Block::ServerToolUse(ServerToolUse { input, .. })) => {
                let more = delta.partial_json.as_deref().unwrap_or_default();
                if !more.is_empty() {
                    // What the block began with is not the input, and a part of it is none either.
                    *input = None;
                    piece.input.push_str(more);
                }
            }
            _ => {}
        }
    }

    /// A block is complete.
    pub(super) fn stop(&mut self, message: &mut ApiMessage, index: Option<u64>) {
        if let Some((piece, block)) = self.numbered(message, index) {
            piece.stop(block);
            piece.stopped = true;
        }
    }

    /// Something about the message has become known.
    pub(super) fn change(&mut self, message: &mut ApiMessage, event: &MessageDelta) {
        if let Some(delta) = event.delta.clone() {
            message.stop_reason = delta.stop_reason.or(message.stop_reason.take());
            message.stop_sequence = delta.stop_sequence.or(message.stop_sequence.take());
            message.stop_details = delta.stop_details.or(message.stop_details.take());
            message.container = delta.container.or(message.container.take());
        }
        if let Some(usage) = &event.usage {
            message.usage.get_or_insert_default().update(usage);
            self.counted = true;
        }
    }

    /// The message is complete. A text that was begun and never written says nothing.
    pub(super) fn complete(&mut self, message: &mut ApiMessage) {
        if let Some(Content::Blocks(blocks)) = &mut message.content {
            for &at in &self.unsaid {
                if let (Some(piece), Some(block)) = (self.pieces.get_mut(at), blocks.get_mut(at)) {
                    piece.stop(block);
                }
            }
        }
        self.retain(message, self.first_unsaid(), |piece, block| {
            let empty = matches!(block, Block::Text(block) if block.text.as_ref().is_some_and(String::is_empty));
            piece.said || !empty
        });
    }

    /// Only what was said in full counts.
    pub(super) fn abandon(&mut self, message: &mut ApiMessage) {
        self.retain(message, self.first_unsaid(), |piece, _| piece.said);
    }

    /// Of the blocks from this one on, only what was said in full counts; of all, where it is not known from which.
    pub(super) fn take_back(&mut self, message: &mut ApiMessage, index: Option<u64>) {
        self.retain(message, self.first_unsaid(), |piece, _| {
            piece.said || (index.is_some() && piece.index < index)
        });
    }

    /// The turn ended before the message did: a block that begins after one that was said in full, and that is neither
    /// said nor written to its end, does not count.
    pub(super) fn cut(&mut self, message: &mut ApiMessage) {
        let from = self.first_unsaid();
        let mut after = from > 0;
        self.retain(message, from, |piece, _| {
            after |= piece.said;
            !after || piece.said || piece.stopped
        });
    }

    /// Takes back the blocks that came in certain lines.
    pub(super) fn retract(&mut self, message: &mut ApiMessage, uuids: &HashSet<&str>) {
        let Some(from) = uuids.iter().filter_map(|uuid| self.lines.get(*uuid).copied()).min() else {
            return;
        };
        self.retain(message, from, |piece, _| {
            !piece.uuid.as_deref().is_some_and(|uuid| uuids.contains(uuid))
        });
        self.retracted = true;
    }

    /// Whether all of it was taken back.
    pub(super) fn is_retracted(&self) -> bool {
        self.retracted && self.pieces.is_empty()
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The ids of the lines that said something of it.
    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.keys()
    }

    fn add(&mut self, message: &mut ApiMessage, piece: Piece, block: Block) {
        if let Some(Content::Blocks(blocks)) = &mut message.content {
            let at = self.pieces.len();
            if !piece.said || piece.index.is_some() {
                self.indices.insert(piece.index, at);
            }
            if !piece.said {
                self.unsaid.push_back(at);
            }
            if let Some(uuid) = &piece.uuid {
                self.lines.entry(uuid.clone()).or_insert(at);
            }
            blocks.push(block);
            self.pieces.push(piece);
        }
    }

    fn block<'a>(&'a mut self, message: &'a mut ApiMessage, at: usize) -> Option<(&'a mut Piece, &'a mut Block)> {
        match &mut message.content {
            Some(Content::Blocks(blocks)) => self.pieces.get_mut(at).zip(blocks.get_mut(at)),
            _ => None,
        }
    }

    /// The block of this number.
    fn numbered<'a>(
        &'a mut self,
        message: &'a mut ApiMessage,
        index: Option<u64>,
    ) -> Option<(&'a mut Piece, &'a mut Block)> {
        let at = *self.indices.get(&index)?;
        self.block(message, at)
    }

    /// What was written of a block that a full line says now: the same text, or else the last of its kind.
    fn written(&self, message: &ApiMessage, block: &Block) -> Option<usize> {
        let blocks = message.as_blocks();
        let fits = |at: usize, fits: fn(&Block, &Block) -> bool| {
            blocks
                .get(at)
                .is_some_and(|written| may_become(written, block) && fits(written, block))
        };
        let mut first = self.unsaid.iter().copied().take(NEAR);
        let mut last = self.unsaid.iter().copied().rev().take(NEAR);
        first
            .find(|at| fits(*at, is_same))
            .or_else(|| last.find(|at| fits(*at, |_, _| true)))
    }

    fn first_unsaid(&self) -> usize {
        self.unsaid.front().copied().unwrap_or(self.pieces.len())
    }

    /// Keeps some of the blocks from this one on, and all before it.
    fn retain(&mut self, message: &mut ApiMessage, from: usize, mut keep: impl FnMut(&Piece, &Block) -> bool) {
        let Some(Content::Blocks(blocks)) = &mut message.content else {
            return;
        };
        if from >= self.pieces.len() || from >= blocks.len() {
            return;
        }
        let (pieces, blocks) = (self.pieces.split_off(from), blocks.split_off(from));
        self.unsaid.truncate(self.unsaid.partition_point(|at| *at < from));
        for piece in &pieces {
            if self.indices.get(&piece.index).is_some_and(|at| *at >= from) {
                self.indices.remove(&piece.index);
            }
            if let Some(uuid) = &piece.uuid
                && self.lines.get(uuid).is_some_and(|at| *at >= from)
            {
                self.lines.remove(uuid);
            }
        }
        for (piece, block) in pieces.into_iter().zip(blocks) {
            if keep(&piece, &block) {
                self.add(message, piece, block);
            }
        }
    }
}

impl Piece {
    /// The input of a tool is all there.
    fn stop(&mut self, block: &mut Block) {
        let (Block::ToolUse(ToolUse { input, .. }) | Block::ServerToolUse(ServerToolUse { input, .. })) = block else {
            return;
        };
        if !self.said && !self.input.is_empty() {
            *input = RawValue::from_string(std::mem::take(&mut self.input))
                .ok()
                .map(Json::from);
        }
    }
}

/// Whether a block that is being written may be this one.
fn may_become(written: &Block, block: &Block) -> bool {
    match (written, block) {
        (Block::ToolUse(written), Block::ToolUse(block)) => written.id.is_none() || written.id == block.id,
        (Block::Unknown(written), Block::Unknown(block)) => written.type_name() == block.type_name(),
        _ => discriminant(written) == discriminant(block),
    }
}

/// Whether a block that was written is this one.
fn is_same(written: &Block, block: &Block) -> bool {
    match (written, block) {
        (Block::Text(written), Block::Text(block)) => written.text == block.text,
        (Block::Thinking(written), Block::Thinking(block)) => written.thinking == block.thinking,
        (Block::ToolUse(written), Block::ToolUse(block)) => block.id.is_some() && written.id == block.id,
        _ => false,
    }
}

fn append(text: &mut Option<String>, more: &str) {
    text.get_or_insert_default().push_str(more);
}
