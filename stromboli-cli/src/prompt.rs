//! Where a prompt comes from: an argument, standard input, a file, or an editor.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::context::Context;
use crate::exit::Failure;

/// The prompt of a command.
#[derive(Args)]
pub(crate) struct PromptArgs {
    /// What the agent shall do; `-` reads it from standard input. Without one, piped input is read, and on a terminal
    /// $VISUAL or $EDITOR is opened.
    prompt: Option<String>,
    /// Read the prompt from a file.
    #[arg(short, long, value_name = "FILE", conflicts_with = "prompt")]
    file: Option<PathBuf>,
}

impl PromptArgs {
    /// The prompt, which is never empty.
    pub(crate) fn read(self, context: &Context) -> Result<String, Failure> {
        let text = match (self.prompt, self.file) {
            (Some(prompt), _) if prompt != "-" => prompt,
            (None, Some(file)) => std::fs::read_to_string(&file)
                .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?,
            (None, None) if context.interactive => edited()?,
            (None, None) if io::stdin().is_terminal() => return Err(none()),
            _ => piped()?,
        };
        if text.trim().is_empty() {
            return Err(none());
        }
        Ok(text)
    }
}

fn none() -> Failure {
    Failure::usage("there is no prompt").next("give it as an argument, through a pipe, or with -f FILE")
}

fn piped() -> Result<String, Failure> {
    let mut text = String::new();
    match io::stdin().lock().read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(format!("standard input cannot be read: {error}"))),
    }
}

/// Lets the user write it. The file is readable for nobody else, and gone afterwards.
fn edited() -> Result<String, Failure> {
    let set = |name: &str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let Some(editor) = set("VISUAL").or_else(|| set("EDITOR")) else {
        return Err(Failure::usage("there is no prompt, and no editor to write it in")
            .next("give it as an argument, through a pipe or with -f FILE, or set EDITOR"));
    };
    let file = tempfile::Builder::new().prefix("stromboli-").suffix(".md").tempfile()?;
    // An editor may come with arguments: `code --wait`.
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    let status = command.args(words).arg(file.path()).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => {
            return Err(Failure::other(format!(
                "{editor} ended with {status}, and nothing was sent"
            )));
        }
        Err(error) => return Err(Failure::other(format!("{editor} cannot be started: {error}"))),
    }
    Ok(std::fs::read_to_string(file.path())?)
}
