//! Measurements, in a workspace of their own below `benches`. Not part of CI: they want a machine to themselves.

use std::path::Path;
use std::process::Command;

use crate::{TaskResult, ci};

/// Raises the limit of open files as far as the system lets everyone, then turns into the measurement.
const WITH_ALL_FILES: &str = "ulimit -n \"$(ulimit -H -n)\" && exec \"$@\"";

/// The emulator under load, beside a bare server that sends the same bytes.
pub fn emulator(root: &Path) -> TaskResult {
    let folder = root.join("target/benches");
    let mut build = ci::cargo_command(root, "build --release --manifest-path benches/Cargo.toml --target-dir");
    ci::succeed(build.arg(&folder), None)?;
    let mut measure = Command::new("sh");
    measure
        .args(["-c", WITH_ALL_FILES, "sh"])
        .arg(folder.join("release/bench-emulator"));
    ci::succeed(measure.current_dir(root), None)
}
