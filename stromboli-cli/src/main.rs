//! The command `stromboli`: every capability of the crate of that name from a terminal, and from scripts.
//!
//! This file parses, runs and turns what came of it into an exit code. What a command does stands in `commands/`.

mod args;
mod ask;
mod commands;
mod complete;
mod context;
mod conversations;
mod exit;
mod interrupt;
mod locked_file;
mod login;
mod options;
mod output;
mod prompt;
mod settings;
mod shape;
mod turn_view;

use std::process::ExitCode;

use clap::Parser;
use clap_complete::CompleteEnv;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Failure;

fn main() -> ExitCode {
    // A shell asks for what can come next, and the process ends with the answer.
    CompleteEnv::with_factory(complete::command)
        .var(commands::completions::VARIABLE)
        .complete();
    let cli = Cli::parse();
    let context = Context::new(&cli.global);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(cli.command.run(&context));
            // A read of the standard input that nobody waits for any more would hold up the end.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::from(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(&context.output);
            failure.exit_code()
        }
    }
}
