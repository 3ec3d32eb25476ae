//! What podman and Claude Code refuse before a prompt gets to the model, and the conversation that it gets to otherwise.
//! What Claude Code does was tried with release 2.1.197, and the texts are its own; podman's are such as podman gives.

use std::sync::Arc;

use futures_util::stream;

use crate::answer::{Answer, Exit, Step};
use crate::request::{RunRequest, flag};
use crate::secrets;
use crate::sessions::{self, Place};
use crate::state::State;

impl RunRequest {
    /// Where the command runs.
    pub(crate) fn workdir(&self) -> &str {
        sessions::workdir(&self.workdir)
    }
}

/// Starts the command in its session's directory; returns the conversation that it takes part in.
///
/// # Errors
/// What is printed instead of an answer, when podman does not run the container or Claude Code does not take the session.
pub(crate) fn start(state: &State, request: &RunRequest, session: &Arc<str>) -> Result<Place, Answer> {
    podman(state, request).map_err(|text| refusal(125, text))?;
    conversation(state, request, session).map_err(|text| refusal(1, text))
}

fn refusal(status: i32, text: String) -> Answer {
    Answer::new(stream::iter([Step::Stderr(text), Step::Exit(Exit::Failed { status })]))
}

fn podman(state: &State, request: &RunRequest) -> Result<(), String> {
    if let Some(error) = state.settings.podman_error() {
        return Err(error.to_owned());
    }
    let wanted = request
        .podman
        .get("secrets_env")
        .and_then(|secrets| secrets.as_object());
    let names = wanted.into_iter().flat_map(|secrets| secrets.values());
    let mut names = names.filter_map(|name| name.as_str()).chain([secrets::CREDENTIALS]);
    match names.find(|name| !state.secrets.has(name)) {
        Some(name) => Err(format!("Error: no secret with name or id \"{name}\": no such secret")),
        None => Ok(()),
    }
}

/// The server turns `resume` into `--resume ID` and everything else into `--session-id ID`, and passes the other flags on.
fn conversation(state: &State, request: &RunRequest, session: &Arc<str>) -> Result<Place, String> {
    let (sessions, options) = (&state.sessions, &request.claude);
    let asked = Place::new(request.workdir(), session);
    let forks = flag(options, "fork_session");
    let latest = || flag(options, "continue").then(|| sessions.latest(session, &asked));
    if flag(options, "resume") && request.session_id().is_some() {
        let named = || sessions.has(session, &asked).then(|| asked.clone());
        let known = latest().flatten().or_else(named).ok_or_else(|| unknown(session))?;
        if !forks {
            return Ok(known);
        }
        let fork = known.sibling(state.random_uuid().into());
        return Ok(forked(state, request, session, &known, fork));
    }
    if flag(options, "continue") && !forks {
        let allowed = "can only be used with --continue or --resume if --fork-session is also specified";
        return Err(format!("Error: --session-id {allowed}."));
    }
    // An id that the server chose is a UUID, and has no conversation yet.
    let chosen = request.session_id().is_none();
    if !chosen && !is_uuid(session) {
        return Err("Error: Invalid session ID. Must be a valid UUID.".to_owned());
    }
    if !chosen && sessions.has(session, &asked) {
        return Err(format!("Error: Session ID {session} is already in use."));
    }
    Ok(match latest().flatten() {
        Some(known) => forked(state, request, session, &known, asked),
        None => asked,
    })
}

fn forked(state: &State, request: &RunRequest, session: &str, known: &Place, fork: Place) -> Place {
    if !flag(&request.claude, "no_persistence") {
        state.sessions.fork(session, known, &fork);
    }
    fork
}

fn unknown(session: &str) -> String {
    if is_uuid(session) {
        return format!("No conversation found with session ID: {session}");
    }
    let usage = "Usage: claude -p --resume <session-id|title>";
    let value = format!("Provided value \"{session}\" is not a UUID and does not match any session title");
    format!("Error: --resume requires a valid session ID or session title when used with --print. {usage}. {value}.")
}

/// Whether Claude Code takes it for a UUID, which may be of any version.
fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}
