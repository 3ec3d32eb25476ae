//! `stromboli chat`: prompt after prompt, in one conversation.

mod lines;
mod live;
mod runs;

use clap::Args;

use crate::args::run::RunArgs;
use crate::context::Context;
use crate::conversations::{Conversations, Kind};
use crate::exit::Failure;
use crate::interrupt::Interrupts;
use lines::{Input, Lines};
use live::LiveAgent;
use runs::Runs;

const EXAMPLES: &str = "\
Examples:
  stromboli chat
  stromboli chat --model sonnet --budget 5
  stromboli chat --continue
  stromboli chat --volume .:/workspace --workdir /workspace
  stromboli chat --agent agent-6f1f7c1e-3b5a-4e0c-9b8e-0c5a7f5d2e11
  printf 'Think of a number\\nAdd one\\n' | stromboli chat

A chat is held with a live agent: its text comes as it is written, and its tools are seen. The agent stays when \
you leave, until the server's idle timeout, and `--continue` goes on with it from the same directory. When it \
has ended, so has its conversation: no server can resume one of a live agent.

With --runs each prompt is a run of its own that resumes the conversation. Nothing is seen before the answer is \
whole, but the conversation stays on the server, can be taken up with `--continue` or `--resume ID` at any time, and \
the container's options apply. Any of these options chooses it, too.

End a line with \\ to go on in the next; pasted lines stay together. Ctrl-C stops showing a turn; a live agent goes on \
with it, because the server cannot interrupt a turn, while a run is stopped. Ctrl-D leaves.

From a pipe each line is a prompt, the first failure ends the chat with its exit code, and an agent that was started \
for it is stopped in the end. With --output json the `result` message of each turn is printed, with ndjson every \
message; with --runs each reply.";

const COMMANDS: &str = "\
/help     this list
/cost     what the conversation has cost so far
/tools    the tools that the agent may use
/session  what the conversation goes on by
/stop     end the agent and with it the conversation
/exit     leave, as Ctrl-D does
A prompt that shall begin with a slash is written with a space before it.";

/// Talk with an agent.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Chat {
    /// Talk with this live agent.
    #[arg(long, value_name = "ID", conflicts_with_all = ["last", "resume", "session", "runs"])]
    agent: Option<String>,
    /// Make each prompt a run of its own that resumes the conversation.
    #[arg(long)]
    runs: bool,
    #[command(flatten)]
    options: RunArgs,
}

impl Chat {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        context.client()?;
        let mut partner = self.partner(context).await?;
        let mut lines = Lines::of(context)?;
        let ended = match context.interactive {
            true => talk(context, &mut partner, &mut lines).await,
            false => script(&mut partner, &mut lines).await,
        };
        let left = partner.leave(context.interactive).await;
        ended.and(left)
    }

    /// Who is talked with.
    async fn partner(self, context: &Context) -> Result<Partner<'_>, Failure> {
        let Self {
            agent,
            mut runs,
            mut options,
        } = self;
        let mut agent = agent;
        if std::mem::take(&mut options.session.last) {
            let here = Conversations::here(context)?;
            let last = match runs {
                true => here.last_of(Kind::Session)?.map(|id| (Kind::Session, id)),
                false => here.last()?,
            };
            match last {
                Some((Kind::Agent, id)) => agent = Some(id),
                Some((Kind::Session, id)) => options.session.resume = Some(id),
                None => {
                    return Err(Failure::usage(
                        "there is no conversation of this directory with this server to continue",
                    )
                    .next("`stromboli chat` begins one"));
                }
            }
        }
        runs |= options.session.resume.is_some() || options.session.session.is_some();
        let options = options.read(context)?;
        if let Some(agent) = agent {
            if options.claude.is_some() || options.podman.is_some() || options.workdir.is_some() {
                return Err(Failure::usage("an agent that lives takes no options any more")
                    .next("`stromboli chat` without --agent or --continue starts one with them"));
            }
            return Ok(Partner::Live(Box::new(LiveAgent::living(context, agent).await?)));
        }
        match runs || options.podman.is_some() {
            true => Ok(Partner::Runs(Box::new(Runs::new(context, options)))),
            false => Ok(Partner::Live(Box::new(
                LiveAgent::to_be_started(context, options).await?,
            ))),
        }
    }
}

/// Who is talked with.
enum Partner<'a> {
    Live(Box<LiveAgent<'a>>),
    Runs(Box<Runs<'a>>),
}

impl Partner<'_> {
    async fn say(&mut self, prompt: String, interrupts: &mut Interrupts) -> Result<(), Failure> {
        match self {
            Self::Live(agent) => agent.say(prompt, interrupts).await,
            Self::Runs(runs) => runs.say(prompt, interrupts).await,
        }
    }

    fn greeting(&self) -> String {
        match self {
            Self::Live(agent) => agent.session(),
            Self::Runs(runs) => runs.session(),
        }
    }

    /// What a command that begins with a slash answers.
    async fn command(&mut self, command: &str) -> Result<String, Failure> {
        Ok(match (command, self) {
            ("/help", _) => COMMANDS.to_owned(),
            ("/cost", Self::Live(agent)) => cost(agent.cost),
            ("/cost", Self::Runs(runs)) => cost(runs.cost),
            ("/tools", Self::Live(agent)) => agent.tools(),
            ("/tools", Self::Runs(_)) => "runs do not say which tools they have".to_owned(),
            ("/session", partner) => partner.greeting(),
            ("/stop", Self::Live(agent)) => agent.stop().await?,
            ("/stop", Self::Runs(runs)) => runs.forget(),
            (other, _) => format!("there is no {other}; /help lists what there is"),
        })
    }

    async fn leave(&mut self, interactive: bool) -> Result<(), Failure> {
        match self {
            Self::Live(agent) => agent.leave(interactive).await,
            Self::Runs(_) => Ok(()),
        }
    }
}

fn cost(dollars: Option<f64>) -> String {
    match dollars {
        Some(dollars) => format!("${dollars:.4} so far"),
        None => "nothing is known of the cost yet".to_owned(),
    }
}

/// With a person: failures are told, and the chat goes on.
async fn talk(context: &Context, partner: &mut Partner<'_>, lines: &mut Lines) -> Result<(), Failure> {
    let output = &context.output;
    output.note(&format!(
        "{} · /help lists the commands, Ctrl-D leaves",
        partner.greeting()
    ));
    let mut interrupts = Interrupts::new()?;
    loop {
        let done = match lines.next(&mut interrupts).await? {
            Input::End => return Ok(()),
            Input::Interrupted => {
                output.note("Ctrl-D or /exit leaves");
                continue;
            }
            Input::Text(text) if text.trim().is_empty() => continue,
            Input::Text(text) if text.starts_with('/') => match text.trim() {
                "/exit" | "/quit" => return Ok(()),
                command => partner.command(command).await.map(|answer| output.note(&answer)),
            },
            Input::Text(text) => {
                // What was pressed while it was written does not count.
                interrupts = Interrupts::new()?;
                partner.say(text.trim().to_owned(), &mut interrupts).await
            }
        };
        match done {
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) => {
                failure.print(output);
                if matches!(partner, Partner::Live(agent) if agent.is_gone()) {
                    output.note("the next prompt begins a new conversation");
                }
            }
            Ok(()) => {}
        }
    }
}

/// From a pipe: each line is a prompt, and the first failure is the last.
async fn script(partner: &mut Partner<'_>, lines: &mut Lines) -> Result<(), Failure> {
    let mut interrupts = Interrupts::new()?;
    loop {
        match lines.next(&mut interrupts).await? {
            Input::Text(text) if text.trim().is_empty() => {}
            Input::Text(text) => partner.say(text.trim().to_owned(), &mut interrupts).await?,
            Input::Interrupted => return Err(Failure::Interrupted("interrupted".to_owned())),
            Input::End => return Ok(()),
        }
    }
}
