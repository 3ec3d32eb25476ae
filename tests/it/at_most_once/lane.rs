//! A client with an emulator of its own, which makes each attempt of each call fail as planned and counts what it runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use stromboli::hooks::{Hook, RequestEvent};
use stromboli::{AgentRequest, Client, Token, TokenFuture, TokenSource};
use stromboli_emulator::{Answer, Emulator, Refusal, Run};

use super::fault::Fault;
use crate::support::within;

/// What is planned and what came of it. One call is under way at a time, so that every attempt is that call's.
pub(super) struct Lane {
    emulator: Emulator,
    /// Meets no fault.
    well: Client,
    pooled: bool,
    state: Mutex<State>,
    executions: Arc<Executions>,
}

/// How often each prompt was given to an agent.
type Executions = Mutex<HashMap<String, usize>>;

#[derive(Default)]
struct State {
    prompt: String,
    plan: Vec<Fault>,
    /// How the attempts of the call under way ended, or will end.
    met: Vec<Fault>,
    /// Keeps connections from being accepted.
    refusal: Option<Refusal>,
}

impl Lane {
    /// A lane whose client keeps connections for the next attempt if `pooled`. One that is kept can only be reset, so it
    /// is on the other lanes that connections are refused.
    pub(super) async fn start(pooled: bool) -> Arc<Self> {
        let executions = Arc::<Executions>::default();
        let counting = Arc::clone(&executions);
        let answerer = move |run: Run| {
            *counting.lock().unwrap().entry(run.prompt.clone()).or_default() += 1;
            Answer::reply(&run, "pong")
        };
        let emulator = Emulator::builder().answerer(answerer).start().await.unwrap();
        Arc::new(Self {
            well: Client::new(emulator.url()).unwrap(),
            emulator,
            pooled,
            state: Mutex::default(),
            executions,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.emulator.url()
    }

    /// An agent that waits for a prompt. A call that was given up may still come to its own, and make that busy.
    pub(super) async fn new_agent(&self) -> String {
        let agent = within(self.well.agents().spawn(AgentRequest::new())).await;
        agent.unwrap().id().to_owned()
    }

    pub(super) fn hook(self: &Arc<Self>) -> impl Hook + use<> {
        Attempts(Arc::clone(self))
    }

    /// Plans the attempts of the next call.
    pub(super) fn plan(&self, call: usize, plan: Vec<Fault>) {
        let mut state = self.state.lock().unwrap();
        state.prompt = prompt(call);
        state.plan = plan;
        state.met.clear();
    }

    pub(super) fn met(&self) -> Vec<Fault> {
        self.state.lock().unwrap().met.clone()
    }

    /// Waits until no agent runs, so that all that were begun are counted, and nothing goes wrong any more.
    pub(super) async fn settle(&self) {
        self.emulator.clear_faults();
        self.state.lock().unwrap().refusal = None;
        let ended = |stats: &stromboli_emulator::Stats| stats.executions == stats.finished + stats.stopped;
        within(self.emulator.wait_for(ended)).await;
    }

    pub(super) fn executions(&self, call: usize) -> usize {
        let executions = self.executions.lock().unwrap();
        executions.get(&prompt(call)).copied().unwrap_or_default()
    }

    /// The runs that the emulator says it began.
    pub(super) fn all_executions(&self) -> u64 {
        self.emulator.executions()
    }

    /// The attempts of a call that the emulator says it passed on.
    pub(super) fn passed_on(&self, call: usize) -> usize {
        let prompt = prompt(call);
        let has_prompt = |text: &str| text.contains(&prompt);
        let requests = self.emulator.requests().into_iter();
        let of_call = requests.filter(|r| has_prompt(&r.target) || has_prompt(&String::from_utf8_lossy(&r.body)));
        of_call.filter(|request| request.executed).count()
    }

    /// Makes the next attempt end so.
    fn meet(&self, state: &mut State, fault: Fault, is_stream: bool) {
        self.emulator.clear_faults();
        // The port is open again when this is dropped.
        state.refusal = None;
        // A connection that is there can no longer be refused, nor can it break when it is made.
        let fault = match fault {
            Fault::Refused | Fault::ResetAtOnce if self.pooled => Fault::ResetUnread,
            fault => fault,
        };
        state.met.push(fault);
        if fault == Fault::Refused {
            state.refusal = Some(self.emulator.refuse_connections().unwrap());
        }
        if let Some(injected) = fault.injected(is_stream) {
            // An attempt that was given up may arrive late, and is not meant. What happens before a body is read
            // happens to it too.
            let injected = match fault {
                Fault::ResetUnread => injected,
                _ => injected.on_prompt(state.prompt.as_str()),
            };
            self.emulator.inject(injected);
        }
    }
}

/// The prompt of call 7.
pub(super) fn prompt(call: usize) -> String {
    format!("call-{call}-")
}

struct Attempts(Arc<Lane>);

impl Hook for Attempts {
    fn on_request(&self, request: &mut RequestEvent<'_>) {
        if !self.0.pooled {
            request.headers.insert("connection", "close".parse().unwrap());
        }
        let mut state = self.0.state.lock().unwrap();
        // More attempts than planned are a fault of the client's, which the number of those that it met shows.
        let planned = state.plan.get(request.attempt as usize - 1).copied();
        let is_stream = request.operation == "run_stream";
        self.0.meet(&mut state, planned.unwrap_or(Fault::None), is_stream);
    }
}

/// Gives another token when one is refused.
#[derive(Default)]
pub(super) struct Tokens(AtomicUsize);

impl TokenSource for Tokens {
    fn token<'a>(&'a self, rejected: Option<&'a Token>) -> TokenFuture<'a> {
        let refused = usize::from(rejected.is_some());
        let number = self.0.fetch_add(refused, Ordering::SeqCst) + refused;
        Box::pin(async move { Ok(Token::new(format!("token-{number}"))?) })
    }
}
