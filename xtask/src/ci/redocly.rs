//! The lint of `openapi.yaml`.
//!
//! One tool is enough. `@redocly/cli` finds what `openapi-spec-validator` finds (unknown fields, wrong types, doubled
//! operation ids, missing path parameters) and also references to nothing and examples that do not fit their schema,
//! which the other one lets pass. Its rules are in `redocly.yaml`.

use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "2.77.0";

/// The command that lints the contract. Without a `redocly` on the PATH, npm puts one into `target/tools`.
pub fn command(root: &Path) -> Result<Command, String> {
    let mut lint = Command::new(program(root)?);
    lint.args(["lint", "openapi.yaml"]);
    lint.env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    Ok(lint)
}

fn program(root: &Path) -> Result<PathBuf, String> {
    let answers = |program: &Path| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|it| it.status.success())
    };
    let on_path = PathBuf::from("redocly");
    if answers(&on_path) {
        return Ok(on_path);
    }
    // The version is in the path, so that another one is installed when it changes.
    let folder = root.join(format!("target/tools/redocly-{VERSION}"));
    let installed = folder.join("node_modules/.bin/redocly");
    if !answers(&installed) {
        install(&folder)?;
    }
    Ok(installed)
}

fn install(folder: &Path) -> Result<(), String> {
    let package = format!("@redocly/cli@{VERSION}");
    println!("installing {package} into {}", folder.display());
    std::fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"])
        .arg(folder)
        .arg(&package);
    match npm.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("npm could not install {package} ({status})")),
        Err(e) => Err(format!(
            "cannot run npm ({e}); install Node.js with npm, or run .ci/run, which does"
        )),
    }
}
