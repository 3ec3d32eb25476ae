//! `stromboli completions`: the script by which a shell completes this command.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

use crate::context::Context;
use crate::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  source <(stromboli completions bash)                              # or in ~/.bashrc
  stromboli completions zsh > ~/.zfunc/_stromboli                   # a folder of $fpath
  stromboli completions fish > ~/.config/fish/completions/stromboli.fish
  stromboli completions powershell | Out-String | Invoke-Expression # or in $PROFILE";

/// The variable that makes the program answer a shell. `main` asks for it first.
pub(crate) const VARIABLE: &str = "STROMBOLI_COMPLETE";

/// Print the script that makes a shell complete commands, options, and ids from the server.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// Shell to complete in.
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl Completions {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let shells = Shells::builtins();
        let Some(shell) = shells.completer(&self.shell) else {
            return Err(Failure::usage(format!("no completions for {}", self.shell)));
        };
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "stromboli", "stromboli", "stromboli", &mut script)?;
        context.output.line(&String::from_utf8_lossy(&script))
    }
}
