//! SECURITY.md promises, and each of its promises names a test that exists.

use super::files::{File, find};
use super::rules::has_test;

const PAGE: &str = "SECURITY.md";

/// Fails on a row of a table that names no test, or one that does not exist.
pub fn check(files: &[File]) -> Result<Vec<String>, String> {
    let page = &find(files, PAGE)?.text;
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && *line != "| promise | held by |");
    let mut problems = Vec::new();
    let mut promises = 0;
    for row in rows {
        promises += 1;
        let named: Vec<(&str, &str)> = row
            .split('`')
            .filter(|code| code.contains(".rs::"))
            .filter_map(|code| code.split_once("::"))
            .collect();
        if named.is_empty() {
            problems.push(format!(
                "{PAGE}: `{row}` names no test; name one as `path/of/file.rs::name`"
            ));
        }
        for (path, test) in named.into_iter().filter(|(path, test)| !has_test(files, path, test)) {
            problems.push(format!("{PAGE}: there is no test {path}::{test}; correct or remove it"));
        }
    }
    if promises == 0 {
        problems.push(format!("{PAGE} promises nothing; keep its tables"));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    fn problems(rows: &str) -> Vec<String> {
        let page = format!("# Security\n\n| promise | held by |\n|---|---|\n{rows}\n");
        let test = ("a/b.rs", "#[test]\nfn it_holds() {}\n\nfn other() {}\n");
        check(&sample(&[(PAGE, &page), test])).unwrap()
    }

    #[test]
    fn a_promise_names_tests_that_exist() {
        assert_eq!(problems("| a | `a/b.rs::it_holds` |"), [""; 0]);
        assert!(problems("| a | of course |")[0].contains("names no test"));
        for gone in ["a/b.rs::other", "b.rs::it_holds", "a/b.rs::it"] {
            assert!(
                problems(&format!("| a | `a/b.rs::it_holds` `{gone}` |"))[0].contains(gone),
                "{gone}"
            );
        }
        assert!(problems("")[0].contains("promises nothing"));
        assert!(check(&[]).is_err());
    }
}
