//! What only a terminal shows, by way of a pseudo-terminal.

use nix::sys::wait::WaitStatus;
use rexpect::session::PtySession;

use crate::support::World;

/// How long a text may take to appear, in milliseconds: only a program that hangs takes so long.
const PATIENCE: u64 = 60_000;

/// Runs the program on a terminal of its own.
pub(crate) fn on_terminal(command: std::process::Command) -> PtySession {
    rexpect::session::spawn_command(command, Some(PATIENCE)).unwrap()
}

/// What is left of the output, and the exit code.
pub(crate) fn end(mut session: PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    let code = match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("{other:?}"),
    };
    (rest, code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_shows_a_spinner_until_its_answer() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("ping").reply("pong").hold();
    let command = world.command(&["run", "ping"]);
    let (rest, code) = tokio::task::spawn_blocking(move || {
        let mut session = on_terminal(command);
        session.exp_string("agent is working").unwrap();
        hold.release();
        end(session)
    })
    .await
    .unwrap();
    assert_eq!(code, 0);
    assert!(rest.contains("pong"), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_prompt_the_editor_is_opened() {
    let world = World::new().await;
    world.emulator().on_prompt("edited").reply("read");
    let editor = world.file("editor", "#!/bin/sh\necho edited > \"$1\"\n");
    let mut command = world.command(&["run"]);
    command.env("EDITOR", format!("sh {}", editor.display()));
    let (rest, code) = tokio::task::spawn_blocking(move || end(on_terminal(command)))
        .await
        .unwrap();
    assert_eq!(code, 0, "{rest}");
    assert_eq!(world.sent()["prompt"], "edited\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dumb_terminal_gets_no_spinner() {
    let world = World::new().await;
    let mut command = world.command(&["run", "ping"]);
    command.env("TERM", "dumb");
    let (rest, _) = tokio::task::spawn_blocking(move || end(on_terminal(command)))
        .await
        .unwrap();
    assert!(
        !rest.contains("agent is working") && !rest.contains('\u{1b}'),
        "{rest:?}"
    );
}
