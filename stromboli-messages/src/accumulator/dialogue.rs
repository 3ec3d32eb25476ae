//! A conversation that goes on: whether its last message is being written, and what of it was also said in full.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::{ApiMessage, AssistantMessage, Content, Event, turn::Conversation};

/// What is known of the messages of a conversation beside what they say.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialogue {
    /// One for each message of the conversation.
    drafts: Vec<Draft>,
    /// Where the message of an id is, the last one.
    ids: BTreeMap<String, usize>,
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
        let at = match message.id.as_ref().and_then(|id| self.ids.get(id).copied()) {
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
            draft.say(joined, blocks, line.uuid);
            draft.describe(joined, message);
            if let Some(id) = &joined.id {
                self.ids.insert(id.clone(), at);
            }
        }
    }

    /// Takes an event of a message that is being written.
    pub(super) fn event(&mut self, conversation: &mut Conversation, event: &Event) {
        self.doubtful = false;
        match event {
            Event::MessageStart(event) => {
                self.abandon(conversation);
                let message = event.message.clone().unwrap_or_default();
                let last = conversation.messages.last();
                let again = message.id.is_some() && last.is_some_and(|last| last.id == message.id);
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

    /// Takes back the messages that came in lines with these ids.
    pub(super) fn retract(&mut self, conversation: &mut Conversation, uuids: &[String]) {
        let retracted = |uuid: &Option<String>| uuid.as_ref().is_some_and(|uuid| uuids.contains(uuid));
        let drafts = std::mem::take(&mut self.drafts);
        let messages = std::mem::take(&mut conversation.messages);
        self.ids.clear();
        let last = drafts.len().saturating_sub(1);
        for (at, (mut draft, mut message)) in drafts.into_iter().zip(messages).enumerate() {
            draft.retract(&mut message, retracted);
            // One that is being written may be empty for now.
            if draft.is_retracted() && !(self.open && at == last) {
                continue;
            }
            self.add(conversation, draft, message);
        }
        conversation.answers.retain(|answer| !retracted(&answer.uuid));
    }

    /// The turn ends.
    pub(super) fn end(&mut self, conversation: &mut Conversation) {
        if self.doubtful {
            self.abandon(conversation);
        } else if self.open {
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
        self.add(conversation, draft, message);
        self.open = false;
    }

    fn add(&mut self, conversation: &mut Conversation, draft: Draft, message: ApiMessage) {
        if let Some(id) = &message.id {
            self.ids.insert(id.clone(), self.drafts.len());
        }
        self.drafts.push(draft);
        conversation.messages.push(message);
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
                self.drafts.pop();
                if let Some(id) = conversation.messages.pop().and_then(|message| message.id) {
                    self.ids.remove(&id);
                }
            }
        }
    }
}
