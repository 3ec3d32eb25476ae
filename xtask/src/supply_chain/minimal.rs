//! Whether the lower bounds in the manifests are true: the crates are compiled with the oldest versions of their direct
//! dependencies, in a copy of the repository, because Cargo has one lock file for a workspace.

use std::path::{Path, PathBuf};

use crate::{TaskResult, ci, tidy};

/// Without the TLS features: all that they do is to pass a name on to reqwest.
const CHECK: &str = "check --quiet --locked --lib -p stromboli -p stromboli-emulator -p stromboli-generated \
                     -p stromboli-messages --no-default-features --features stromboli/axum,stromboli/schemars";

/// Copies the repository, resolves and compiles.
pub fn check(root: &Path) -> TaskResult {
    let copy = root.join("target/minimal-versions");
    for path in tidy::paths(root)?.iter().filter(|path| is_needed(path)) {
        let to = copy.join(path);
        copied(&root.join(path), &to).map_err(|e| format!("cannot write {}: {e}", to.display()))?;
    }
    // Only this part of Cargo is for nightly compilers. The crates are compiled as on any other day.
    let mut resolve = ci::cargo_command(&copy, "generate-lockfile --quiet -Z direct-minimal-versions");
    ci::succeed(resolve.env("RUSTC_BOOTSTRAP", "1"), None)
        .map_err(|e| format!("{e}; raise the version in Cargo.toml to the one that other dependencies ask for"))?;
    let mut check = ci::cargo_command(&copy, CHECK);
    check
        .arg("--target-dir")
        .arg(root.join("target/minimal-versions/target"));
    ci::succeed(&mut check, None).map_err(|e| format!("{e}; raise the version in Cargo.toml of what does not fit"))
}

/// Manifests and sources, and what sources include.
fn is_needed(path: &str) -> bool {
    let tests = path.starts_with("tests/it/") || path.contains("/tests/") || path.contains("/examples/");
    let elsewhere = ["fuzz/", "benches/", "docs/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    !tests && !elsewhere && path != "Cargo.lock"
}

/// Writes only what has changed, so that Cargo compiles only that again.
fn copied(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    let bytes = std::fs::read(from)?;
    if std::fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    to.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(to, bytes)
}
