//! The process of an agent whose prompts are answered one by one, as runs are.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use crate::agent::{Agent, Prompts};
use crate::answer::{Answer, Exit, Run, Step};
use crate::state::State;
use crate::transcript::Conversation;

/// Takes prompts until there are no more, or an answer ends otherwise than well.
pub(crate) fn process(state: Arc<State>, agent: Agent) -> Answer {
    let conversation = Arc::new(Conversation::new(state.fork_random()));
    let turns = Turns {
        state,
        session_id: agent.session_id,
        workdir: agent.workdir,
        claude: agent.claude,
        prompts: agent.prompts,
        conversation,
        answer: None,
    };
    Answer::new(stream::unfold(turns, |mut turns| async {
        turns.next().await.map(|step| (step, turns))
    }))
}

struct Turns {
    state: Arc<State>,
    session_id: String,
    workdir: Option<String>,
    claude: Value,
    prompts: Prompts,
    conversation: Arc<Conversation>,
    /// None between turns.
    answer: Option<Answer>,
}

impl Turns {
    async fn next(&mut self) -> Option<Step> {
        loop {
            let Some(answer) = &mut self.answer else {
                let prompt = self.prompts.turn().await?;
                let run = Run {
                    id: prompt.turn_id,
                    prompt: prompt.text,
                    session_id: self.session_id.clone(),
                    workdir: self.workdir.clone(),
                    claude: self.claude.clone(),
                    podman: Value::Object(Map::new()),
                    conversation: Some(Arc::clone(&self.conversation)),
                };
                self.answer = Some(self.state.scripted.answer(run));
                continue;
            };
            match answer.next().await {
                // The end of the turn, and not of the process.
                None | Some(Step::Exit(Exit::Completed)) => self.answer = None,
                Some(step) => return Some(step),
            }
        }
    }
}
