//! The command line as a whole, and what every command takes. Groups that some commands share are in `args/`.

pub(crate) mod claude;
pub(crate) mod podman;
pub(crate) mod run;
pub(crate) mod session;

use std::time::Duration;

use clap::{Args, Parser};

use crate::commands::Command;
use crate::exit;
use crate::output::{Color, Format};

/// Run Claude Code agents on a Stromboli server.
#[derive(Parser)]
#[command(name = "stromboli", version, after_help = exit::HELP, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes. Tokens are not among it: other users of a machine can read command lines.
#[derive(Args, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Address of the server, such as http://localhost:8080 [env: STROMBOLI_URL].
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Profile of the settings files to use [env: STROMBOLI_PROFILE].
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// What goes to stdout: text for people, JSON, or one JSON value a line.
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// When to use colours; `auto` goes by the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
    /// Say nothing on stderr but errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Answer every question with yes.
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

/// A duration as the server writes it: `90s`, `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string());
    parsed.and_then(|duration| Duration::try_from(duration).map_err(|_| "it is negative".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
    #[test]
    fn the_help_of_each_command_has_examples() {
        let mut left: Vec<_> = Cli::command().get_subcommands().cloned().collect();
        while let Some(mut command) = left.pop() {
            left.extend(command.get_subcommands().cloned());
            let help = command.render_long_help().to_string();
            let name = command.get_name();
            assert!(
                command.is_hide_set() || help.contains("Examples:\n"),
                "{name} has none: {help}"
            );
        }
    }
}
