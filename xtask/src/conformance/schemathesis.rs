//! Schemathesis: requests made up from `openapi.yaml`, valid and invalid, alone and in chains, and whether the answers
//! are the contract's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::child::Program;

/// The folder with what it is told.
const FOLDER: &str = "xtask/contract";

/// How often each operation (`POST /run`) was answered with each status.
pub type Answers = BTreeMap<String, BTreeMap<String, u64>>;

/// How a run of it begins.
pub struct Plan<'a> {
    /// What its files are called.
    pub name: &'a str,
    pub server: &'a str,
    pub token: Option<&'a str>,
    /// Requests for each operation and phase, about.
    pub examples: u32,
    pub limit: Duration,
    /// More arguments of its command line.
    pub more: Vec<String>,
}

/// What came of a run.
pub struct Outcome {
    pub cases: u64,
    pub answers: Answers,
    /// All that it said, when it found something.
    pub failure: Option<String>,
}

impl Outcome {
    /// This one and another together.
    pub fn and(mut self, other: Self) -> Self {
        self.cases += other.cases;
        for (operation, statuses) in other.answers {
            let known = self.answers.entry(operation).or_default();
            for (status, count) in statuses {
                *known.entry(status).or_default() += count;
            }
        }
        self.failure = match (self.failure, other.failure) {
            (Some(one), Some(other)) => Some(format!("{one}\n{other}")),
            (one, other) => one.or(other),
        };
        self
    }
}

/// Where the program is, after it was installed if it was not there.
pub fn installed(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join("target/tools/schemathesis");
    let program = folder.join("bin/schemathesis");
    let wanted = root.join(FOLDER).join("requirements.txt");
    let there = folder.join("requirements.txt");
    let text = crate::read(&wanted)?;
    if std::fs::read_to_string(&there).is_ok_and(|there| there == text) {
        return Ok(program);
    }
    println!("installing Schemathesis into {}", folder.display());
    let _ = std::fs::remove_dir_all(&folder); // Most often there is none.
    let advice = "install it with its venv module (apt-get install python3 python3-venv), or run .ci/run, which does";
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .map_err(|e| format!("python3: {e}; {advice}"))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&wanted);
    succeed(&mut pip).map_err(|e| format!("pip: {e}"))?;
    // Last, so that what broke off is done again.
    std::fs::write(&there, text).map_err(|e| format!("cannot write {}: {e}", there.display()))?;
    Ok(program)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(e) => Err(e.to_string()),
    }
}

/// Runs it once.
pub fn run(root: &Path, program: &Path, folder: &Path, plan: &Plan<'_>) -> Result<Outcome, String> {
    let file = |end: &str| folder.join(format!("{}.{end}", plan.name));
    let settings = file("toml");
    std::fs::write(&settings, config(root, plan)?).map_err(|e| format!("cannot write {}: {e}", settings.display()))?;
    let mut command = Command::new(program);
    command.args(["--no-color", "--config-file"]).arg(&settings).arg("run");
    command.arg(root.join("openapi.yaml")).args(["--url", plan.server]);
    command.args(["--max-examples", &plan.examples.to_string()]);
    command
        .args(["--report-json-path".as_ref(), file("report.json").as_os_str()])
        .args(&plan.more);
    // Where it looks for, and leaves, files of its own.
    command.current_dir(folder);
    command
        .env("PYTHONPATH", root.join(FOLDER))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("CONTRACT_ANSWERS", file("answers.json"));
    let (status, said) = Program::start(&command, file("log"))?.ended(plan.limit)?;
    let read = |path: PathBuf| -> Result<Value, String> {
        let text = crate::read(&path).map_err(|e| format!("{e}. It said:\n{said}"))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    };
    let report = read(file("report.json"))?;
    let answers = answers(&read(file("answers.json"))?);
    let complete = report["complete"].as_bool() == Some(true);
    Ok(Outcome {
        cases: report["test_cases"]["generated"].as_u64().unwrap_or_default(),
        answers,
        failure: (!status.success() || !complete).then_some(said),
    })
}

/// What the repository says, and what only this run knows.
fn config(root: &Path, plan: &Plan<'_>) -> Result<String, String> {
    let settings = crate::read(&root.join(FOLDER).join("exceptions.toml"))?;
    Ok(match plan.token {
        Some(token) => format!("{settings}\n[auth.openapi.bearerAuth]\nbearer = \"{token}\"\n"),
        None => settings,
    })
}

fn answers(counts: &Value) -> Answers {
    let statuses = |counts: &Value| {
        crate::contract::object(counts)
            .map(|(status, count)| (status.clone(), count.as_u64().unwrap_or_default()))
            .collect()
    };
    crate::contract::object(counts)
        .map(|(operation, counts)| (operation.clone(), statuses(counts)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_stands_below_its_reason() {
        let settings = crate::read(&crate::root().join(FOLDER).join("exceptions.toml")).unwrap();
        let lines: Vec<&str> = settings.lines().collect();
        let mut exceptions = 0;
        for (before, line) in lines.iter().zip(&lines[1..]) {
            // A further table of the same kind has the reason of the first.
            if line.starts_with('[') && !before.contains("enabled = false") {
                assert!(before.starts_with("# "), "{line} has no reason above it");
                exceptions += 1;
            }
        }
        assert!(exceptions > 0);
    }

    #[test]
    fn the_token_is_added_to_the_settings_and_only_if_there_is_one() {
        let mut plan = Plan {
            name: "a",
            server: "http://127.0.0.1:1",
            token: None,
            examples: 1,
            limit: Duration::ZERO,
            more: Vec::new(),
        };
        let without = config(&crate::root(), &plan).unwrap();
        assert!(!without.contains("bearer"), "{without}");
        plan.token = Some("abc");
        let with = config(&crate::root(), &plan).unwrap();
        assert!(
            with.starts_with(&without) && with.ends_with("bearer = \"abc\"\n"),
            "{with}"
        );
    }

    #[test]
    fn every_pinned_package_has_one_version() {
        let pins = crate::read(&crate::root().join(FOLDER).join("requirements.txt")).unwrap();
        for pin in pins.lines().filter(|line| !line.starts_with('#')) {
            assert!(
                pin.split_once("==")
                    .is_some_and(|(name, version)| !name.is_empty() && !version.is_empty()),
                "{pin}"
            );
        }
        assert!(pins.contains("\nschemathesis=="));
    }
}
