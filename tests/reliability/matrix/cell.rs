//! What came of a call that met a fault, and what is wrong with that.

use stromboli::{Error, ErrorKind};

use super::class::{Class, Effect};
use super::fault::Fault;
use super::rule::expected;
use super::secrets;

/// What came of a call.
pub(super) struct Came {
    /// None when it still went on after all of its time.
    pub(super) result: Option<Result<(), Error>>,
    /// An answer said less than the server did.
    pub(super) lost: Option<String>,
    /// How often the emulator carried out what the call asks for.
    pub(super) executions: usize,
    /// Connections that are open although the call is over.
    pub(super) left: usize,
    /// Whether a server saw to it that the fault happened.
    pub(super) struck: bool,
}

impl Came {
    /// What is otherwise than it has to be.
    pub(super) fn differences(&self, class: Class, fault: &Fault) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.struck {
            wrong.push("the fault did not strike".to_owned());
        }
        if let Some(what) = &self.lost {
            wrong.push(format!("what came is not what the server said: {what}"));
        }
        if self.left > 0 {
            wrong.push(format!("{} connections are left", self.left));
        }
        if self.executions > 1 && class.effect() == Effect::Executes {
            wrong.push(format!("was executed {} times", self.executions));
        }
        let allowed: Vec<_> = fault.sees(class).iter().map(|sees| expected(class, *sees)).collect();
        match &self.result {
            None => wrong.push("hangs".to_owned()),
            Some(Ok(())) if allowed.iter().any(|expected| expected.kind.is_none()) => {}
            Some(Ok(())) => wrong.push(format!("succeeds, and should not: {allowed:?}")),
            Some(Err(error)) => {
                // What is sent twice may see one thing first, and then another.
                let mixed = fault.is_by_chance() && class.effect() == Effect::Repeats;
                let same = allowed.iter().any(|expected| {
                    expected.kind == Some(error.kind())
                        && (mixed || expected.may_have_executed == error.may_have_executed())
                        && (!class.counts_attempts() || fault.is_by_chance() || expected.attempts == error.attempts())
                });
                if !same {
                    wrong.push(format!("is not one of {allowed:?}: {error:#?}"));
                }
                if !error.may_have_executed() && self.executions > 0 && class.effect() != Effect::Reads {
                    wrong.push(format!(
                        "was executed {} times, and denies it: {error:#?}",
                        self.executions
                    ));
                }
                if let Some(text) = secrets::in_error(error) {
                    wrong.push(format!("shows a secret in {text}"));
                }
            }
        }
        wrong
    }
}

/// What the table shows of a cell.
pub(super) fn shown(fault: &Fault, class: Class) -> String {
    let mut texts: Vec<String> = Vec::new();
    for sees in fault.sees(class) {
        let expected = expected(class, sees);
        let mark = if expected.may_have_executed { "!" } else { "" };
        let text = format!("{}{mark}", expected.kind.map_or("ok", ErrorKind::code));
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join(" or ")
}
