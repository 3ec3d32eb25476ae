//! A conversation that goes on: whether its last message is being written, and what of it was also said in full.

use std::collections::{HashMap, HashSet};

use super::draft::Draft;
use crate::{
    ApiMessage, AssistantMessage, Content, Event, ToolAnswer, stream_event::AbandonedBlocks, turn::Conversation,
};

/// What is known of the messages of a conversation beside what they say.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialogue {
    /// One for each message of the conversation.
    drafts: Vec<Draft>,
    /// Where the messages of each id are.
    ids: HashMap<String, Vec<usize>>,
    /// Where the message of each full line is.
    lines: HashMap<String, usize>,
    /// Where the first answer of each line with answers is.
    answers: HashMap<String, usize>,
    /// Whether the last message is being written.
    open: bool,
    /// Whether the API failed since the last event.
    doubtful: bool,
}

impl Dialogue {
    /// Takes a full line. What its blocks said while they were being written is replaced by it.
    pub(super) fn say(&mut self, conversation: &mut Conversation, line: AssistantMessage) {
        let Some(mut message) = line.message else { return };
        let blocks = message.content.take().map(Content::into_blocks).unwrap_or_default();
        let last = conversation.messages.len().saturating_sub(1);
        let at = match self.find(message.id.as_ref()) {
            Some(at) => {
                if at != last {
                    self.abandon(conversation);
                }
                at
            }
            // A message whose beginning was missed has no id yet.
            None if self.open && conversation.messages.last().is_some_and(|open| open.id.is_none()) => last,
            None => {
                self.abandon(conversation);
                self.begin(conversation, ApiMessage::default());
                conversation.messages.len() - 1
            }
        };
        if let (Some(draft), Some(joined)) = (self.drafts.get_mut(at), conversation.messages.get_mut(at)) {
            if let Some(uuid) = &line.uuid {
                self.lines.insert(uuid.clone(), at);
            }
            draft.say(joined, blocks, line.uuid);
            let had_id = joined.id.is_some();
            draft.describe(joined, message);
            if let (false, Some(id)) = (had_id, &joined.id) {
                self.ids.entry(id.clone()).or_default().push(at);
            }
        }
    }

    /// Takes the answer of a tool.
    pub(super) fn answer(&mut self, conversation: &mut Conversation, answer: ToolAnswer) {
        if let Some(uuid) = &answer.uuid {
            let at = conversation.answers.len();
            self.answers.entry(uuid.clone()).or_insert(at);
        }
        conversation.answers.push(answer);
    }

    /// Takes an event of a message that is being written.
    pub(super) fn event(&mut self, conversation: &mut Conversation, event: &Event) {
        self.doubtful = false;
        match event {
            Event::MessageStart(event) => {
                self.abandon(conversation);
                let message = event.message.clone().unwrap_or_default();
                let again = conversation.messages.last().is_some_and(|last| same_id(last, &message));
                if !again {
                    self.begin(conversation, message);
                }
                self.open = true;
            }
            Event::ContentBlockStart(event) => {
                // A block that is there already: the end of one message and the beginning of another were missed.
                if self
                    .drafts
                    .last()
                    .is_some_and(|draft| self.open && draft.knows(event.index))
                {
                    self.complete(conversation);
                }
                if let (Some(block), (Some(draft), Some(message))) = (&event.content_block, self.written(conversation))
                {
                    draft.start(message, event.index, block.clone());
                }
            }
            Event::ContentBlockDelta(event) => {
                if let (Some(delta), (Some(draft), Some(message))) = (&event.delta, self.written(conversation)) {
                    draft.go_on(message, event.index, delta);
                }
            }
            Event::ContentBlockStop(event) => {
                if let (Some(draft), Some(message)) = self.written(conversation) {
                    draft.stop(message, event.index);
                }
            }
            Event::MessageDelta(event) => {
                if let (Some(draft), Some(message)) = self.written(conversation) {
                    draft.change(message, event);
                }
            }
            Event::MessageStop(_) => self.complete(conversation),
            Event::Ping(_) | Event::Error(_) | Event::Unknown(_) => {}
        }
    }

    /// The API failed: what is being written does not count, unless it goes on.
    pub(super) fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// The API broke an answer off: of the blocks from this one on, only those count that were said in full.
    pub(super) fn take_back(&mut self, conversation: &mut Conversation, abandoned: &AbandonedBlocks) {
        let last = conversation.messages.len().checked_sub(1);
        let at = match &abandoned.api_message_id {
            Some(id) => self
                .find(Some(id))
                // One whose beginning was missed has no id.
                .or(last.filter(|_| conversation.messages.last().is_some_and(|message| message.id.is_none()))),
            None => last,
        };
        let Some(at) = at else { return };
        if let (Some(draft), Some(message)) = (self.drafts.get_mut(at), conversation.messages.get_mut(at)) {
            draft.take_back(message, abandoned.from_block_index);
            if draft.is_empty() {
                self.open &= Some(at) != last;
                self.retain(conversation, at, |place, _| place != at);
            }
        }
    }

    /// Takes back the messages that came in lines with these ids.
    pub(super) fn retract(&mut self, conversation: &mut Conversation, uuids: &[String]) {
        let mut named: HashMap<usize, HashSet<&str>> = HashMap::new();
        for uuid in uuids {
            if let Some(at) = self.lines.remove(uuid) {
                named.entry(at).or_default().insert(uuid);
            }
        }
        for (at, uuids) in &named {
            if let (Some(draft), Some(message)) = (self.drafts.get_mut(*at), conversation.messages.get_mut(*at)) {
                draft.retract(message, uuids);
            }
        }
        if let Some(first) = named.keys().min() {
            // One that is being written may be empty for now.
            let open = self.open.then(|| self.drafts.len().saturating_sub(1));
            self.retain(conversation, *first, |at, draft| {
                !draft.is_retracted() || Some(at) == open
            });
        }

        let mut first = None;
        let mut retracted = HashSet::new();
        for uuid in uuids {
            if let Some(at) = self.answers.remove(uuid) {
                first = Some(first.map_or(at, |first: usize| first.min(at)));
                retracted.insert(uuid.as_str());
            }
        }
        let Some(first) = first.filter(|first| *first <= conversation.answers.len()) else {
            return;
        };
        let answers = conversation.answers.split_off(first);
        for uuid in answers.iter().filter_map(|answer| answer.uuid.as_ref()) {
            self.answers.remove(uuid);
        }
        for answer in answers {
            if !answer
                .uuid
                .as_ref()
                .is_some_and(|uuid| retracted.contains(uuid.as_str()))
            {
                self.answer(conversation, answer);
            }
        }
    }

    /// The turn ends, with a result or because no more messages come.
    pub(super) fn end(&mut self, conversation: &mut Conversation, has_result: bool) {
        if self.doubtful {
            self.abandon(conversation);
        } else if self.open {
            if let (true, Some(draft), Some(message)) =
                (has_result, self.drafts.last_mut(), conversation.messages.last_mut())
            {
                draft.cut(message);
            }
            self.complete(conversation);
        }
    }

    /// The message that is being written; one without an id if its beginning was missed.
    fn written<'a>(
        &'a mut self,
        conversation: &'a mut Conversation,
    ) -> (Option<&'a mut Draft>, Option<&'a mut ApiMessage>) {
        if !self.open {
            self.begin(conversation, ApiMessage::default());
            self.open = true;
        }
        (self.drafts.last_mut(), conversation.messages.last_mut())
    }

    fn begin(&mut self, conversation: &mut Conversation, mut message: ApiMessage) {
        let blocks = message.content.take().map(Content::into_blocks).unwrap_or_default();
        message.content = Some(Content::Blocks(Vec::new()));
        let mut draft = Draft::default();
        for (index, block) in (0..).zip(blocks) {
            draft.start(&mut message, Some(index), block);
        }
        self.push(conversation, draft, message);
        self.open = false;
    }

    /// The message that is being written has all it gets.
    fn complete(&mut self, conversation: &mut Conversation) {
        self.open = false;
        if let (Some(draft), Some(message)) = (self.drafts.last_mut(), conversation.messages.last_mut()) {
            draft.complete(message);
        }
    }

    /// The message that is being written does not get to its end, because the answer was asked for again: what was not
    /// said in full does not count.
    fn abandon(&mut self, conversation: &mut Conversation) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        if let (Some(draft), Some(message)) = (self.drafts.last_mut(), conversation.messages.last_mut()) {
            draft.abandon(message);
            if draft.is_empty() {
                let at = self.drafts.len() - 1;
                self.retain(conversation, at, |_, _| false);
            }
        }
    }

    fn push(&mut self, conversation: &mut Conversation, draft: Draft, message: ApiMessage) {
        let at = self.drafts.len();
        if let Some(id) = &message.id {
            self.ids.entry(id.clone()).or_default().push(at);
        }
        for uuid in draft.lines() {
            self.lines.insert(uuid.clone(), at);
        }
        self.drafts.push(draft);
        conversation.messages.push(message);
    }

    /// Keeps some of the messages from this one on, and all before it.
    fn retain(&mut self, conversation: &mut Conversation, from: usize, keep: impl Fn(usize, &Draft) -> bool) {
        if from >= self.drafts.len()
            || (from..self.drafts.len())
                .zip(self.drafts.iter().skip(from))
                .all(|(at, draft)| keep(at, draft))
        {
            return;
        }
        let drafts = self.drafts.split_off(from);
        let messages = conversation.messages.split_off(from);
        for id in messages.iter().filter_map(|message| message.id.as_ref()) {
            if let Some(places) = self.ids.get_mut(id) {
                places.retain(|at| *at < from);
                if places.is_empty() {
                    self.ids.remove(id);
                }
            }
        }
        for (at, (draft, message)) in (from..).zip(drafts.into_iter().zip(messages)) {
            if keep(at, &draft) {
                self.push(conversation, draft, message);
            }
        }
    }

    /// Where the message of this id is, the last if there are more.
    fn find(&self, id: Option<&String>) -> Option<usize> {
        self.ids.get(id?)?.last().copied()
    }
}

fn same_id(a: &ApiMessage, b: &ApiMessage) -> bool {
    a.id.is_some() && a.id == b.id
}
