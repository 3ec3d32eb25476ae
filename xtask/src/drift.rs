//! Compares `openapi.yaml` with the Swagger 2.0 documents that the server publishes: what the contract lacks, has
//! too many of, or types otherwise. Differences that are meant stand in `accepted-drift.yaml` with their reasons. What
//! those documents do not say at all is checked without them.

mod accepted;
mod answers;
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
under the reason why the contract differs.
A line of openapi.yaml itself is about every server: the answers of all operations, and the events of streams, which
xtask/streams.yaml expects.";

/// What the events of streams carry, from the repository's root.
const STREAMS: &str = "xtask/streams.yaml";

/// Checks the contract, and compares it with each of `files`, which are `FILE` or `FILE@VERSION`.
pub fn run(root: &Path, files: &[&str]) -> TaskResult {
    let contract = contract::load(root)?;
    let accepted = Accepted::parse(&crate::read(&root.join(accepted::FILE))?)?;
    let streams = contract::parse(&crate::read(&root.join(STREAMS))?).map_err(|e| format!("{STREAMS}: {e}"))?;
    let mut reports = vec![("openapi.yaml", Report::of_contract(&contract, &accepted, &streams))];
    for argument in files {
        let (file, version) = version::of_argument(argument);
        let published = parse(&crate::read(Path::new(file))?).map_err(|e| format!("{file}: {e}"))?;
        let name = Path::new(file)
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or(file);
        reports.push((name, Report::new(&contract, &accepted, &published, version)));
    }
    let mut new = Vec::new();
    for (name, report) in reports {
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

/// The comparison of the contract with one document, or with what holds of every server.
struct Report {
    operations: usize,
    /// The differences that nobody accepted.
    new: Vec<String>,
    accepted: Vec<String>,
}

impl Report {
    fn new(contract: &Value, accepted: &Accepted, published: &Value, version: Option<Version>) -> Self {
        Self::of(published, compare::differences(contract, published, version), accepted)
    }

    /// What no published document says.
    fn of_contract(contract: &Value, accepted: &Accepted, streams: &Value) -> Self {
        let mut lines = answers::problems(contract);
        lines.extend(compare::streams::differences(contract, streams));
        Self::of(contract, lines, accepted)
    }

    fn of(document: &Value, lines: Vec<String>, accepted: &Accepted) -> Self {
        let (accepted, new) = lines.into_iter().partition(|line| accepted.covers(line));
        Self {
            operations: contract::operations(document).len(),
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
