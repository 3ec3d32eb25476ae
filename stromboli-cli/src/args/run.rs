//! What a run takes: where it works, its options, and the file they may stand in.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use stromboli::{ClaudeOptions, PodmanOptions, RunRequest};

use crate::args::claude::ClaudeArgs;
use crate::args::podman::PodmanArgs;
use crate::args::session::SessionArgs;
use crate::context::Context;
use crate::exit::Failure;
use crate::options;

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    podman: PodmanArgs,
}

/// What runs and live agents both take.
#[derive(Args)]
pub(crate) struct WorkArgs {
    /// Directory in the container to work in, an absolute path.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Read options from a file with the tables `claude` and `podman`, in TOML or, if it is named so, JSON. Flags count
    /// more.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    #[command(flatten)]
    claude: ClaudeArgs,
}

/// The tables of an options file.
#[derive(Deserialize)]
#[expect(dead_code, reason = "says which keys there are; the values are read as they are")]
struct OptionsFile {
    claude: Option<ClaudeOptions>,
    podman: Option<PodmanOptions>,
}

/// What [`WorkArgs`] come to.
pub(crate) struct Work {
    pub(crate) workdir: Option<String>,
    pub(crate) claude: Option<ClaudeOptions>,
    /// The table `podman` of the options file.
    pub(crate) podman: Option<Map<String, Value>>,
}

impl WorkArgs {
    pub(crate) fn read(self) -> Result<Work, Failure> {
        let mut file = match &self.options {
            Some(path) => options::read::<OptionsFile>(path)?,
            None => Map::new(),
        };
        let mut table = |name: &str| match file.remove(name) {
            Some(Value::Object(table)) => Some(table),
            _ => None,
        };
        Ok(Work {
            claude: self.claude.options(table("claude"))?,
            podman: table("podman"),
            workdir: self.workdir,
        })
    }
}

/// What [`RunArgs`] come to.
pub(crate) struct RunOptions {
    pub(crate) workdir: Option<String>,
    pub(crate) claude: Option<ClaudeOptions>,
    pub(crate) podman: Option<PodmanOptions>,
}

impl RunArgs {
    /// The options, read before anybody writes a prompt, so that wrong ones are told in time.
    pub(crate) fn read(self, context: &Context) -> Result<RunOptions, Failure> {
        let Work {
            workdir,
            mut claude,
            podman,
        } = self.work.read()?;
        self.session.add_to(&mut claude, context)?;
        Ok(RunOptions {
            workdir,
            claude,
            podman: self.podman.options(podman)?,
        })
    }
}

impl RunOptions {
    /// The request for a prompt.
    pub(crate) fn request(&self, prompt: String) -> RunRequest {
        let mut request = RunRequest::new(prompt);
        request.claude.clone_from(&self.claude);
        request.podman.clone_from(&self.podman);
        request.workdir.clone_from(&self.workdir);
        request
    }
}
