//! The answers that a test scripts, and the one that is given when it scripted none.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::agent::Agent;
use crate::answer::{Answer, Answerer, Crash, Exit, Run, Step, reply_lines};
use crate::hold::{Delay, Hold};
use crate::state::lock;
use crate::transcript::{Reply, ToolUse};
use crate::usage::Usage;

/// The rules, and the answerer behind them.
pub(crate) struct Scripted {
    rules: Mutex<Vec<Script>>,
    otherwise: Box<dyn Answerer>,
}

impl Scripted {
    pub(crate) fn new(otherwise: Box<dyn Answerer>) -> Self {
        Self {
            rules: Mutex::default(),
            otherwise,
        }
    }

    pub(crate) fn add(&self, part: String) -> Rule<'_> {
        let mut rules = lock(&self.rules);
        rules.push(Script::new(part));
        Rule {
            scripted: self,
            index: rules.len() - 1,
        }
    }

    pub(crate) fn answer(&self, run: Run) -> Answer {
        let rules = lock(&self.rules);
        let matching = rules.iter().rev().find(|rule| run.prompt.contains(&rule.part));
        if let Some(script) = matching {
            return script.play(&run);
        }
        drop(rules);
        self.otherwise.answer(run)
    }

    pub(crate) fn start_agent(&self, agent: Agent) -> Option<io::Result<Answer>> {
        self.otherwise.start_agent(agent)
    }
}

/// What one rule says.
struct Script {
    part: String,
    output: Output,
    tools: Vec<ToolUse>,
    stderr: Vec<String>,
    without_result: bool,
    delay: Duration,
    /// What must open before the line of that number; beyond the last line, before the end.
    holds: Vec<(usize, Delay)>,
    usage: Option<Usage>,
    exit: Exit,
}

enum Output {
    /// What the model says, in the output format of the request.
    Reply(String),
    /// What the command prints, as it is.
    Lines(Vec<String>),
}

impl Script {
    fn new(part: String) -> Self {
        Self {
            part,
            output: Output::Lines(Vec::new()),
            tools: Vec::new(),
            stderr: Vec::new(),
            without_result: false,
            delay: Duration::ZERO,
            holds: Vec::new(),
            usage: None,
            exit: Exit::Completed,
        }
    }

    fn play(&self, run: &Run) -> Answer {
        let mut printed = match &self.output {
            Output::Reply(text) => {
                let (tools, usage) = (self.tools.as_slice(), self.usage.as_ref());
                reply_lines(run, &Reply { text, tools, usage })
            }
            Output::Lines(lines) => lines.clone(),
        };
        if self.without_result && run.conversation.is_some() {
            printed.pop();
        }
        let last = self.stderr.len() + printed.len();
        let stderr = self.stderr.clone().into_iter().map(Step::Stderr);
        let lines = stderr.chain(printed.into_iter().map(Step::Line));
        // Before the messages that they belong to.
        let usage = self.usage.clone().map(Step::Usage);
        if self.delay.is_zero() && self.holds.is_empty() {
            let steps = usage.into_iter().chain(lines).chain([Step::Exit(self.exit.clone())]);
            return Answer::new(stream::iter(steps));
        }
        let mut acts = Vec::with_capacity(2 * last + 2);
        acts.extend(usage.map(Act::Take));
        for (number, line) in lines.enumerate() {
            acts.extend(self.holds_before(|at| at == number));
            acts.push(Act::Wait(self.delay.into()));
            acts.push(Act::Take(line));
        }
        acts.extend(self.holds_before(|at| at >= last));
        if last == 0 {
            acts.push(Act::Wait(self.delay.into()));
        }
        acts.push(Act::Take(Step::Exit(self.exit.clone())));
        Answer::new(stream::iter(acts).filter_map(Act::perform))
    }

    fn holds_before(&self, is_here: impl Fn(usize) -> bool) -> Vec<Act> {
        let here = self.holds.iter().filter(|(at, _)| is_here(*at));
        here.map(|(_, hold)| Act::Wait(hold.clone())).collect()
    }
}

/// A step, or what comes between two.
enum Act {
    Wait(Delay),
    Take(Step),
}

impl Act {
    async fn perform(self) -> Option<Step> {
        match self {
            Self::Take(step) => Some(step),
            Self::Wait(delay) => {
                delay.pass().await;
                None
            }
        }
    }
}

/// What the emulator does with the prompts that contain some text; made by
/// [`Emulator::on_prompt`](crate::Emulator::on_prompt). It counts from then on, and what is set later holds for the
/// runs that begin later. A rule that says nothing completes with no output.
#[derive(Clone, Copy)]
pub struct Rule<'a> {
    scripted: &'a Scripted,
    index: usize,
}

impl Rule<'_> {
    /// The model says `text`. With the output format `json` or `stream-json` it comes in the command line's JSON
    /// envelope, and with a JSON schema as well, a reply that is JSON is also the structured output.
    pub fn reply(self, text: impl Into<String>) -> Self {
        self.set(|script| script.output = Output::Reply(text.into()))
    }

    /// The command prints these lines, whatever the output format. A turn of an agent ends with a line of the type
    /// `result`; without one the agent stays busy with it.
    pub fn lines<L: Into<String>>(self, lines: impl IntoIterator<Item = L>) -> Self {
        let lines = lines.into_iter().map(Into::into).collect();
        self.set(|script| script.output = Output::Lines(lines))
    }

    /// The command prints these messages, a line each: [`lines`](Self::lines) for those who have JSON.
    pub fn messages(self, messages: impl IntoIterator<Item = Value>) -> Self {
        self.lines(messages.into_iter().map(|message| message.to_string()))
    }

    /// Before it replies, the model of an agent uses a tool that gives `result`; may be called again for more. Runs do
    /// not show it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// let input = serde_json::json!({"command": "ls"});
    /// let rule = emulator.on_prompt("what is here?").tool("Bash", input, "README.md");
    /// rule.reply("Only a README.");
    /// # Ok(()) }
    /// ```
    pub fn tool(self, name: impl Into<String>, input: Value, result: impl Into<String>) -> Self {
        let (name, result) = (name.into(), result.into());
        let tool = ToolUse { name, input, result };
        self.set(|script| script.tools.push(tool))
    }

    /// The command prints this line to its standard error, before its output; may be called again for more.
    pub fn stderr(self, line: impl Into<String>) -> Self {
        self.set(|script| script.stderr.push(line.into()))
    }

    /// An agent's turn lacks its last line, the `result`: the agent stays busy with it, or dies in it with
    /// [`crash`](Self::crash). Runs do not change.
    pub fn without_result(self) -> Self {
        self.set(|script| script.without_result = true)
    }

    /// The run is killed after its output, with an exit code and a signal such as `(137, "SIGKILL")`. In the turn of an
    /// agent its process dies, and the agent has exited.
    pub fn crash(self, exit_code: i32, signal: impl Into<String>) -> Self {
        self.set(|script| script.exit = Exit::Crashed(Crash::new(exit_code, signal)))
    }

    /// The command prints `output` to its standard error and exits with another status than 0. In the turn of an agent
    /// its process does, and the agent has exited; 0 is a clean exit there.
    pub fn fail(self, exit_status: i32, output: &str) -> Self {
        let lines = output.lines().map(str::to_owned).collect();
        self.set(|script| {
            script.output = Output::Lines(Vec::new());
            script.stderr = lines;
            script.exit = Exit::Failed { status: exit_status };
        })
    }

    /// Waits so long before each line, or before the end when there is none; by tokio's clock, which tests can pause.
    pub fn delay(self, delay: Duration) -> Self {
        self.set(|script| script.delay = delay)
    }

    /// The tokens that each of these runs or turns uses, whatever messages among its output say of theirs. The server
    /// reports the sum of all runs of the session.
    pub fn usage(self, usage: Usage) -> Self {
        self.set(|script| script.usage = Some(usage))
    }

    /// Runs of this rule begin and then say nothing until the hold is released.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// # let emulator = stromboli_emulator::Emulator::start().await?;
    /// let hold = emulator.on_prompt("ping").reply("pong").hold();
    /// // … send the prompt, and see that nothing comes back …
    /// hold.release();
    /// # Ok(()) }
    /// ```
    pub fn hold(self) -> Hold {
        self.hold_after(0)
    }

    /// Runs of this rule stop after so many lines, or before the end, until the hold is released.
    pub fn hold_after(self, lines: usize) -> Hold {
        let hold = Hold::new();
        self.set(|script| script.holds.push((lines, Delay::from(&hold))));
        hold
    }

    fn set(self, change: impl FnOnce(&mut Script)) -> Self {
        if let Some(script) = lock(&self.scripted.rules).get_mut(self.index) {
            change(script);
        }
        self
    }
}

impl std::fmt::Debug for Rule<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// Says who answers and quotes the prompt; what answers when nothing else was chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Introduction;

impl Answerer for Introduction {
    fn answer(&self, run: Run) -> Answer {
        let mut text = "This is the Stromboli emulator: no model was asked and nothing was spent.\n\
                        You wrote:\n"
            .to_owned();
        for line in run.prompt.lines() {
            text.push_str("> ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(
            "Choose the answer: `emulator.on_prompt(\"…\").reply(\"…\")` in a test, `--reply TEXT` on the command line.",
        );
        Answer::reply(&run, &text)
    }
}
