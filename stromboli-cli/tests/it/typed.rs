//! What a person is asked at a terminal, and what they type.

use rexpect::session::PtySession;
use stromboli_emulator::{Fault, Hold};

use crate::auth::guarded;
use crate::support::World;
use crate::terminal::{end, on_terminal};

/// Runs the program on a terminal; the emulator answers meanwhile.
async fn typed(world: &World, arguments: &[&str], act: impl FnOnce(&mut PtySession) + Send + 'static) -> (String, i32) {
    let command = world.command(arguments);
    let acted = tokio::task::spawn_blocking(move || {
        let mut session = on_terminal(command);
        act(&mut session);
        end(session)
    });
    acted.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_asked_for_and_not_shown() {
    let world = guarded().await;
    let (rest, code) = typed(&world, &["auth", "login"], |session| {
        session.exp_string("logging in to http://127.0.0.1").unwrap();
        session.exp_string("API token (not shown): ").unwrap();
        session.send_line("api-token").unwrap();
    })
    .await;
    assert_eq!(code, 0, "{rest}");
    assert!(
        rest.contains("logged in to ") && !rest.contains("api-token"),
        "{rest:?}"
    );
    let (rest, code) = typed(&world, &["jobs", "list"], |_| {}).await;
    assert_eq!(code, 0, "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_asked_for_and_not_shown() {
    let world = World::new().await;
    let (rest, code) = typed(&world, &["secrets", "set", "name"], |session| {
        session.exp_string("value of name (not shown): ").unwrap();
        session.send_line("topsecret").unwrap();
    })
    .await;
    assert_eq!(code, 0, "{rest}");
    assert!(!rest.contains("topsecret"), "{rest:?}");
    assert_eq!(world.emulator().secret("name").unwrap(), "topsecret");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_is_asked_for_and_only_yes_is_a_yes() {
    let world = World::new().await;
    world.run_with_input(&["secrets", "set", "name"], "x").await;
    for no in ["", "n", "nope"] {
        let (rest, code) = typed(&world, &["secrets", "rm", "name"], move |session| {
            session.exp_string("delete name? [y/N] ").unwrap();
            session.send_line(no).unwrap();
        })
        .await;
        assert_eq!(code, 1);
        assert!(rest.contains("nothing was done"), "{rest:?}");
        assert!(world.emulator().secret("name").is_some());
    }
    let (rest, code) = typed(&world, &["secrets", "rm", "name"], |session| {
        session.exp_string("delete name? [y/N] ").unwrap();
        session.send_line("Yes").unwrap();
    })
    .await;
    assert_eq!(code, 0, "{rest}");
    assert!(world.emulator().secret("name").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_shows_that_it_goes_on() {
    let world = World::new().await;
    let hold = Hold::new();
    world.emulator().inject(Fault::delay_headers(&hold).on("/images/pull"));
    let (rest, code) = typed(&world, &["images", "pull", "node:22"], move |session| {
        session.exp_string("image is being pulled").unwrap();
        hold.release();
    })
    .await;
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("node:22 is there"), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_sends_cannot_command_the_terminal() {
    let world = World::new().await;
    let body = "a\u{1b}]0;owned\u{7}b\nc";
    world
        .emulator()
        .inject(Fault::content_type("text/plain").on("/jobs").body(body));
    let (rest, code) = typed(&world, &["api", "GET", "/jobs"], |_| {}).await;
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("ab\r\nc") && !rest.contains("owned"), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_ends_a_pull_and_a_request_and_says_what_becomes_of_them() {
    for (arguments, spinner, words) in [
        (
            ["images", "pull", "node:22"],
            "image is being pulled",
            "whether the server goes on",
        ),
        (
            ["api", "POST", "/images/pull"],
            "server is working",
            "the connection is closed",
        ),
    ] {
        let world = World::new().await;
        world
            .emulator()
            .inject(Fault::silence_before_executing().on("/images/pull"));
        let (rest, code) = typed(&world, &arguments, move |session| {
            session.exp_string(spinner).unwrap();
            session.send_control('c').unwrap();
        })
        .await;
        assert_eq!(code, 130, "{rest}");
        assert!(rest.contains(words), "{rest:?}");
    }
}
