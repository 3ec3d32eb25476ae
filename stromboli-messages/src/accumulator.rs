//! Messages folded into turns: no IO, no clock.

mod dialogue;
mod draft;

use std::{borrow::Cow, collections::HashMap};

use dialogue::Dialogue;

use crate::{
    AssistantMessage, Block, Content, Message, ResultMessage, StreamEvent, System, ToolAnswer, Turn, UserMessage,
    turn::Conversation, wire::Owner,
};

/// Folds the messages of a session into turns.
///
/// It takes full `assistant` lines, the events of answers that are being written, or both together; what comes both ways
/// counts once. Subagents have conversations of their own. Prompts are not part of a turn.
///
/// ```
/// use stromboli_messages::{Accumulator, Message};
///
/// let mut turns = Accumulator::new();
/// for line in [
///     r#"{"type":"assistant","message":{"id":"msg_1","content":[{"type":"text","text":"Hello"}]}}"#,
///     r#"{"type":"result","subtype":"success","is_error":false,"result":"Hello","total_cost_usd":0.01}"#,
/// ] {
///     if let Some(turn) = turns.push(Message::parse(line)?) {
///         assert_eq!(turn.text(), "Hello");
///         assert_eq!(turn.total_cost_usd(), Some(0.01));
///     }
/// }
/// assert_eq!(turns.finish(), None);
/// # Ok::<(), stromboli_messages::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Accumulator {
    turn: Turn,
    main: Dialogue,
    /// One for each of the turn's subagents.
    subagents: Vec<Dialogue>,
    /// Which of them works for each tool use.
    parents: HashMap<String, usize>,
}

impl Accumulator {
    /// With nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next message, and gives the turn that it ends.
    ///
    /// What is pushed by value is moved into the turn; of what is pushed by reference, the content is copied once.
    pub fn push<'a>(&mut self, message: impl Into<Cow<'a, Message>>) -> Option<Turn> {
        match message.into() {
            Cow::Borrowed(message) => self.copy(message),
            Cow::Owned(message) => self.own(message),
        }
    }

    /// The turn as far as it has come.
    pub fn current(&self) -> &Turn {
        &self.turn
    }

    /// The turn that broke off, when no more messages come; `None` if nothing was said in it.
    pub fn finish(&mut self) -> Option<Turn> {
        let turn = self.end(None);
        (!turn.is_empty()).then_some(turn)
    }

    // Inlined, so that what it copies is compiled for those that call it.
    #[inline]
    fn copy(&mut self, message: &Message) -> Option<Turn> {
        match message {
            Message::Assistant(message) => self.say(AssistantMessage::clone(message)),
            Message::User(message) if answers(message) => self.answer(UserMessage::clone(message)),
            Message::Result(result) => return Some(self.end(Some(result.clone()))),
            other => self.see(other),
        }
        None
    }

    fn own(&mut self, message: Message) -> Option<Turn> {
        Option::lend(message, &mut |message| self.take(message))
    }

    fn take(&mut self, message: &mut Message) -> Option<Turn> {
        match message {
            Message::Assistant(message) => self.say(std::mem::take(&mut **message)),
            Message::User(message) if answers(message) => self.answer(std::mem::take(&mut **message)),
            Message::Result(result) => return Some(self.end(Some(std::mem::take(result)))),
            other => self.see(other),
        }
        None
    }

    /// Takes a message whose content does not become part of the turn.
    fn see(&mut self, message: &Message) {
        match message {
            Message::StreamEvent(message) => self.event(message),
            Message::System(System::ApiRetry(_)) => self.main.doubt(),
            Message::System(System::ModelRefusalFallback(message)) => {
                self.retract(message.retracted_message_uuids.as_deref().unwrap_or_default());
            }
            _ => {}
        }
    }

    fn event(&mut self, message: &StreamEvent) {
        let (dialogue, conversation) = self.place(message.parent());
        if let Some(event) = &message.event {
            dialogue.event(conversation, event);
        }
        if let Some(abandoned) = &message.abandoned_blocks {
            dialogue.take_back(conversation, abandoned);
        }
    }

    fn say(&mut self, message: AssistantMessage) {
        self.retract(message.supersedes.as_deref().unwrap_or_default());
        let (dialogue, conversation) = self.place(message.parent());
        dialogue.say(conversation, message);
    }

    fn answer(&mut self, message: UserMessage) {
        let (dialogue, conversation) = self.place(message.parent());
        answer(dialogue, conversation, message);
    }

    /// The conversation that a message belongs to.
    fn place(&mut self, parent: Option<&str>) -> (&mut Dialogue, &mut Conversation) {
        let Some(parent) = parent else {
            return (&mut self.main, &mut self.turn.main);
        };
        let at = self.parents.get(parent).copied().unwrap_or_else(|| {
            self.parents.insert(parent.to_owned(), self.subagents.len());
            self.subagents.push(Dialogue::default());
            self.turn.subagents.push(Conversation {
                parent_tool_use_id: Some(parent.to_owned()),
                ..Conversation::default()
            });
            self.turn.subagents.len() - 1
        });
        match (self.subagents.get_mut(at), self.turn.subagents.get_mut(at)) {
            (Some(dialogue), Some(conversation)) => (dialogue, conversation),
            // There are as many of the one as of the other.
            _ => (&mut self.main, &mut self.turn.main),
        }
    }

    /// Takes back messages that do not count any more.
    fn retract(&mut self, uuids: &[String]) {
        if uuids.is_empty() {
            return;
        }
        for (dialogue, conversation) in self.dialogues() {
            dialogue.retract(conversation, uuids);
        }
    }

    fn end(&mut self, result: Option<Box<ResultMessage>>) -> Turn {
        for (dialogue, conversation) in self.dialogues() {
            dialogue.end(conversation, result.is_some());
        }
        self.turn.result = result;
        std::mem::take(self).turn
    }

    fn dialogues(&mut self) -> impl Iterator<Item = (&mut Dialogue, &mut Conversation)> {
        let subagents = self.subagents.iter_mut().zip(&mut self.turn.subagents);
        std::iter::once((&mut self.main, &mut self.turn.main)).chain(subagents)
    }
}

/// Whether there are answers of tools in it.
fn answers(message: &UserMessage) -> bool {
    message.tool_results().next().is_some()
}

/// Adds the answers of tools.
fn answer(dialogue: &mut Dialogue, conversation: &mut Conversation, message: UserMessage) {
    let content = message.message.and_then(|message| message.content);
    let blocks = content.map(Content::into_blocks).unwrap_or_default();
    // A line has the tool's own shape of one answer, the first.
    let mut tool_use_result = message.tool_use_result;
    for block in blocks {
        if let Block::ToolResult(result) = block {
            let answer = ToolAnswer {
                result,
                tool_use_result: tool_use_result.take(),
                uuid: message.uuid.clone(),
            };
            dialogue.answer(conversation, answer);
        }
    }
}
