//! Checks what no compiler checks: the invariants of ARCHITECTURE.md. A check takes the repository's files and returns
//! one line for each violation, which names the file and the fix.

mod claims;
mod code;
mod dependencies;
mod files;
mod layout;
mod leaks;
mod reference;
mod rules;
mod twins;

use std::path::Path;

use crate::TaskResult;
pub use files::paths;

/// Runs every check on the repository at `root`.
pub fn run(root: &Path) -> TaskResult {
    let files = files::list(root)?;
    let members = dependencies::members(&files)?;
    let problems = [
        twins::check(&files)?,
        dependencies::one_http_stack(&files)?,
        dependencies::shared_lints(&files, &members)?,
        layout::check(&files, &members)?,
        rules::check(&files)?,
        claims::check(&files)?,
        code::short_files(&files),
        code::forbidden(&files),
        leaks::check(&files, &leaks::Machine::this(root)),
        reference::check(root)?,
    ]
    .concat();
    if problems.is_empty() {
        println!("tidy: {} files, nothing to fix", files.len());
        return Ok(());
    }
    Err(format!("{}\n\ntidy: {} to fix", problems.join("\n"), problems.len()))
}
