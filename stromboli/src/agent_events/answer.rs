//! Whether an answer of the model and the calls of its tools are whole, from the messages of one turn: pure.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use stromboli_messages::{
    AssistantMessage, Block, Delta, Event, Message, ResultMessage, System, TerminalReason, UserMessage,
};

/// The most speakers and open calls that are followed; a server that names more is not followed further.
const MAX_FOLLOWED: usize = 256;
/// The most bytes of a tool's input that are kept to be compared.
const MAX_INPUT: usize = 256 * 1024;

/// The input of a tool that the model called with broken JSON.
const UNPARSED: &str = "__unparsedToolInput";

/// What the main agent and its subagents have said so far in a turn.
pub(super) struct Conversation {
    /// By the hash of the tool use that a subagent works for; the main one's key is `None`.
    speakers: HashMap<Option<u64>, Speaker>,
    /// Everything since the turn's beginning was seen.
    whole: bool,
    has_answer: bool,
}

/// What one of them is in the middle of.
#[derive(Default)]
struct Speaker {
    /// The state is known: it began with an answer's beginning or with a turn's.
    known: bool,
    answer: Option<Answer>,
    /// The hashes of the tool uses that are not answered.
    calls: HashSet<u64>,
}

/// An answer that is being written.
struct Answer {
    id: Option<u64>,
    next_block: u64,
    block: Option<Part>,
    /// A block was written, and the line that says it in one piece did not come.
    has_untold_block: bool,
    has_end: bool,
}

/// A block of it.
#[derive(Default)]
struct Part {
    index: u64,
    /// Blank text is never said in one piece.
    has_words: bool,
    is_told: bool,
    text: usize,
    thinking: usize,
    /// None when it has become too long to keep.
    input: Option<String>,
}

impl Conversation {
    /// At a turn's beginning.
    pub(super) fn begin() -> Self {
        Self {
            speakers: HashMap::from([(
                None,
                Speaker {
                    known: true,
                    ..Speaker::default()
                },
            )]),
            whole: true,
            has_answer: false,
        }
    }

    /// Somewhere in a turn, or after a hole.
    pub(super) fn unknown() -> Self {
        Self {
            speakers: HashMap::new(),
            whole: false,
            has_answer: false,
        }
    }

    /// Takes the next message, and says whether something must have come before it that did not.
    pub(super) fn is_cut_before(&mut self, message: &Message) -> bool {
        let parent = message.parent_tool_use_id();
        match message {
            Message::StreamEvent(line) => line.event.as_ref().is_some_and(|event| {
                self.has_answer |= parent.is_none();
                // So ends an answer that the API broke off, whose last block stays open.
                if matches!(event, Event::Error(_)) || line.abandoned_blocks.is_some() {
                    self.interrupt();
                    return false;
                }
                self.speaker(parent).is_some_and(|speaker| speaker.is_cut_before(event))
            }),
            Message::Assistant(said) => {
                self.has_answer |= parent.is_none();
                self.speaker(parent).is_some_and(|speaker| speaker.differs_from(said))
            }
            Message::User(told) => {
                if let Some(speaker) = self.speaker(parent) {
                    speaker.answer_calls(told);
                }
                false
            }
            // The call of the API failed and is made again, or another model takes over: what was being written is void.
            Message::System(System::ApiRetry(_) | System::ModelRefusalFallback(_)) => {
                self.interrupt();
                false
            }
            Message::Result(result) => self.is_cut_before_result(result),
            _ => false,
        }
    }

    fn speaker(&mut self, parent: Option<&str>) -> Option<&mut Speaker> {
        let key = parent.map(hash);
        if self.speakers.len() >= MAX_FOLLOWED && !self.speakers.contains_key(&key) {
            return None;
        }
        Some(self.speakers.entry(key).or_default())
    }

    fn interrupt(&mut self) {
        for speaker in self.speakers.values_mut() {
            *speaker = Speaker::default();
        }
    }

    fn is_cut_before_result(&mut self, result: &ResultMessage) -> bool {
        let completed = matches!(result.terminal_reason, None | Some(TerminalReason::Completed));
        if !completed || !result.outcome().is_ok() {
            return false;
        }
        let spoke = result.usage().and_then(|usage| usage.output_tokens).unwrap_or(0) > 0;
        let main = self.speakers.get(&None);
        main.is_some_and(Speaker::has_open_call) || (self.whole && spoke && !self.has_answer)
    }
}

impl Speaker {
    fn is_cut_before(&mut self, event: &Event) -> bool {
        match event {
            Event::MessageStart(start) => {
                let hole = self.has_open_call();
                *self = Self {
                    known: true,
                    answer: Some(Answer {
                        id: start
                            .message
                            .as_ref()
                            .and_then(|message| message.id.as_deref())
                            .map(hash),
                        next_block: 0,
                        block: None,
                        has_untold_block: false,
                        has_end: false,
                    }),
                    calls: HashSet::new(),
                };
                hole
            }
            _ if !self.known => false,
            Event::Ping(_) | Event::Unknown(_) | Event::Error(_) => false,
            event => {
                !self.answer.as_mut().is_some_and(|answer| answer.continues_with(event)) || {
                    if matches!(event, Event::MessageStop(_)) {
                        self.answer = None;
                    }
                    false
                }
            }
        }
    }

    /// Notes what was said as a whole, and says whether its pieces were fewer.
    fn differs_from(&mut self, said: &AssistantMessage) -> bool {
        for tool in said.tool_uses().filter_map(|tool| tool.id.as_deref()) {
            if self.calls.len() < MAX_FOLLOWED {
                self.calls.insert(hash(tool));
            }
        }
        let id = said
            .message
            .as_ref()
            .and_then(|message| message.id.as_deref())
            .map(hash);
        // One with another id takes the place of an answer that the API broke off.
        let answer = self.answer.as_mut().filter(|answer| answer.id == id);
        match (answer.and_then(|answer| answer.block.as_mut()), said.blocks()) {
            (Some(part), [block]) => {
                part.is_told = true;
                part.differs_from(block)
            }
            _ => false,
        }
    }

    /// Whether a tool that was called has not answered where it must have. An answer may be open still: one that the API
    /// broke off is not always closed.
    fn has_open_call(&self) -> bool {
        self.known && !self.calls.is_empty()
    }

    fn answer_calls(&mut self, told: &UserMessage) {
        for result in told.tool_results() {
            if let Some(id) = &result.tool_use_id {
                self.calls.remove(&hash(id));
            }
        }
    }
}

impl Answer {
    /// Whether `event` can come next; it is taken then.
    fn continues_with(&mut self, event: &Event) -> bool {
        match event {
            Event::ContentBlockStart(start) => {
                let index = start.index.unwrap_or(self.next_block);
                let fits = self.block.is_none() && index == self.next_block;
                self.block = Some(Part {
                    index,
                    input: Some(String::new()),
                    ..Part::default()
                });
                fits
            }
            Event::ContentBlockDelta(delta) => match (&mut self.block, &delta.delta) {
                (Some(part), Some(change)) if delta.index.is_none_or(|index| index == part.index) => {
                    part.add(change);
                    true
                }
                (block, _) => block.is_some(),
            },
            Event::ContentBlockStop(stop) => match self.block.take() {
                Some(part) => {
                    self.next_block = part.index + 1;
                    self.has_untold_block |= part.has_words && !part.is_told;
                    stop.index.is_none_or(|index| index == part.index)
                }
                None => false,
            },
            // One that the API broke off has no reason for having stopped.
            Event::MessageDelta(end) => {
                let has_reason = end.delta.as_ref().is_some_and(|delta| delta.stop_reason.is_some());
                self.has_end = true;
                self.block.is_none() && !(has_reason && self.has_untold_block)
            }
            Event::MessageStop(_) => self.block.is_none() && self.has_end,
            _ => true,
        }
    }
}

impl Part {
    fn add(&mut self, change: &Delta) {
        match change {
            Delta::Text(delta) => {
                let text = delta.text.as_deref().unwrap_or_default();
                self.has_words |= !text.trim().is_empty();
                self.text += text.len();
            }
            Delta::Thinking(delta) => self.thinking += delta.thinking.as_ref().map_or(0, String::len),
            Delta::InputJson(delta) => {
                let piece = delta.partial_json.as_deref().unwrap_or_default();
                self.input = self.input.take().filter(|input| input.len() + piece.len() <= MAX_INPUT);
                if let Some(input) = &mut self.input {
                    input.push_str(piece);
                }
            }
            _ => {}
        }
    }

    /// Whether the pieces come to less than the block. A hole only takes away, so lengths of text tell.
    fn differs_from(&self, block: &Block) -> bool {
        match block {
            Block::Text(block) => self.text < block.text.as_ref().map_or(0, String::len),
            Block::Thinking(block) => self.thinking < block.thinking.as_ref().map_or(0, String::len),
            Block::ToolUse(tool) => match (&self.input, &tool.input) {
                (Some(pieces), Some(input)) if !pieces.is_empty() => {
                    // What the model itself did not write as JSON is told so, and what cannot be read is not compared.
                    let input = input.to_value().ok().filter(|input| input.get(UNPARSED).is_none());
                    let pieces = stromboli_generated::json(pieces).ok();
                    input.is_some() && input != pieces
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// Ids are only compared, and a server can make them as long as an event.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
