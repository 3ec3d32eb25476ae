//! The program `stromboli-emulator`: what it prints, how it ends, and that its options reach the server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stromboli-emulator"));
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A program that serves; killed when dropped.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        assert!(url.ends_with('\n'), "{url:?}");
        Self {
            child,
            stdout,
            url: url.trim_end().to_owned(),
        }
    }

    fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// The response to a request, head and body.
    fn get(&self, target: &str, headers: &str) -> String {
        let mut socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        response
    }

    /// Sends a signal and gives the exit code, what was still said on stdout, and all of stderr.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let (mut rest, mut errors) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        let stderr = self.child.stderr.take();
        stderr.unwrap().read_to_string(&mut errors).unwrap();
        (status.code(), rest, errors)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs to the end.
fn ended(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn it_says_where_it_listens_once_it_does_and_ends_well_when_told_to() {
    for signal in ["-INT", "-TERM"] {
        let serving = Serving::start(&["--port", "0"]);
        let address = serving.address();
        assert!(address.ip().is_loopback() && address.port() != 0, "{address}");
        assert!(serving.get("/health", "").contains("\"version\":\"v0.5.7-alpha\""));
        let (code, rest, errors) = serving.end(signal);
        assert_eq!((code, rest.as_str()), (Some(0), ""), "{signal}");
        assert!(
            errors.contains("Ctrl-C stops it") && !errors.contains("warning"),
            "{errors}"
        );
        assert!(TcpStream::connect(address).is_err(), "{signal}");
    }
}

#[test]
fn it_ends_although_a_stream_is_open() {
    let serving = Serving::start(&["--port", "0", "--echo", "--delay", "3600000"]);
    let mut open = TcpStream::connect(serving.address()).unwrap();
    open.write_all(b"GET /run/stream?prompt=hi HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    assert!(serving.get("/health", "").contains("200 OK"));
    assert_eq!(serving.end("-TERM").0, Some(0));
}

#[test]
fn bad_arguments_are_status_2_and_say_what_to_do() {
    for arguments in [vec!["--port", "x"], vec!["--prot", "1"], vec!["--echo", "--reply", "a"]] {
        let (code, said, errors) = ended(&arguments);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(errors.contains("--help` lists what it takes"), "{errors}");
    }
}

#[test]
fn a_port_that_is_taken_is_status_1_and_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said, errors) = ended(&["--port", &port]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(
        errors.contains(&port) && errors.contains("port 0 for a free one"),
        "{errors}"
    );
}

#[test]
fn help_and_version_are_printed() {
    let (code, help, errors) = ended(&["--help"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(help.contains("Usage: stromboli-emulator"), "{help}");
    let (code, version, _) = ended(&["--version"]);
    assert_eq!(code, Some(0));
    assert_eq!(version, concat!("stromboli-emulator ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_address_is_listened_on_when_asked_and_a_warning_says_what_that_means() {
    let serving = Serving::start(&["--port", "0", "--host", "0.0.0.0"]);
    assert!(serving.url.starts_with("http://127.0.0.1:"), "{}", serving.url);
    assert!(serving.get("/health", "").contains("200 OK"));
    let (_, _, errors) = serving.end("-TERM");
    assert!(
        errors.contains("warning: 0.0.0.0:") && errors.contains("--api-token"),
        "{errors}"
    );

    let serving = Serving::start(&["--port", "0", "--host", "0.0.0.0", "--api-token", "secret"]);
    let (_, _, errors) = serving.end("-TERM");
    assert!(
        errors.contains("warning: 0.0.0.0:") && !errors.contains("--api-token"),
        "{errors}"
    );
    assert!(!errors.contains("secret"), "{errors}");
}

#[test]
fn its_options_reach_the_server() {
    let serving = Serving::start(&[
        "--port",
        "0",
        "--server-version",
        "dev",
        "--api-token",
        "secret",
        "--reply",
        "pong",
        "--delay",
        "1",
    ]);
    assert!(serving.get("/health", "").contains("\"version\":\"dev\""));
    assert!(serving.get("/jobs", "").starts_with("HTTP/1.1 401"));
    let token = "Authorization: Bearer secret\r\n";
    assert!(serving.get("/jobs", token).starts_with("HTTP/1.1 200"));
    assert!(serving.get("/run/stream?prompt=hi", token).contains("data: pong\n\n"));

    let serving = Serving::start(&["--port", "0", "--fault", "status=502,on=/health,times=1"]);
    assert!(serving.get("/health", "").starts_with("HTTP/1.1 502"));
    assert!(serving.get("/health", "").starts_with("HTTP/1.1 200"));

    let serving = Serving::start(&["--port", "0", "--dialect", "0.4.3", "--echo"]);
    assert!(serving.get("/health", "").contains("\"version\":\"v0.4.3-alpha\""));
    assert!(serving.get("/run/stream?prompt=marco", "").contains("data: marco\n\n"));
}

#[test]
fn tokens_are_issued_rates_limited_and_the_settings_checked() {
    let secret = "a secret of at least 32 characters";
    let serving = Serving::start(&["--port", "0", "--jwt-secret", secret, "--rate-limit", "1"]);
    assert!(
        serving
            .get("/auth/validate", "")
            .contains("missing authorization header")
    );
    let limited = serving.get("/jobs", "").to_lowercase();
    assert!(
        limited.starts_with("http/1.1 401") && limited.contains("x-ratelimit-limit: 1\r\n"),
        "{limited}"
    );
    // Also by a release that does not ask unless told to.
    let serving = Serving::start(&["--port", "0", "--dialect", "0.4.3", "--api-token", "secret"]);
    assert!(serving.get("/jobs", "").starts_with("HTTP/1.1 401"));
    let (code, _, errors) = ended(&["--port", "0", "--jwt-secret", "short"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("32 characters"), "{errors}");
}

#[test]
fn what_was_recorded_is_replayed() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/recorded/bash-tool.jsonl");
    let serving = Serving::start(&["--port", "0", "--replay", recording]);
    assert!(serving.get("/run/stream?prompt=hi", "").contains("event: done"));
    let (code, _, errors) = ended(&["--port", "0", "--replay", "no/such.jsonl"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("no/such.jsonl"), "{errors}");
}

#[test]
fn a_data_directory_outlives_the_program_and_has_one_at_a_time() {
    let folder = std::env::temp_dir().join(format!("stromboli-program-{}", std::process::id()));
    let arguments = ["--port", "0", "--data", folder.to_str().unwrap(), "--reply", "pong"];
    let serving = Serving::start(&arguments);
    assert!(serving.get("/run/stream?prompt=hi", "").contains("data: pong"));
    let (code, _, errors) = ended(&arguments);
    assert_eq!(code, Some(1));
    assert!(errors.contains(folder.to_str().unwrap()), "{errors}");
    assert_eq!(serving.end("-TERM").0, Some(0));
    let serving = Serving::start(&arguments);
    assert!(serving.get("/sessions", "").contains("\"id\":"));
    drop(serving);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_seed_gives_the_same_ids_each_time() {
    let ids = |seed: &str| {
        let serving = Serving::start(&["--port", "0", "--seed", seed]);
        let response = serving.get("/health", "");
        let line = response
            .lines()
            .find(|line| line.to_lowercase().starts_with("x-request-id: "));
        line.unwrap().to_owned()
    };
    assert_eq!(ids("7"), ids("7"));
    assert_ne!(ids("7"), ids("8"));
}
