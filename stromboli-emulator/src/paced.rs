//! An answerer that takes its time.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;

use crate::{Agent, Answer, Answerer, Run, Step};

/// Answers as another does, and waits before each line.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use std::time::Duration;
/// use stromboli_emulator::{Echo, Emulator, Paced};
///
/// let slow = Paced::new(Box::new(Echo), Duration::from_millis(20));
/// let emulator = Emulator::builder().answerer(slow).start().await?;
/// # drop(emulator); Ok(()) }
/// ```
pub struct Paced {
    answerer: Box<dyn Answerer>,
    delay: Duration,
}

impl Paced {
    /// Waits so long before each line of `answerer`.
    pub fn new(answerer: Box<dyn Answerer>, delay: Duration) -> Self {
        Self { answerer, delay }
    }

    fn pace(&self, answer: Answer) -> Answer {
        let delay = self.delay;
        if delay.is_zero() {
            return answer;
        }
        Answer::new(answer.then(move |step| async move {
            if matches!(step, Step::Line(_)) {
                tokio::time::sleep(delay).await;
            }
            step
        }))
    }
}

impl Answerer for Paced {
    fn answer(&self, run: Run) -> Answer {
        self.pace(self.answerer.answer(run))
    }

    fn start_agent(&self, agent: Agent) -> Option<io::Result<Answer>> {
        let started = self.answerer.start_agent(agent)?;
        Some(started.map(|answer| self.pace(answer)))
    }
}
