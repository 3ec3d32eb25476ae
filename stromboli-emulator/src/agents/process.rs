//! The process of an agent: what it prints becomes events, and it ends when it is told to or has idled.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use crate::answer::{Answer, Exit, Step};
use crate::state::State;

use super::live::LiveAgent;

/// Between two looks there is some time for everybody else.
const SHORTEST_TICK: Duration = Duration::from_millis(1);
/// Longer than any test or any emulator lives.
const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Runs `process` to its end.
pub(crate) async fn run(state: Arc<State>, agent: Arc<LiveAgent>, process: Answer) {
    let error = to_exit(&state, &agent, process).await;
    agent.exited(&state, error);
}

/// Returns why the process exited, if it did not end well.
async fn to_exit(state: &State, agent: &LiveAgent, mut process: Answer) -> Option<String> {
    let (every, grace) = (state.settings.agent_tick, state.settings.agent_grace);
    let every = every.clamp(SHORTEST_TICK, FOREVER);
    let mut tick = Instant::now() + every;
    let mut deadline: Option<Instant> = None;
    loop {
        let wake = deadline.map_or(tick, |deadline| deadline.min(tick));
        tokio::select! {
            // The process first, so that one that ends at once is not killed when it may take no time for it.
            biased;
            step = AssertUnwindSafe(process.next()).catch_unwind() => match step.map(|step| step.unwrap_or(Step::Exit(Exit::Completed))) {
                Ok(Step::Line(text)) => {
                    for line in text.split('\n') {
                        agent.keep_pace().await;
                        agent.print(state, line);
                    }
                }
                Ok(Step::Stderr(text)) => {
                    for line in text.split('\n') {
                        agent.keep_pace().await;
                        agent.complain(state, line);
                    }
                }
                Ok(Step::Usage(_)) => {}
                Ok(Step::Exit(exit)) => return reason(&exit),
                Err(_) => return Some("the answerer panicked".to_owned()),
            },
            () = agent.told_to_stop(), if deadline.is_none() => {}
            () = sleep_until(wake) => {}
        }
        // A process that has everything ready would not let anybody else run.
        tokio::task::yield_now().await;
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            // Most processes end on a SIGTERM.
            return Some("exit status 143".to_owned());
        }
        if deadline.is_none() && agent.is_stopping() {
            deadline = Some(now + grace.min(FOREVER));
        }
        if tick <= now {
            tick = now + every;
            if deadline.is_none() && agent.is_idle() {
                state.agents.remove(agent.id());
                agent.idled(state);
                agent.stop();
            }
        }
    }
}

/// What `podman run` says of it.
fn reason(exit: &Exit) -> Option<String> {
    match exit {
        Exit::Crashed(crash) if crash.exit_code == 0 && !crash.signal.is_empty() => {
            Some(format!("signal: {}", crash.signal))
        }
        Exit::Completed => None,
        Exit::Crashed(crash) => status(crash.exit_code),
        Exit::Failed { status: code } => status(*code),
    }
}

fn status(code: i32) -> Option<String> {
    (code != 0).then(|| format!("exit status {code}"))
}
