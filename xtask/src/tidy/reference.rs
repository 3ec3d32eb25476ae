//! docs/cli.md is the help of the command `stromboli`, made by the command itself.

use std::path::Path;

use crate::ci;

const PAGE: &str = "docs/cli.md";
const MAKE: &str = "run -q -p stromboli-cli -- reference";

/// One line if the page is not what the command would make.
pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let made = ci::cargo_command(root, MAKE)
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    if !made.status.success() {
        return Err(format!("cargo {MAKE}:\n{}", String::from_utf8_lossy(&made.stderr)));
    }
    let page = std::fs::read(root.join(PAGE)).unwrap_or_default();
    Ok(compared(&page, &made.stdout))
}

fn compared(page: &[u8], made: &[u8]) -> Vec<String> {
    if page == made {
        return Vec::new();
    }
    vec![format!(
        "{PAGE}: is not what the command says; run `cargo {MAKE} > {PAGE}` and look at the difference"
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_differs_is_named_with_how_to_make_it() {
        assert_eq!(compared(b"a\n", b"a\n"), [""; 0]);
        assert!(compared(b"a\n", b"b\n")[0].contains("reference > docs/cli.md"));
    }
}
