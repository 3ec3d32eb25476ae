//! Measurements, in a workspace of their own below `benches`. They want a machine to themselves, except for the counts of
//! instructions, which are part of CI.
//!
//! A benchmark `benches/<name>/` has a program `bench-<name>` that prints rows; the program `report` makes of them a table
//! with verdicts and, when all have run, docs/performance.md.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{TaskResult, ci};

/// Prints no rows, but a table of its own, and needs wrk.
const EMULATOR: &str = "emulator";
/// What the benchmarks share.
const REPORT: &str = "report";
/// Builds four programs from nothing, which takes longer than all others together.
const SLOW: &str = "building";
/// Those that count instructions, in CI.
const COUNTED: [&str; 4] = ["messages", "sse", "calls", "retries"];
/// The same for Cargo. Peers that need a newer Rust than we do are features, and not part of it.
const COUNTED_PACKAGES: &str = "-p report -p bench-messages -p bench-sse -p bench-calls -p bench-retries";
/// Their own tests, built as they are.
pub const TESTS: &str = "test --release -p report -p bench-messages -p bench-sse -p bench-emulator --manifest-path benches/Cargo.toml --target-dir target/benches";
const PAGE: &str = "docs/performance.md";

/// Raises the limit of open files as far as the system lets everyone, then turns into the measurement.
const WITH_ALL_FILES: &str = "ulimit -n \"$(ulimit -H -n)\" && exec \"$@\"";

/// Measures everything and writes the page.
pub fn all(root: &Path) -> TaskResult {
    let names = names(&root.join("benches"))?;
    build(root, EVERYTHING)?;
    let mut rows = rows(root, &names, &[])?;
    // Measured when asked for by name; the last figures stay true for as long as the dependencies do.
    rows.extend(Some(folder(root).join(format!("{SLOW}.rows"))).filter(|rows| rows.exists()));
    report(root, &rows, &["--page", PAGE])
}

/// Measures one thing and prints its table.
pub fn one(root: &Path, name: &str) -> TaskResult {
    build(root, EVERYTHING)?;
    if name == EMULATOR {
        return ci::succeed(&mut program(root, name), None);
    }
    let rows = rows(root, &[name.to_owned()], &[])?;
    report(root, &rows, &[])
}

/// Only what is the same on every machine.
pub fn check(root: &Path) -> TaskResult {
    build(root, COUNTED_PACKAGES)?;
    let rows = rows(root, &COUNTED.map(str::to_owned), &["--check"])?;
    report(root, &rows, &[])
}

/// All benchmarks that print rows.
fn names(benches: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(benches).map_err(|e| format!("cannot list {}: {e}", benches.display()))?;
    let folders = entries
        .flatten()
        // What they share is no program.
        .filter(|entry| entry.path().join("src/main.rs").exists());
    let mut names: Vec<_> = folders
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| ![EMULATOR, REPORT, SLOW].contains(&name.as_str()));
    names.sort();
    Ok(names)
}

/// The same choice for one benchmark as for all, since another would turn on other features of what they share, which
/// would be built again.
const EVERYTHING: &str = "--workspace --all-features";

/// Builds a choice of packages.
fn build(root: &Path, packages: &str) -> TaskResult {
    let arguments =
        format!("build --release {packages} --manifest-path benches/Cargo.toml --target-dir target/benches");
    ci::succeed(&mut ci::cargo_command(root, &arguments), None)
}

fn folder(root: &Path) -> PathBuf {
    root.join("target/benches")
}

/// The benchmark, with all the open files that it may have.
fn program(root: &Path, name: &str) -> Command {
    let mut measure = Command::new("sh");
    measure
        .args(["-c", WITH_ALL_FILES, "sh"])
        .arg(folder(root).join(format!("release/bench-{name}")))
        .current_dir(root);
    measure
}

/// Runs the benchmarks one after the other, each with its rows in a file.
fn rows(root: &Path, names: &[String], arguments: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for name in names {
        let path = folder(root).join(format!("{name}.rows"));
        let file = File::create(&path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        println!("bench: {name}");
        ci::succeed(program(root, name).args(arguments).stdout(file), None)?;
        files.push(path);
    }
    Ok(files)
}

fn report(root: &Path, rows: &[PathBuf], arguments: &[&str]) -> TaskResult {
    let mut report = Command::new(folder(root).join("release").join(REPORT));
    ci::succeed(report.args(arguments).args(rows).current_dir(root), None)
}
