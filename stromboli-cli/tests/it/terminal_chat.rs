//! `stromboli chat` on a pseudo-terminal.

use rexpect::session::PtySession;
use serde_json::json;
use stromboli_emulator::Usage;

use crate::agents::spawned;
use crate::support::World;
use crate::terminal::{end, on_terminal};

/// Talks with the program, as a person does.
async fn person<T: Send + 'static>(
    world: &World,
    arguments: &[&str],
    talk: impl FnOnce(PtySession) -> T + Send + 'static,
) -> T {
    let command = world.command(arguments);
    tokio::task::spawn_blocking(move || talk(on_terminal(command)))
        .await
        .unwrap()
}

/// Waits for these texts, in this order.
fn see(session: &mut PtySession, texts: &[&str]) {
    for text in texts {
        session.exp_string(text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_shows_tools_and_text_answers_commands_and_can_be_continued() {
    let world = World::new().await;
    let tool = world
        .emulator()
        .on_prompt("tests")
        .tool("Bash", json!({"command": "cargo test"}), "3 passed");
    tool.reply("All green").usage(Usage {
        model: Some("claude-sonnet-5".to_owned()),
        input_tokens: 1000,
        ..Usage::default()
    });
    world.emulator().on_prompt("more").reply("Nothing more");
    let (rest, code) = person(&world, &["chat"], |mut session| {
        see(&mut session, &["/help lists the commands", "> "]);
        for (line, answers) in [
            ("/tools", &["says so with its next answer"][..]),
            ("/cost", &["nothing is known"]),
            ("Run the tests", &["Bash cargo test", "All green"]),
            ("/cost", &["$0.0030 so far"]),
            ("/tools", &["Bash"]),
            ("/session", &["live agent-"]),
            ("/help", &["/stop", "/exit"]),
            ("/no", &["there is no /no"]),
        ] {
            session.send_line(line).unwrap();
            see(&mut session, answers);
            see(&mut session, &["> "]);
        }
        session.send_control('d').unwrap();
        end(session)
    })
    .await;
    assert_eq!(code, 0);
    assert!(rest.contains("chat --continue"), "{rest:?}");
    let (_, code) = person(&world, &["chat", "--continue"], |mut session| {
        see(&mut session, &["live agent-", "> "]);
        session.send_line("more").unwrap();
        see(&mut session, &["Nothing more", "> "]);
        session.send_line("/stop").unwrap();
        see(&mut session, &["is stopped", "> "]);
        session.send_line("/exit").unwrap();
        end(session)
    })
    .await;
    assert_eq!(code, 0);
    let stats = world.emulator().wait_for(|_| true).await;
    assert_eq!((stats.executions, stats.agents), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_stops_showing_a_turn_and_not_the_program() {
    let world = World::new().await;
    let hold = world.emulator().on_prompt("long").reply("done at last").hold();
    world.emulator().on_prompt("next").reply("here I am");
    let id = spawned(&world).await;
    let (rest, code) = person(&world, &["chat", "--agent", &id], move |mut session| {
        see(&mut session, &["> "]);
        session.send_line("long").unwrap();
        see(&mut session, &["agent is working"]);
        session.send_control('c').unwrap();
        see(&mut session, &["which the server cannot interrupt", "> "]);
        session.send_control('c').unwrap();
        see(&mut session, &["Ctrl-D or /exit leaves", "> "]);
        session.send_line("next").unwrap();
        see(&mut session, &["still at the turn before"]);
        hold.release();
        see(&mut session, &["here I am", "> "]);
        session.send_line("/exit").unwrap();
        end(session)
    })
    .await;
    assert_eq!(code, 0);
    assert!(!rest.contains("done at last"));
    let stats = world.emulator().wait_for(|_| true).await;
    assert_eq!((stats.executions, stats.finished, stats.agents), (2, 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_runs_ctrl_c_stops_the_run_and_the_conversation_goes_on() {
    let world = World::new().await;
    world.emulator().on_prompt("one").reply("first");
    let _hold = world.emulator().on_prompt("long").reply("never").hold();
    let (_, code) = person(&world, &["chat", "--runs"], |mut session| {
        see(&mut session, &["> "]);
        session.send_line("one").unwrap();
        see(&mut session, &["first", "> "]);
        session.send_line("long").unwrap();
        see(&mut session, &["agent is working"]);
        session.send_control('c').unwrap();
        see(&mut session, &["stops this turn", "> "]);
        session.send_line("one again").unwrap();
        see(&mut session, &["first", "> "]);
        session.send_control('d').unwrap();
        end(session)
    })
    .await;
    assert_eq!(code, 0);
    assert_eq!(world.sent()["claude"]["resume"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_does_not_end_a_chat_and_an_ended_agent_is_replaced() {
    let world = World::new().await;
    world.emulator().on_prompt("die").without_result().crash(137, "SIGKILL");
    world.emulator().on_prompt("ping").reply("pong");
    let (_, code) = person(&world, &["chat"], |mut session| {
        see(&mut session, &["> "]);
        session.send_line("die").unwrap();
        see(
            &mut session,
            &["error: ", "the next prompt begins a new conversation", "> "],
        );
        session.send_line("ping").unwrap();
        see(&mut session, &["pong", "> "]);
        session.send_control('d').unwrap();
        end(session)
    })
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prompts_may_have_lines_and_are_found_again() {
    let world = World::new().await;
    world.emulator().on_prompt("").reply("noted");
    let up = "\u{1b}[A";
    for keys in [["first\\\r", "second\r"], [up, "\r"]] {
        let (_, code) = person(&world, &["chat", "--runs"], move |mut session| {
            see(&mut session, &["> "]);
            for key in keys {
                session.send(key).unwrap();
            }
            session.flush().unwrap();
            see(&mut session, &["noted", "> "]);
            session.send_control('d').unwrap();
            end(session)
        })
        .await;
        assert_eq!(code, 0);
        assert_eq!(world.sent()["prompt"], "first\nsecond");
    }
    assert_eq!(world.emulator().executions(), 2);
    let history = world.folder().join("state/stromboli/chat_history");
    assert_eq!(std::fs::read_to_string(&history).unwrap(), "\"first\\nsecond\"\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(history).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}
