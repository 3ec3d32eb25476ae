//! The lint of `openapi.yaml`.
//!
//! One tool is enough. `@redocly/cli` finds what `openapi-spec-validator` finds (unknown fields, wrong types, doubled
//! operation ids, missing path parameters) and also references to nothing and examples that do not fit their schema,
//! which the other one lets pass. Its rules are in `redocly.yaml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::npm::{self, Package};

const REDOCLY: Package = Package {
    name: "@redocly/cli",
    version: "2.77.0",
    program: "redocly",
};

/// The command that lints the contract. Without a `redocly` on the PATH, npm puts one into `target/tools`.
pub fn command(root: &Path) -> Result<Command, String> {
    let mut lint = Command::new(program(root)?);
    lint.args(["lint", "openapi.yaml"]);
    lint.env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    Ok(lint)
}

fn program(root: &Path) -> Result<PathBuf, String> {
    let on_path = PathBuf::from("redocly");
    if npm::answers(&on_path) {
        return Ok(on_path);
    }
    REDOCLY.installed(root)
}
