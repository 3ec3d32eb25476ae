//! The harness: an emulator in this process, and the built program in an environment and a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use stromboli_emulator::{Builder, Emulator};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long the program may take: only one that hangs takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A machine with a user on it, who has a server or none.
pub(crate) struct World {
    folder: TempDir,
    emulator: Option<Emulator>,
}

impl World {
    /// With a server, named by `STROMBOLI_URL`.
    pub(crate) async fn new() -> Self {
        Self::with(Emulator::builder()).await
    }

    /// With a server that is like this.
    pub(crate) async fn with(builder: Builder) -> Self {
        let emulator = builder.start().await.unwrap();
        Self {
            emulator: Some(emulator),
            ..Self::without_server()
        }
    }

    /// With no server, and none configured.
    pub(crate) fn without_server() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "config", "state", "data", "cache", "here"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, emulator: None }
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    /// The folder that all of it lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The current directory of the program.
    pub(crate) fn here(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    /// The user's file of settings; its folder is there.
    pub(crate) fn user_file(&self) -> PathBuf {
        let folder = self.folder.path().join("config/stromboli");
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("config.toml")
    }

    /// The file of tokens, which is there after a login.
    pub(crate) fn logins_file(&self) -> PathBuf {
        self.folder.path().join("state/stromboli/credentials.json")
    }

    /// Writes a file into the current directory of the program.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.here().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with nothing of this machine's environment but the path.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stromboli"));
        let folder = |name: &str| self.folder.path().join(name);
        command
            .args(arguments)
            .current_dir(self.here())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder("home"))
            .env("XDG_CONFIG_HOME", folder("config"))
            .env("XDG_STATE_HOME", folder("state"))
            .env("XDG_DATA_HOME", folder("data"))
            .env("XDG_CACHE_HOME", folder("cache"))
            .env("TERM", "xterm");
        if let Some(emulator) = &self.emulator {
            command.env("STROMBOLI_URL", emulator.url());
        }
        command
    }

    /// Runs it to its end, without input.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments), "").await
    }

    /// Runs it to its end, with this input.
    pub(crate) async fn run_with_input(&self, arguments: &[&str], input: &str) -> Done {
        Done::of(self.command(arguments), input).await
    }

    /// Runs it with these variables as well.
    pub(crate) async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Done {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Done::of(command, "").await
    }

    /// The body of the last request that a run sent.
    pub(crate) fn sent(&self) -> Value {
        let requests = self.emulator().requests();
        let run = requests
            .iter()
            .rev()
            .find(|request| request.target.starts_with("/run"))
            .unwrap();
        serde_json::from_slice(&run.body).unwrap()
    }

    /// The text with what differs from world to world replaced: the folder, the server, ids.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let mut text = text.replace(&folder, "[world]");
        if let Some(emulator) = &self.emulator {
            text = text.replace(emulator.url(), "[server]");
        }
        scrub_ids(&text)
    }
}

/// What came of a run of the program.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// Not under the emulator's feet: the program is awaited, so that the emulator in this process can answer it.
    pub(crate) async fn of(command: std::process::Command, input: &str) -> Self {
        let mut child = Command::from(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It may end without reading.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        Self::from(ended.expect("the program ends").unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// All of it in one text, for a snapshot.
    pub(crate) fn shown(&self, world: &World) -> String {
        let (code, stdout, stderr) = (self.code, &self.stdout, &self.stderr);
        world.scrubbed(&format!("exit {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"))
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            // A signal is no exit code.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Replaces UUIDs and the 16 hex digits of ids that the server gave out.
fn scrub_ids(text: &str) -> String {
    let is_id = |word: &str| {
        let digits = word.rsplit_once('-').map_or(word, |(_, digits)| digits);
        let bare = word.strip_prefix("agent-").unwrap_or(word);
        let uuid = bare.len() == 36 && bare.split('-').count() == 5;
        let given = digits.len() == 16 && word.len() <= 22;
        (uuid || given) && digits.chars().all(|c| c.is_ascii_hexdigit())
    };
    let mut scrubbed = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        scrubbed.push_str(before);
        scrubbed.push_str(if is_id(word) { "[id]" } else { word });
        rest = after;
    }
    scrubbed + rest
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
