//! `stromboli man`: the manual pages, one a command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  stromboli man ~/.local/share/man/man1 && man stromboli-run";

/// Write the manual pages into a folder.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// Folder to write them into; it is made if it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let failed = |error| Failure::other(format!("cannot write to {}: {error}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(failed)?;
        context
            .output
            .note(&format!("manual pages are in {}", self.folder.display()));
        Ok(())
    }
}
