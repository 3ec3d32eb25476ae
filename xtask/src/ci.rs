//! Everything that must be green before a change lands, in the order in which it fails fastest. The tests come last, so
//! that the output ends with their summary.

mod redocly;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{TaskResult, bench, conformance, drift, fuzz, generate, public_api, supply_chain, tidy};

/// An example starts its server in process and ends by itself; one that does not is broken.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(60);

/// A step: what a person types to run it alone, and how it is run here.
struct Step<'a> {
    name: String,
    run: Box<dyn Fn() -> TaskResult + 'a>,
}

/// Runs the steps up to the first that fails.
pub fn run(root: &Path) -> TaskResult {
    let steps = steps(root)?;
    let start = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        println!(
            "==> {:6.1} s  {}/{}  {}",
            start.elapsed().as_secs_f32(),
            index + 1,
            steps.len(),
            step.name
        );
        (step.run)().map_err(|e| {
            format!(
                "{e}\n\nci: failed after {:.1} s in\n  {}",
                start.elapsed().as_secs_f32(),
                step.name
            )
        })?;
    }
    Ok(())
}

fn step<'a>(name: impl Into<String>, run: impl Fn() -> TaskResult + 'a) -> Step<'a> {
    Step {
        name: name.into(),
        run: Box::new(run),
    }
}

fn steps(root: &Path) -> Result<Vec<Step<'_>>, String> {
    let mut steps = vec![
        cargo(root, &[], "fmt --all --check"),
        cargo(root, &[], "clippy --workspace --all-targets -- -D warnings"),
        cargo(root, &[], "clippy -p stromboli --no-default-features -- -D warnings"),
        cargo(root, &[], "fmt --manifest-path benches/Cargo.toml --all --check"),
        cargo(
            root,
            &[],
            "clippy --manifest-path benches/Cargo.toml --target-dir target/benches --all-targets -- -D warnings",
        ),
        cargo(root, &[], "fmt --manifest-path fuzz/Cargo.toml --all --check"),
        step("cargo xtask tidy", move || tidy::run(root)),
        step("cargo xtask generate --check", move || generate::check(root)),
        step("cargo xtask drift xtask/swagger/*", move || published(root)),
        step("npx @redocly/cli@2 lint openapi.yaml", move || {
            succeed(redocly::command(root)?.current_dir(root), None)
        }),
        cargo(root, &[("RUSTDOCFLAGS", "-D warnings")], "doc --workspace --no-deps"),
        step("cargo xtask public-api --check", move || public_api::check(root)),
        step("cargo xtask supply-chain", move || supply_chain::run(root)),
        step("cargo xtask fuzz", move || fuzz::run(root, None, fuzz::SECONDS)),
        cargo(root, &[], "build -p stromboli --examples --features schemars"),
    ];
    for name in examples(&root.join("stromboli/examples"))? {
        let command = format!("cargo run -q -p stromboli --features schemars --example {name}");
        steps.push(step(command, move || example(root, &name)));
    }
    // Without `--quick` a busy machine may not be done within the limit.
    steps.push(step("cargo xtask contract --quick", move || {
        conformance::run(root, true, &[])
    }));
    steps.push(cargo(root, &[], bench::TESTS));
    steps.push(step("cargo xtask bench --check", move || bench::check(root)));
    steps.push(cargo(root, &[], "test --workspace"));
    Ok(steps)
}

/// A step that is a Cargo command, with variables of its own.
fn cargo<'a>(root: &'a Path, variables: &'a [(&str, &str)], arguments: &'a str) -> Step<'a> {
    let mut name = format!("cargo {arguments}");
    for (variable, value) in variables {
        name = format!("{variable}='{value}' {name}");
    }
    step(name, move || {
        let mut command = cargo_command(root, arguments);
        command.envs(variables.iter().copied());
        succeed(&mut command, None)
    })
}

pub fn cargo_command(root: &Path, arguments: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).current_dir(root);
    command
}

/// Compares with every published document that the repository keeps.
fn published(root: &Path) -> TaskResult {
    let files = names(&root.join("xtask/swagger"))?;
    let files: Vec<&str> = files.iter().filter_map(|path| path.to_str()).collect();
    drift::run(root, &files)
}

/// The names of the examples, in order.
fn examples(folder: &Path) -> Result<Vec<String>, String> {
    let rust = names(folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"));
    Ok(rust
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect())
}

/// The paths in a folder, in order.
pub fn names(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Runs an example as a newcomer does: without a server, so that it starts its own.
fn example(root: &Path, name: &str) -> TaskResult {
    let mut command = cargo_command(
        root,
        &format!("run -q -p stromboli --features schemars --example {name}"),
    );
    command.env_remove("STROMBOLI_URL").env_remove("STROMBOLI_TOKEN");
    succeed(&mut command, Some(EXAMPLE_LIMIT))
}

/// Runs a command to its end, without input.
pub fn succeed(command: &mut Command, limit: Option<Duration>) -> TaskResult {
    // The folder of a program says nothing here.
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .map_err(|e| format!("cannot run {program}: {e}"))?;
    let status = match limit {
        None => child.wait().map_err(|e| e.to_string())?,
        Some(limit) => wait_at_most(&mut child, limit)?,
    };
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {status}"))
    }
}

/// The standard library cannot wait with a limit, so this looks again and again.
fn wait_at_most(child: &mut std::process::Child, limit: Duration) -> Result<ExitStatus, String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            // Cargo turns into the example when it runs it, so no process of it stays behind.
            child.kill().and_then(|()| child.wait()).map_err(|e| e.to_string())?;
            return Err(format!(
                "still running after {} s; it must end by itself",
                limit.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_that_fails_or_is_absent_is_an_error() {
        assert_eq!(succeed(&mut shell("exit 0"), None), Ok(()));
        assert!(
            succeed(&mut shell("exit 3"), None)
                .unwrap_err()
                .contains("exit status: 3")
        );
        assert!(
            succeed(&mut Command::new("no-such-program"), None)
                .unwrap_err()
                .contains("cannot run no-such-program")
        );
    }

    #[test]
    fn a_command_gets_no_input() {
        assert_eq!(succeed(&mut shell("read line && exit 1 || exit 0"), None), Ok(()));
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        let start = Instant::now();
        let failure = succeed(&mut shell("exec sleep 60"), Some(Duration::from_millis(50))).unwrap_err();
        assert!(failure.contains("must end by itself"), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(30));
        assert_eq!(succeed(&mut shell("exit 0"), Some(EXAMPLE_LIMIT)), Ok(()));
    }

    #[test]
    fn the_steps_end_with_the_tests_and_contain_every_example() {
        let root = crate::root();
        let names: Vec<String> = steps(&root).unwrap().into_iter().map(|step| step.name).collect();
        assert_eq!(names.first().unwrap(), "cargo fmt --all --check");
        assert_eq!(names.last().unwrap(), "cargo test --workspace");
        assert!(names.contains(&"cargo xtask bench --check".into()));
        for name in examples(&root.join("stromboli/examples")).unwrap() {
            assert!(names.contains(&format!(
                "cargo run -q -p stromboli --features schemars --example {name}"
            )));
        }
        assert!(names.contains(&"cargo xtask contract --quick".into()));
        assert!(names.contains(&"RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps".into()));
    }
}
