//! Which conversation a run belongs to: a new one, the last one, or one by its id.

use clap::Args;
use stromboli::ClaudeOptions;

use crate::context::Context;
use crate::conversations::{Conversations, Kind};
use crate::exit::Failure;

#[derive(Args)]
#[command(next_help_heading = "Conversation")]
pub(crate) struct SessionArgs {
    /// Go on with the last conversation of this directory with this server.
    #[arg(short = 'c', long = "continue", conflicts_with = "resume")]
    pub(crate) last: bool,
    /// Go on with a conversation.
    #[arg(short, long, value_name = "ID")]
    pub(crate) resume: Option<String>,
    /// Id that the new conversation shall have, a UUID.
    #[arg(long, value_name = "ID", conflicts_with_all = ["resume", "last"])]
    pub(crate) session: Option<String>,
}

impl SessionArgs {
    /// Adds it to the options of a run, where it counts more than what they say.
    pub(crate) fn add_to(self, options: &mut Option<ClaudeOptions>, context: &Context) -> Result<(), Failure> {
        let resume = match self.last {
            true => Some(last(context)?),
            false => self.resume,
        };
        let goes_on = resume.is_some();
        if let Some(id) = resume.or(self.session) {
            let options = options.get_or_insert_default();
            options.session_id = Some(id);
            if goes_on {
                options.resume = Some(true);
            }
        }
        Ok(())
    }
}

fn last(context: &Context) -> Result<String, Failure> {
    match Conversations::here(context)?.last_of(Kind::Session)? {
        Some(id) => Ok(id),
        None => Err(
            Failure::usage("there is no conversation of this directory with this server to continue")
                .next("`stromboli run` begins one, and --resume ID takes up any other"),
        ),
    }
}
