//! What a run takes: where it works, its options, and the file they may stand in.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use stromboli::{ClaudeOptions, PodmanOptions, RunRequest};

use crate::args::claude::ClaudeArgs;
use crate::args::podman::PodmanArgs;
use crate::exit::Failure;
use crate::options;

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Directory in the container to work in, an absolute path.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Read options from a file with the tables `claude` and `podman`, in TOML or, if it is named so, JSON. Flags count
    /// more.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    #[command(flatten)]
    claude: ClaudeArgs,
    #[command(flatten)]
    podman: PodmanArgs,
}

/// The tables of an options file.
#[derive(Deserialize)]
#[expect(dead_code, reason = "says which keys there are; the values are read as they are")]
struct OptionsFile {
    claude: Option<ClaudeOptions>,
    podman: Option<PodmanOptions>,
}

impl RunArgs {
    /// What makes a request of a prompt, so that wrong options are told before anybody writes one.
    pub(crate) fn request(self) -> Result<impl FnOnce(String) -> RunRequest, Failure> {
        let mut file = match &self.options {
            Some(path) => options::read::<OptionsFile>(path)?,
            None => Map::new(),
        };
        let mut table = |name: &str| match file.remove(name) {
            Some(Value::Object(table)) => Some(table),
            _ => None,
        };
        let claude = self.claude.options(table("claude"))?;
        let podman = self.podman.options(table("podman"))?;
        let workdir = self.workdir;
        Ok(move |prompt| {
            let mut request = RunRequest::new(prompt);
            request.claude = claude;
            request.podman = podman;
            request.workdir = workdir;
            request
        })
    }
}
