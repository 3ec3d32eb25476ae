//! Runs the targets of the workspace below `fuzz`: made-up input, steered by which code it reaches. Begins with the
//! committed corpora, so that those are tests as well.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use crate::{TaskResult, cargo_tool, ci};

/// How long each target runs unless told otherwise.
pub const SECONDS: u32 = 30;
/// Of cargo-fuzz.
const VERSION: &str = "0.13.2";
/// One input may take so long, in seconds, on a machine that has other things to do.
const TIMEOUT: u32 = 20;
/// A target may take so much memory, in MiB: fifteen times what it does.
const MEMORY: u32 = 1024;
/// So much of what a target that failed wrote is shown.
const SHOWN_LINES: usize = 40;

/// Runs one target, or all of them, as many at once as there are processors.
pub fn run(root: &Path, only: Option<&str>, seconds: u32) -> TaskResult {
    let known = targets(root)?;
    let targets: Vec<&str> = match only {
        None => known.iter().map(String::as_str).collect(),
        Some(name) if known.iter().any(|target| target == name) => vec![name],
        Some(name) => return Err(format!("there is no target {name}, but {}", known.join(", "))),
    };
    let program = cargo_tool::installed(root, "cargo-fuzz", VERSION)?;
    let mut build = Command::new(&program);
    build.args(["fuzz", "build"]).args(BUILD);
    ci::succeed(build.current_dir(root), None)?;

    println!("{:12} {:>12} {:>9}", "target", "executions", "coverage");
    let mut problems = Vec::new();
    for some in targets.chunks(available_parallelism().map_or(1, usize::from)) {
        let running: Vec<_> = some
            .iter()
            .map(|target| start(root, &program, target, seconds))
            .collect();
        for (target, started) in some.iter().zip(running) {
            let (mut child, log) = started?;
            let status = child.wait().map_err(|e| e.to_string())?;
            let said = crate::read(&log)?;
            let (executions, coverage) = (executions(&said), coverage(&said));
            let shown = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
            println!("{target:12} {:>12} {:>9}", shown(executions), shown(coverage));
            if !status.success() {
                problems.push(format!("{target}: {status}\n{}", end_of(&said)));
            } else if executions.is_none_or(|executions| executions == 0) {
                problems.push(format!("{target} tried nothing; see {}", log.display()));
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\n\nfuzz: {} to fix; keep each finding as an ordinary test of the crate, and its input in fuzz/corpus",
        problems.join("\n\n"),
        problems.len()
    ))
}

/// How everything is built: without a sanitizer, since there is no unsafe code of ours and stable Rust has none.
const BUILD: [&str; 4] = ["--sanitizer", "none", "--target-dir", "target/fuzz"];

/// The names of the targets, in order.
fn targets(root: &Path) -> Result<Vec<String>, String> {
    let sources = ci::names(&root.join("fuzz/fuzz_targets"))?;
    Ok(sources
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect())
}

fn start(root: &Path, program: &Path, target: &str, seconds: u32) -> Result<(Child, PathBuf), String> {
    let folder = root.join("target/fuzz");
    let found = folder.join("corpus").join(target);
    let findings = folder.join("findings");
    for folder in [&found, &findings] {
        std::fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
    }
    let log = folder.join(format!("{target}.log"));
    let file = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let mut command = Command::new(program);
    command.args(["fuzz", "run"]).args(BUILD).arg(target);
    // What is new goes into the first folder.
    command.arg(found).arg(root.join("fuzz/corpus").join(target)).args([
        "--".to_owned(),
        format!("-max_total_time={seconds}"),
        format!("-timeout={TIMEOUT}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-artifact_prefix={}/{target}-", findings.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    command
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    let child = command.spawn().map_err(|e| format!("cannot run cargo-fuzz: {e}"))?;
    Ok((child, log))
}

/// The number of inputs that were tried.
fn executions(said: &str) -> Option<u64> {
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    line?.trim().parse().ok()
}

/// The number of places in the code that were reached.
fn coverage(said: &str) -> Option<u64> {
    let last = said.lines().rev().find_map(|line| line.split_once(" cov: "));
    last?.1.split(' ').next()?.parse().ok()
}

/// What a person needs to see of a failure: the panic, the input and where it lies.
fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let panic = lines
        .iter()
        .position(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer"));
    let from = panic.unwrap_or(lines.len().saturating_sub(SHOWN_LINES));
    lines[from..]
        .iter()
        .take(SHOWN_LINES)
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "INFO: seed corpus: files: 2\n#3\tINITED cov: 120 ft: 130 corp: 2/9b\n#70\tNEW    cov: 494 ft: 2229 corp: 624/96Kb\n\
                        Done 70 runs\nstat::number_of_executed_units: 70\nstat::peak_rss_mb: 29\n";

    #[test]
    fn executions_and_coverage_are_read() {
        assert_eq!((executions(SAID), coverage(SAID)), (Some(70), Some(494)));
        assert_eq!((executions("error: no such target"), coverage("")), (None, None));
    }

    #[test]
    fn of_a_failure_the_panic_is_shown_or_else_the_end() {
        let lines = "line\n".repeat(100);
        let said = format!("{lines}thread '<unnamed>' panicked at fuzz_targets/sse.rs:5\nleft: 1\n");
        assert!(end_of(&said).starts_with("thread '<unnamed>' panicked"));
        assert_eq!(end_of(&lines).lines().count(), SHOWN_LINES);
    }

    #[test]
    fn every_target_has_seeds_and_is_a_program_of_the_workspace() {
        let root = crate::root();
        let manifest = crate::read(&root.join("fuzz/Cargo.toml")).unwrap();
        let targets = targets(&root).unwrap();
        assert!(targets.len() >= 7);
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(
                !ci::names(&root.join("fuzz/corpus").join(&target)).unwrap().is_empty(),
                "{target}"
            );
        }
    }
}
