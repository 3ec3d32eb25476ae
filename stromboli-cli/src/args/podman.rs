//! Options of the container: flags for the common ones, `--podman` for all.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Map, Value};
use stromboli::PodmanOptions;

use crate::exit::Failure;
use crate::options::Draft;

#[derive(Args)]
#[command(next_help_heading = "Container")]
pub(crate) struct PodmanArgs {
    /// Folder of the server's host to mount, as `HOST:CONTAINER` or `HOST:CONTAINER:ro`; repeatable. A path that begins with
    /// a dot is seen from here.
    #[arg(short, long = "volume", value_name = "VOLUME")]
    volumes: Vec<String>,
    /// Most memory, such as 2g.
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Number of CPUs, such as 0.5.
    #[arg(long, value_name = "N")]
    cpus: Option<String>,
    /// How long the container may run, such as 90s or 1h30m.
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Image to run in.
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Environment variable whose value is a stored secret, as VARIABLE=SECRET; repeatable.
    #[arg(long = "secret-env", value_name = "VARIABLE=SECRET")]
    secrets_env: Vec<String>,
    /// Any other option of the container, by its name in the API; repeatable. The value is JSON if that fits, else text.
    #[arg(long = "podman", value_name = "KEY=VALUE")]
    podman_keys: Vec<String>,
}

impl PodmanArgs {
    /// The options: those of a file, then `--podman`, then the flags.
    pub(crate) fn options(self, file: Option<Map<String, Value>>) -> Result<Option<PodmanOptions>, Failure> {
        let mut draft = Draft::new("--podman", file);
        self.podman_keys.iter().try_for_each(|other| draft.assign(other))?;
        let volumes = self
            .volumes
            .iter()
            .map(|volume| from_here(volume))
            .collect::<Result<Vec<_>, _>>()?;
        draft.set("volumes", (!volumes.is_empty()).then_some(volumes))?;
        draft.set("memory", self.memory)?;
        draft.set("cpus", self.cpus)?;
        draft.set("timeout", self.timeout)?;
        draft.set("image", self.image)?;
        let secrets = self.secrets_env.iter().map(|pair| {
            let pair = pair.split_once('=');
            pair.ok_or_else(|| Failure::usage("--secret-env is written as VARIABLE=SECRET"))
        });
        let secrets: BTreeMap<_, _> = secrets.collect::<Result<_, _>>()?;
        draft.set("secrets_env", (!secrets.is_empty()).then_some(secrets))?;
        draft.build()
    }
}

/// The server knows no current directory of its caller's, so `.:/workspace` gets its whole path.
fn from_here(volume: &str) -> Result<String, Failure> {
    match volume.split_once(':') {
        Some((host, rest)) if host == "." || host == ".." || host.starts_with("./") || host.starts_with("../") => {
            let host = std::path::absolute(std::env::current_dir()?.join(host))?;
            Ok(format!("{}:{rest}", host.display()))
        }
        _ => Ok(volume.to_owned()),
    }
}
