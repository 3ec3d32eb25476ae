//! The table of docs/emulator.md, which says what holds each rule of the wire: a test that exists, or why it is left out.

use super::files::{File, find};

const PAGE: &str = "docs/emulator.md";
/// The table stands below this line.
const HEADING: &str = "## The rules of the wire";
/// The crate whose tests the table names by their files: `src/…` as it is, others below `tests/it`.
const CRATE: &str = "stromboli-emulator";
/// How the last cell of a row begins that names no test. The reason follows.
const LEFT_OUT: &str = "left out: ";

/// Fails on a row that names a test that does not exist, or nothing that holds its rule.
pub fn check(files: &[File]) -> Result<Vec<String>, String> {
    let page = &find(files, PAGE)?.text;
    let (_, table) = page
        .split_once(HEADING)
        .ok_or_else(|| format!("{PAGE} has no `{HEADING}`; put the table of rules below that line"))?;
    let mut problems = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(rule), Some(held)) = (cells.first(), cells.last()) else {
            continue;
        };
        if *rule == "rule" {
            continue;
        }
        let named: Vec<&str> = held.split('`').filter(|name| name.contains(".rs::")).collect();
        if named.is_empty() && !held.starts_with(LEFT_OUT) {
            problems.push(format!(
                "{PAGE}: nothing holds \"{rule}\"; name a test as `file.rs::name`, or say why there is none after `{LEFT_OUT}`"
            ));
        }
        for name in named.into_iter().filter(|name| !exists(files, name)) {
            problems.push(format!("{PAGE}: there is no test {name}, which is to hold \"{rule}\""));
        }
    }
    if !table.contains(".rs::") {
        problems.push(format!("{PAGE}: no test is named below `{HEADING}`"));
    }
    Ok(problems)
}

fn exists(files: &[File], named: &str) -> bool {
    let Some((file, test)) = named.split_once("::") else {
        return false;
    };
    let folder = if file.starts_with("src/") { "" } else { "tests/it/" };
    has_test(files, &format!("{CRATE}/{folder}{file}"), test)
}

/// Whether the file at this path has a test of that name: a function right below an attribute.
pub fn has_test(files: &[File], path: &str, test: &str) -> bool {
    let Ok(file) = find(files, path) else {
        return false;
    };
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let name = format!("fn {test}(");
    lines.windows(2).any(|pair| match pair {
        [attribute, line] => {
            attribute.starts_with("#[") && line.strip_prefix("async ").unwrap_or(line).starts_with(&name)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    const TESTS: (&str, &str) = (
        "stromboli-emulator/tests/it/run.rs",
        "#[tokio::test]\nasync fn a_run_answers() {}\n\nfn not_a_test() {}\n",
    );
    const UNIT: (&str, &str) = (
        "stromboli-emulator/src/json.rs",
        "mod tests {\n    #[test]\n    fn html_is_escaped() {}\n}\n",
    );

    fn problems(rows: &str) -> Vec<String> {
        let page = format!("# Guide\n\n| a | b |\n\n{HEADING}\n\n| rule | held by |\n|---|---|\n{rows}\n");
        check(&sample(&[(PAGE, &page), TESTS, UNIT])).unwrap()
    }

    #[test]
    fn a_rule_is_held_by_a_test_or_left_out_for_a_reason() {
        let good = "| a \\| b | `run.rs::a_run_answers`, `src/json.rs::html_is_escaped` |\n\
                    | c | `run.rs::a_run_answers` |\n| d | left out: why |\n\
                    | e | guess: f; `run.rs::a_run_answers` |";
        assert_eq!(problems(good), [""; 0]);
    }

    #[test]
    fn a_test_that_is_not_there_is_named() {
        for gone in [
            "run.rs::a_run",
            "run.rs::not_a_test",
            "gone.rs::a_run_answers",
            "src/json.rs::a_run_answers",
        ] {
            let row = format!("| c | `run.rs::a_run_answers` `{gone}` |");
            let found = problems(&row);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(&format!("no test {gone}")), "{found:?}");
        }
    }

    #[test]
    fn a_rule_that_nothing_holds_is_named() {
        let found = problems(
            "| c | `run.rs::a_run_answers` |\n| d | of course |\n| e | |\n| f | left out |\n| g | left out: |\n| h | guess: i |",
        );
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].contains("nothing holds \"d\""), "{found:?}");
    }

    #[test]
    fn a_page_without_the_table_is_told() {
        assert_eq!(problems("").len(), 1);
        assert!(check(&sample(&[(PAGE, "# Guide")])).unwrap_err().contains(HEADING));
    }
}
