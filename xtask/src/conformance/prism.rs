//! Prism: whether the requests that the client sends are valid by `openapi.yaml`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::child::Program;
use crate::npm::Package;

/// The newest version for the Node.js 20 that the linter needs too; later ones want 24.
const PRISM: Package = Package {
    name: "@stoplight/prism-cli",
    version: "5.14.2",
    program: "prism",
};

/// How long Prism may take to read the contract.
const START: Duration = Duration::from_secs(60);
/// How long the tests may take; building them is not part of it.
const TESTS: Duration = Duration::from_secs(120);

/// Installs Prism if it is not there.
pub fn install(root: &Path) -> Result<(), String> {
    PRISM.installed(root).map(drop)
}

/// Runs the tests that need a Prism against one. `tests` is the command that runs tests by their name.
pub fn run(root: &Path, folder: &Path, mut tests: Command) -> Result<String, String> {
    let mut command = Command::new(PRISM.installed(root)?);
    command
        .args(["mock", "--errors", "--port", "0"])
        .arg(root.join("openapi.yaml"));
    let mut server = Program::start(&command, folder.join("prism.log"))?;
    let url = server.url("listening", START)?;
    tests
        .args(["--", "--ignored", "prism::"])
        .env("STROMBOLI_PRISM_URL", url);
    let (status, said) = Program::start(&tests, folder.join("prism-tests.log"))?.ended(TESTS)?;
    if !status.success() {
        return Err(format!("{said}\nPrism said:\n{}", server.said()));
    }
    let summaries = said.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    let mut passed = summaries.filter_map(|counts| counts.split(';').next());
    // Other tests of the workspace have the same name, and nothing to do with Prism.
    match passed.find(|passed| *passed != "0 passed") {
        Some(passed) => Ok(passed.to_owned()),
        None => Err(format!("no test ran:\n{said}")),
    }
}
