//! What a command fails with: its exit code, and what is said about it.

use std::io;
use std::process::ExitCode;

use stromboli::ErrorKind;

use crate::output::Output;

/// How the program ends; the numbers are documented and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Done = 0,
    Other = 1,
    Usage = 2,
    AgentFailed = 3,
    NotAuthorised = 4,
    Unreachable = 5,
    TimedOut = 6,
    NotFound = 7,
    Interrupted = 130,
}

/// The list of exit codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes: 0 done · 1 other error · 2 usage, or input that was refused · 3 the agent failed · 4 not authorised · \
5 server unreachable or the connection lost · 6 timed out · 7 not found · 130 interrupted";

/// One clause on what went wrong, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct Complaint {
    pub(crate) clause: String,
    pub(crate) next: Option<String>,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, a settings file or the environment says what cannot be done.
    Usage(Complaint),
    /// A call failed, or the agent did.
    Call(stromboli::Error),
    /// Ctrl-C; the text says what becomes of the work, and in a second line what to do next.
    Interrupted(String),
    /// This machine did not play along.
    Other(Complaint),
    /// What was found comes to a failure, with the exit code for it.
    Found(Code, Complaint),
    /// Nobody reads the output any more, which is said to nobody.
    Closed,
}

impl Failure {
    pub(crate) fn usage(clause: impl Into<String>) -> Self {
        Self::Usage(Complaint {
            clause: clause.into(),
            next: None,
        })
    }

    pub(crate) fn other(clause: impl Into<String>) -> Self {
        Self::Other(Complaint {
            clause: clause.into(),
            next: None,
        })
    }

    pub(crate) fn found(code: Code, clause: impl Into<String>) -> Self {
        Self::Found(
            code,
            Complaint {
                clause: clause.into(),
                next: None,
            },
        )
    }

    /// Of an error that may be the library's.
    pub(crate) fn from_boxed(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match error.downcast::<stromboli::Error>() {
            Ok(error) => Self::Call(*error),
            Err(error) => Self::other(error.to_string()),
        }
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        if let Self::Usage(complaint) | Self::Other(complaint) | Self::Found(_, complaint) = &mut self {
            complaint.next = Some(next.into());
        }
        self
    }

    /// What went wrong, in one clause.
    pub(crate) fn clause(&self) -> String {
        match self {
            Self::Usage(complaint) | Self::Other(complaint) | Self::Found(_, complaint) => complaint.clause.clone(),
            Self::Call(error) => clause_of(error),
            Self::Interrupted(what) => what.lines().next().unwrap_or_default().to_owned(),
            Self::Closed => String::new(),
        }
    }

    /// What helps against it, where something does.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage(complaint) | Self::Other(complaint) | Self::Found(_, complaint) => complaint.next.clone(),
            Self::Call(error) => next_step(error.kind()).map(str::to_owned),
            Self::Interrupted(what) => what.lines().nth(1).map(str::to_owned),
            Self::Closed => None,
        }
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Usage(_) => Code::Usage,
            Self::Call(error) => code_of(error.kind()),
            Self::Interrupted(_) => Code::Interrupted,
            Self::Other(_) => Code::Other,
            Self::Found(code, _) => *code,
            Self::Closed => Code::Done,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code() as u8)
    }

    /// Says it on stderr.
    pub(crate) fn print(&self, output: &Output) {
        if matches!(self, Self::Closed) {
            return;
        }
        output.error(&self.clause());
        if let Self::Call(error) = self {
            // What the agent printed is part of the server's words where it has no reply to give (WIRE §6).
            let words = error.job().and_then(|job| job.error.as_deref());
            if let Some((_, printed)) = words.unwrap_or(error.message()).split_once(", output: ") {
                output.error_output(printed);
            }
        }
        self.hint().iter().for_each(|next| output.hint(next));
        if let Self::Call(error) = self {
            print_more(error, output);
        }
    }
}

/// What is worth knowing of a call that failed.
fn print_more(error: &stromboli::Error, output: &Output) {
    // For what the server failed at; what it refused, it has explained.
    let failed = error
        .status()
        .filter(|status| status.is_server_error() && !error.is_agent_failed());
    if let (Some(status), Some(id)) = (failed, error.request_id()) {
        output.hint(&format!(
            "the server's log has this as status {} of request {id}",
            status.as_u16()
        ));
    }
    // Nobody needs to be told that a failed agent has run, and what was refused has not.
    let is_clear = matches!(
        code_of(error.kind()),
        Code::AgentFailed | Code::NotAuthorised | Code::NotFound
    );
    if error.may_have_executed() && !is_clear {
        output.hint("the server may have carried this out: look before you repeat it");
    }
}

/// Without the operation's name, which `Display` begins with: who gave the command knows what it was.
pub(crate) fn clause_of(error: &stromboli::Error) -> String {
    let clause = clause(error.message());
    // Its reason alone, such as an exit status, says little.
    match error.kind() {
        ErrorKind::AgentExited if !clause.contains("exited") => format!("agent has exited: {clause}"),
        _ => clause,
    }
}

/// The server's words without what the agent printed.
fn clause(message: &str) -> String {
    let before_output = message.split(", output: ").next().unwrap_or_default();
    let line = before_output.trim().lines().next().unwrap_or_default();
    let mut clause: String = line.chars().take(MAX_CLAUSE).collect();
    if clause.len() < line.len() {
        clause.push('…');
    }
    clause
}

/// Characters of an error line. A proxy may have answered with a whole page.
const MAX_CLAUSE: usize = 300;

/// The exit code of an error of the library: the one place where they are mapped.
pub(crate) fn code_of(kind: ErrorKind) -> Code {
    use ErrorKind as Kind;
    match kind {
        Kind::BadRequest | Kind::InvalidInput | Kind::InvalidSecretName => Code::Usage,
        Kind::AgentFailed | Kind::AgentExited | Kind::Incomplete => Code::AgentFailed,
        Kind::Unauthorized | Kind::Forbidden => Code::NotAuthorised,
        Kind::Connect | Kind::Tls | Kind::Connection | Kind::Truncated | Kind::Unavailable => Code::Unreachable,
        Kind::Timeout => Code::TimedOut,
        Kind::NotFound | Kind::ImageNotFound => Code::NotFound,
        _ => Code::Other,
    }
}

/// What helps after an error of this kind, where something does.
fn next_step(kind: ErrorKind) -> Option<&'static str> {
    use ErrorKind as Kind;
    Some(match kind {
        Kind::Unauthorized => "`stromboli auth login`, or set STROMBOLI_TOKEN to a token that this server accepts",
        Kind::Forbidden => "use a token that may do this",
        Kind::Connect => "start it, or name another address with --url or STROMBOLI_URL",
        Kind::Tls => "check the address: https needs a certificate that this machine trusts",
        Kind::Unavailable => "`stromboli health` says which part of the server is missing",
        Kind::RateLimited => "wait a little and try again",
        Kind::Redirect => "give the address that it redirects to as --url",
        Kind::Incompatible | Kind::Unsupported => "`stromboli health` shows the server's version",
        Kind::AgentBusy => "wait for the turn to end",
        Kind::SecretExists => "`--replace` puts the new value in the place of the old",
        _ => return None,
    })
}

impl From<stromboli::Error> for Failure {
    fn from(error: stromboli::Error) -> Self {
        Self::Call(error)
    }
}

impl From<stromboli::AgentFailure> for Failure {
    fn from(failure: stromboli::AgentFailure) -> Self {
        Self::Call(failure.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(ErrorKind, u8); 29] = [
        (ErrorKind::BadRequest, 2),
        (ErrorKind::Unauthorized, 4),
        (ErrorKind::Forbidden, 4),
        (ErrorKind::NotFound, 7),
        (ErrorKind::Conflict, 1),
        (ErrorKind::Timeout, 6),
        (ErrorKind::RateLimited, 1),
        (ErrorKind::Internal, 1),
        (ErrorKind::Unavailable, 5),
        (ErrorKind::Cancelled, 1),
        (ErrorKind::SecretExists, 1),
        (ErrorKind::InvalidSecretName, 2),
        (ErrorKind::ImageNotFound, 7),
        (ErrorKind::ImagePullFailed, 1),
        (ErrorKind::AgentExited, 3),
        (ErrorKind::AgentBusy, 1),
        (ErrorKind::Lagged, 1),
        (ErrorKind::Incomplete, 3),
        (ErrorKind::AgentFailed, 3),
        (ErrorKind::Truncated, 5),
        (ErrorKind::TooLarge, 1),
        (ErrorKind::Decode, 1),
        (ErrorKind::Connect, 5),
        (ErrorKind::Tls, 5),
        (ErrorKind::Connection, 5),
        (ErrorKind::Redirect, 1),
        (ErrorKind::InvalidInput, 2),
        (ErrorKind::Incompatible, 1),
        (ErrorKind::Unsupported, 1),
    ];

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        for (kind, code) in TABLE {
            assert_eq!(code_of(kind) as u8, code, "{kind:?}");
        }
        let library = include_str!("../../stromboli/src/error.rs");
        let kinds = library
            .lines()
            .filter(|line| line.ends_with("\",") && line.contains(" = \""));
        for kind in kinds {
            let code = kind.split('"').nth(1).unwrap();
            assert!(
                TABLE.iter().any(|(kind, _)| kind.code() == code),
                "{code} is not in the table"
            );
        }
    }

    #[test]
    fn no_failure_of_a_call_ends_with_0() {
        assert!(TABLE.iter().all(|(kind, _)| code_of(*kind) != Code::Done));
    }
}
