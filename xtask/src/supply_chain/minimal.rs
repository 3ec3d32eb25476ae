//! Whether the lower bounds in the manifests are true: the crates are compiled with the oldest versions of their direct
//! dependencies, in a copy of the repository, because Cargo has one lock file for a workspace.

use std::path::Path;

use super::CRATES;
use crate::{TaskResult, ci, tidy};

/// Without the TLS features: all that they do is to pass a name on to reqwest.
const CHECK: &str = "check --quiet --locked --lib -p stromboli -p stromboli-emulator -p stromboli-generated \
                     -p stromboli-messages --no-default-features --features stromboli/axum,stromboli/schemars";

/// Copies the crates, resolves and compiles.
pub fn check(root: &Path) -> TaskResult {
    let copy = root.join("target/minimal-versions");
    let write = |path: &str, bytes: &[u8]| {
        let to = copy.join(path);
        written(&to, bytes).map_err(|e| format!("cannot write {}: {e}", to.display()))
    };
    write(
        "Cargo.toml",
        crates_alone(&crate::read(&root.join("Cargo.toml"))?)?.as_bytes(),
    )?;
    for path in tidy::paths(root)?.iter().filter(|path| is_needed(path)) {
        let bytes = std::fs::read(root.join(path)).map_err(|e| format!("cannot read {path}: {e}"))?;
        write(path, &bytes)?;
    }
    let _ = std::fs::remove_file(copy.join("Cargo.lock")); // There is none at first.
    // Only this part of Cargo is for nightly compilers. The crates are compiled as on any other day.
    let mut resolve = ci::cargo_command(&copy, "generate-lockfile --quiet -Z direct-minimal-versions");
    let advice = "raise the lower bound in the manifest";
    ci::succeed(resolve.env("RUSTC_BOOTSTRAP", "1"), None).map_err(|e| format!("{e}; {advice}"))?;
    let mut check = ci::cargo_command(&copy, CHECK);
    check.arg("--target-dir").arg(copy.join("target"));
    ci::succeed(&mut check, None).map_err(|e| format!("{e}; {advice}"))
}

/// The manifest of the workspace, with the crates for users as its only members: what only we use is ours to update.
fn crates_alone(manifest: &str) -> Result<String, String> {
    let members = manifest
        .split_once("members = [")
        .and_then(|(before, rest)| Some((before, rest.split_once(']')?.1)));
    let (before, after) = members.ok_or("Cargo.toml has no `members = […]`")?;
    Ok(format!("{before}members = {CRATES:?}{after}"))
}

/// Manifests and sources of the crates, and the programs that their manifests name.
fn is_needed(path: &str) -> bool {
    CRATES
        .iter()
        .any(|name| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

/// Writes only what has changed, so that Cargo compiles only that again.
fn written(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    to.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(to, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_for_users_are_the_only_members() {
        let manifest = crates_alone("[workspace]\nmembers = [\"a\", \"xtask\"]\n[x]\n").unwrap();
        assert!(manifest.starts_with("[workspace]\nmembers = [\"stromboli\", "));
        assert!(manifest.ends_with("]\n[x]\n") && !manifest.contains("xtask"));
        assert!(crates_alone("[package]").is_err());
        assert!(is_needed("stromboli/src/lib.rs") && !is_needed("Cargo.lock") && !is_needed("stromboli.rs"));
    }
}
