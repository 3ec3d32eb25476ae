//! Whether events are missing before one: pure, from what does not fit together.
//!
//! The server drops the oldest of 32 buffered events without a trace (WIRE §11), so a hole shows only where something
//! was cut in two: a turn, the answer that is being written, a call of a tool.

use crate::agent_events::{AgentEvent, AgentEventKind};

use super::answer::Conversation;

pub(super) struct Continuity {
    place: Place,
    conversation: Conversation,
}

/// Where the last event was.
enum Place {
    /// Nobody knows: the stream was opened at any time.
    Anywhere,
    /// What comes before this turn begins is of no interest.
    Before {
        turn_id: String,
    },
    BetweenTurns,
    In {
        turn_id: String,
        has_result: bool,
    },
}

impl Continuity {
    /// Of a stream that may have been opened in the middle of a turn.
    pub(super) fn anywhere() -> Self {
        Self {
            place: Place::Anywhere,
            conversation: Conversation::unknown(),
        }
    }

    /// Of a stream that was opened before this turn, from which on everything must be there. Another turn may have been
    /// going on at the time.
    pub(super) fn before(turn_id: &str) -> Self {
        Self {
            place: Place::Before {
                turn_id: turn_id.to_owned(),
            },
            ..Self::anywhere()
        }
    }

    /// Of a stream that was opened between two turns.
    #[cfg(test)]
    fn between_turns() -> Self {
        Self {
            place: Place::BetweenTurns,
            ..Self::anywhere()
        }
    }

    /// Takes the next event, and says whether something must have come before it that did not.
    pub(super) fn has_hole_before(&mut self, event: &AgentEvent) -> bool {
        let turn_id = event.turn_id.as_deref();
        if matches!(&self.place, Place::Before { turn_id: expected } if turn_id != Some(expected)) {
            return false;
        }
        match &event.kind {
            AgentEventKind::TurnStart => {
                let hole = matches!(self.place, Place::In { .. });
                self.enter(turn_id.unwrap_or_default());
                self.conversation = Conversation::begin();
                hole
            }
            AgentEventKind::TurnEnd => {
                let hole = match &self.place {
                    Place::Anywhere => false,
                    Place::BetweenTurns | Place::Before { .. } => true,
                    Place::In {
                        turn_id: current,
                        has_result,
                    } => !*has_result || turn_id != Some(current),
                };
                self.place = Place::BetweenTurns;
                hole
            }
            AgentEventKind::Message(message) => {
                let hole = self.locate(turn_id);
                let cut = self.conversation.is_cut_before(message);
                if let Place::In { has_result, .. } = &mut self.place {
                    *has_result |= message.as_result().is_some();
                }
                if hole || cut {
                    // What went before is not known any more, and one hole shall not be told with every event.
                    self.conversation = Conversation::unknown();
                    self.conversation.is_cut_before(message);
                }
                hole || cut
            }
            AgentEventKind::Line(_) | AgentEventKind::LineCut(_) => self.locate(turn_id),
            // These may come at any time.
            _ => false,
        }
    }

    fn enter(&mut self, turn_id: &str) {
        self.place = Place::In {
            turn_id: turn_id.to_owned(),
            has_result: false,
        };
    }

    /// Notes where a line of output was, and says whether the way there is missing.
    fn locate(&mut self, turn_id: Option<&str>) -> bool {
        match (&self.place, turn_id) {
            (Place::In { turn_id: current, .. }, Some(id)) if current == id => false,
            (Place::Anywhere, Some(id)) => {
                self.enter(id);
                false
            }
            // The start of this turn, and maybe the end of the last.
            (_, Some(id)) => {
                self.enter(id);
                self.conversation = Conversation::unknown();
                true
            }
            (Place::In { .. }, None) => {
                self.place = Place::BetweenTurns;
                true
            }
            (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests;
