//! Asking the person at the terminal: yes or no, and what must not be seen.

use std::io::{self, IsTerminal, Read, Write};

use crate::context::Context;
use crate::exit::Failure;

/// Goes on only with a yes: from the person, or from `--yes`. `what` is what will be done, as a question.
pub(crate) fn confirm(context: &Context, what: &str) -> Result<(), Failure> {
    if context.yes {
        return Ok(());
    }
    if !context.interactive {
        return Err(
            Failure::usage(format!("nobody is there to say yes: {what}")).next("--yes answers the question beforehand")
        );
    }
    write!(io::stderr(), "{what} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::other("nothing was done")),
    }
}

/// What the person types without seeing it, or what is piped in. Never an argument: others can read command lines.
pub(crate) fn secret(context: &Context, what: &str) -> Result<String, Failure> {
    let text = if context.interactive {
        write!(io::stderr(), "{what} (not shown): ")?;
        console::Term::stderr().read_secure_line()?
    } else if io::stdin().is_terminal() {
        return Err(Failure::usage(format!("there is no {what}")).next("give it through a pipe"));
    } else {
        let mut text = String::new();
        match io::stdin().lock().read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) => return Err(Failure::usage(format!("standard input cannot be read: {error}"))),
        }
    };
    match text.is_empty() {
        true => {
            Err(Failure::usage(format!("there is no {what}"))
                .next("type it when you are asked, or give it through a pipe"))
        }
        false => Ok(text),
    }
}
