//! Compares `openapi.yaml` with the Swagger 2.0 documents that the server publishes: what the contract lacks, has
//! too many of, or types otherwise. Differences that are meant stand in `accepted-drift.yaml` with their reasons.

mod accepted;
mod compare;
mod operation;
mod shape;
#[cfg(test)]
mod tests;
mod version;

use std::path::Path;

use serde_json::Value;

use crate::{TaskResult, contract};
use accepted::Accepted;
use version::Version;

/// What to do about differences.
const ADVICE: &str = "\
Either openapi.yaml is behind: change it (with `x-since` on what is new) and run `cargo xtask generate`.
Or the published document is wrong: put the text after the file's name into xtask/accepted-drift.yaml,
under the reason why the contract differs.";

/// Compares the contract with each of `files`, which are `FILE` or `FILE@VERSION`.
pub fn run(root: &Path, files: &[&str]) -> TaskResult {
    let contract = contract::load(root)?;
    let accepted = Accepted::parse(&crate::read(&root.join(accepted::FILE))?)?;
    let mut new = Vec::new();
    for argument in files {
        let (file, version) = version::of_argument(argument);
        let published = parse(&crate::read(Path::new(file))?).map_err(|e| format!("{file}: {e}"))?;
        let report = Report::new(&contract, &accepted, &published, version);
        let name = Path::new(file)
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or(file);
        println!("{name}: {}", report.summary());
        new.extend(report.new.iter().map(|line| format!("{name}: {line}")));
    }
    if new.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n\n{ADVICE}", new.join("\n")))
    }
}

/// Reads a Swagger 2.0 document in JSON or YAML.
fn parse(text: &str) -> Result<Value, String> {
    let document = contract::parse(text)?;
    let version = &document["swagger"];
    // Unquoted in YAML it is a number.
    if version.as_str() == Some("2.0") || version.as_f64() == Some(2.0) {
        return Ok(document);
    }
    Err("not a Swagger 2.0 document, which starts with `swagger: \"2.0\"`".into())
}

/// The comparison of the contract with one document.
struct Report {
    operations: usize,
    /// The differences that nobody accepted.
    new: Vec<String>,
    accepted: Vec<String>,
}

impl Report {
    fn new(contract: &Value, accepted: &Accepted, published: &Value, version: Option<Version>) -> Self {
        let lines = compare::differences(contract, published, version);
        let (accepted, new) = lines.into_iter().partition(|line| accepted.covers(line));
        Self {
            operations: contract::operations(published).len(),
            new,
            accepted,
        }
    }

    fn summary(&self) -> String {
        let [new, accepted] = [&self.new, &self.accepted].map(Vec::len);
        format!(
            "{} operations, {new} new differences, {accepted} accepted",
            self.operations
        )
    }
}
