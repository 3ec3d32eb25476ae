//! Tasks of this repository. `cargo xtask` alone lists them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to a person"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "an absent member of a `serde_json::Value` reads as null"
)]
#![allow(unreachable_pub, reason = "nothing is reachable from outside a binary")]

mod bench;
mod cargo_tool;
mod ci;
mod conformance;
mod contract;
mod drift;
mod fuzz;
mod generate;
mod glob;
mod npm;
mod public_api;
mod reliability;
mod supply_chain;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <task>

  generate [--check]  openapi.yaml -> stromboli-generated/src/generated.rs (--check: compare only)
  drift FILE...       compare openapi.yaml with published Swagger 2.0 files (JSON or YAML; FILE@VERSION to say its version)
  tidy                check the invariants of ARCHITECTURE.md
  contract [--quick] [-- ARG...]
                      hold the emulator and the client to openapi.yaml from outside (--quick: fewer requests; ARG...:
                      more arguments of Schemathesis, such as --include-operation-id run_sync)
  fuzz [TARGET] [--seconds N]
                      made-up input for what reads what servers send (30 s for each target unless told otherwise)
  public-api [--check]
                      what users can name -> docs/public-api/*.txt (--check: compare only)
  supply-chain        licences and sources of dependencies, each feature alone, oldest versions, docs.rs
  bench [NAME]        what benches/ measures beside its peers, on a quiet machine with Linux; all of it writes
                      docs/performance.md (`bench emulator` is apart and needs wrk)
  bench --check       only what is the same on every machine: instructions and allocations (needs valgrind)
  reliability [matrix|calls|soak [--minutes N]]
                      measure what docs/reliability.md says, all of it or a part, and write the figures there
  ci                  everything that must be green before a change lands
";

/// What a task ends with: nothing, or the text that tells a person what to do.
type TaskResult = Result<(), String>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = root();
    let result = match args.as_slice() {
        ["generate"] => generate::write(&root),
        ["generate", "--check"] => generate::check(&root),
        ["drift", files @ ..] if !files.is_empty() => drift::run(&root, files),
        ["tidy"] => tidy::run(&root),
        ["contract"] => conformance::run(&root, false, &[]),
        ["contract", "--quick"] => conformance::run(&root, true, &[]),
        ["contract", "--", more @ ..] => conformance::run(&root, false, more),
        ["contract", "--quick", "--", more @ ..] => conformance::run(&root, true, more),
        ["fuzz"] => fuzz::run(&root, None, fuzz::SECONDS),
        ["fuzz", "--seconds", seconds] => number(seconds).and_then(|seconds| fuzz::run(&root, None, seconds)),
        ["fuzz", target] => fuzz::run(&root, Some(target), fuzz::SECONDS),
        ["fuzz", target, "--seconds", seconds] => {
            number(seconds).and_then(|seconds| fuzz::run(&root, Some(target), seconds))
        }
        ["public-api"] => public_api::write(&root),
        ["public-api", "--check"] => public_api::check(&root),
        ["supply-chain"] => supply_chain::run(&root),
        ["bench"] => bench::all(&root),
        ["bench", "--check"] => bench::check(&root),
        ["bench", name] => bench::one(&root, name),
        ["reliability", parts @ ..] => reliability::run(&root, parts),
        ["ci"] => ci::run(&root),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text} is no number of seconds"))
}

/// The repository's root: the parent of this crate's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Reads a file, or says which one could not be read and why.
fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}
