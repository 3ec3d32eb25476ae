//! The program while it runs: what it says so far, and Ctrl-C.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::{Done, PATIENCE, World};

/// A call of the program that has not ended.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Lines<BufReader<ChildStderr>>,
    heard: String,
    printed: String,
}

impl World {
    /// Starts the program, with an input that stays open.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = Command::from(self.command(arguments))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Running {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            stderr: BufReader::new(child.stderr.take().unwrap()).lines(),
            child,
            heard: String::new(),
            printed: String::new(),
        }
    }
}

impl Running {
    /// Waits until it has said this on stderr.
    pub(crate) async fn hear(&mut self, text: &str) {
        let from = self.heard.len();
        while !self.heard[from..].contains(text) {
            let line = timeout(PATIENCE, self.stderr.next_line()).await;
            let line = line
                .unwrap_or_else(|_| panic!("it says {text:?}: {}", self.heard))
                .unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended without {text:?}: {}", self.heard));
            self.heard.push_str(&line);
            self.heard.push('\n');
        }
    }

    /// The next line on stdout.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stdout.read_line(&mut line)).await;
        read.expect("it prints a line").unwrap();
        self.printed.push_str(&line);
        line
    }

    /// Types a line.
    pub(crate) async fn type_line(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    /// Ctrl-C, as a terminal sends it.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends the input and waits for the end.
    pub(crate) async fn end(mut self) -> Done {
        drop(self.stdin.take());
        let ended = timeout(PATIENCE, async {
            let mut stderr = self.stderr.into_inner();
            let (printed, heard) = tokio::join!(
                self.stdout.read_to_string(&mut self.printed),
                stderr.read_to_string(&mut self.heard)
            );
            printed.and(heard).unwrap();
            self.child.wait().await.unwrap()
        });
        Done {
            code: ended.await.expect("the program ends").code().unwrap_or(-1),
            stdout: self.printed,
            stderr: self.heard,
        }
    }
}
