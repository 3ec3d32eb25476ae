//! `stromboli serve`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::{World, text};

/// The program serving; killed when dropped.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Serving {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.command(&["serve", "--port", "0"]);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with('\n'), "{url:?}");
        Self {
            child,
            stdout,
            url: url.trim_end().to_owned(),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn another_process_can_use_what_is_served() {
    let world = World::without_server();
    let serving = Serving::start(
        &world,
        &["--on", "ping=pong", "--on", "pinging=pinged", "--reply", "what?"],
    );
    for (prompt, answer) in [("ping", "pong\n"), ("pinging", "pinged\n"), ("hello", "what?\n")] {
        let done = world.run(&["run", prompt, "--url", &serving.url]).await;
        assert_eq!((done.code, done.stdout.as_str()), (0, answer), "{}", done.stderr);
    }
}

#[tokio::test]
async fn every_option_reaches_the_emulator() {
    let world = World::without_server();
    let token = world.file("token", "s3cret\n");
    let jwt = world.file("jwt", "a secret of at least 32 characters\n");
    let (token, jwt) = (text(&token), text(&jwt));
    let serving = Serving::start(
        &world,
        &[
            "--api-token-file",
            token,
            "--jwt-secret-file",
            jwt,
            "--dialect",
            "0.4.3",
            "--server-version",
            "dev",
            "--echo",
            "--fault",
            "status=500,on=/health,times=9,body=no",
            "--data",
            "state",
        ],
    );
    let health = world.run(&["health", "--url", &serving.url]).await;
    assert!(health.stderr.contains("500"), "{}", health.stderr);
    let refused = world.run(&["run", "hi", "--url", &serving.url]).await;
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let variables = [("STROMBOLI_TOKEN", "s3cret"), ("STROMBOLI_URL", &serving.url)];
    let done = world.run_with(&variables, &["run", "marco"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "marco\n"), "{}", done.stderr);
    assert!(world.here().join("state").is_dir());
    assert!(!done.stderr.contains("s3cret"));
}

#[tokio::test]
async fn volumes_are_mounted_only_where_that_is_allowed() {
    let world = World::without_server();
    let serving = Serving::start(&world, &["--allow-volume", ".", "--reply", "seen"]);
    for (volume, code) in [
        (".:/workspace", 0),
        ("./below:/workspace", 0),
        ("/elsewhere:/workspace", 1),
    ] {
        let done = world
            .run(&["run", "look", "--volume", volume, "--url", &serving.url])
            .await;
        assert_eq!(done.code, code, "{volume}: {}", done.stderr);
    }
    let none = Serving::start(&world, &[]);
    let done = world
        .run(&["run", "look", "--volume", ".:/workspace", "--url", &none.url])
        .await;
    assert_eq!(done.code, 1, "{}", done.stdout);
}

#[tokio::test]
async fn versions_ids_and_limits_can_be_chosen() {
    let world = World::without_server();
    let options = ["--seed", "7", "--server-version", "0.5.9", "--rate-limit", "1"];
    let (one, other) = (Serving::start(&world, &options), Serving::start(&world, &options));
    let first = world.run(&["start", "work", "--url", &one.url]).await;
    assert_eq!(
        first.stdout,
        world.run(&["start", "work", "--url", &other.url]).await.stdout
    );
    let health = world.run(&["health", "--url", &one.url]).await;
    assert!(health.stdout.contains("0.5.9"), "{}", health.stdout);
    let client = stromboli::Client::new(&one.url).unwrap();
    let client = client.with_options(stromboli::RequestOptions::new().retries(0));
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(client.jobs().list().await.is_err());
    }
    assert!(refused > 0, "20 requests were not too many");
}

#[tokio::test]
async fn ctrl_c_ends_it_well() {
    let world = World::without_server();
    let mut serving = Serving::start(&world, &[]);
    let id = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    serving.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_with_what_to_do() {
    let world = World::new().await;
    let port = world.emulator().url().rsplit_once(':').unwrap().1.to_owned();
    let taken = world.run(&["serve", "--port", &port]).await;
    assert_eq!(taken.code, 1);
    assert!(taken.stderr.contains("--port"), "{}", taken.stderr);
    for arguments in [
        &["--fault", "statsu=503"][..],
        &["--echo", "--reply", "a"],
        &["--on", "ping"],
        &["--api-token-file", "absent"],
        &["--replay", "absent"],
        &["--dialect", "0.6.0"],
    ] {
        let refused = world.run(&[&["serve", "--port", "0"], arguments].concat()).await;
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
    }
}
