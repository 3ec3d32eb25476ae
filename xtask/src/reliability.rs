//! The figures of docs/reliability.md: what each of them takes to be measured, and where they stand on that page.

use std::path::Path;
use std::process::Command;

use crate::{TaskResult, ci, read};

const PAGE: &str = "docs/reliability.md";
/// Where the tests write what they have counted, a file for each part of the page.
const FOLDER: &str = "target/reliability";
/// How many calls of the test of at most one execution; CI makes 2,400.
const CALLS: &str = "10000";
/// What the page has before and after the figures of a part.
const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end -->";

/// A part of the page that this task measures.
struct Part {
    name: &'static str,
    /// Arguments of Cargo.
    test: &'static str,
    variables: Vec<(&'static str, String)>,
}

fn matrix() -> Part {
    Part {
        name: "matrix",
        test: "test -p stromboli-tests --test reliability matrix::every_fault -- --nocapture",
        variables: vec![],
    }
}

fn calls() -> Part {
    Part {
        name: "calls",
        test: "test -p stromboli-tests --test it at_most_once:: -- --nocapture",
        variables: vec![("STROMBOLI_TEST_CALLS", CALLS.to_owned())],
    }
}

fn soak(minutes: &str) -> Result<Part, String> {
    let positive = |minutes: &u32| *minutes > 0;
    minutes
        .parse()
        .ok()
        .filter(positive)
        .ok_or_else(|| format!("--minutes {minutes}: give a whole number of minutes, such as 30"))?;
    Ok(Part {
        name: "soak",
        test: "test -p stromboli-tests --features jemalloc --test reliability soak::nothing_grows -- --ignored --nocapture",
        variables: vec![
            ("STROMBOLI_SOAK_MINUTES", minutes.to_owned()),
            // One heap that gives back at once what is free: what the system counts at rest is then what is in use.
            (
                "_RJEM_MALLOC_CONF",
                "narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0".to_owned(),
            ),
        ],
    })
}

/// Measures what is asked for, all without arguments, and writes the figures into the page.
pub fn run(root: &Path, arguments: &[&str]) -> TaskResult {
    let parts = match arguments {
        [] => vec![matrix(), calls(), soak("30")?],
        ["matrix"] => vec![matrix()],
        ["calls"] => vec![calls()],
        ["soak"] => vec![soak("30")?],
        ["soak", "--minutes", minutes] => vec![soak(minutes)?],
        _ => {
            return Err(format!(
                "reliability: unknown arguments {arguments:?}; `cargo xtask` lists what there is"
            ));
        }
    };
    let folder = root.join(FOLDER);
    for part in parts {
        let mut test = ci::cargo_command(root, part.test);
        test.env("STROMBOLI_FIGURES", &folder).envs(part.variables);
        ci::succeed(&mut test, None)?;
        let figures = read(&folder.join(format!("{}.md", part.name)))?;
        let page = read(&root.join(PAGE))?;
        let page = with_figures(&page, part.name, &figures, &measured()?)?;
        std::fs::write(root.join(PAGE), page).map_err(|e| format!("cannot write {PAGE}: {e}"))?;
        println!("{PAGE}: {} is up to date", part.name);
    }
    Ok(())
}

/// When, and with what.
fn measured() -> Result<String, String> {
    let ask = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let output = output.map_err(|e| format!("cannot run {program}: {e}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    Ok(format!(
        "Measured on {} with {}, stromboli {}.",
        ask("date", &["-u", "+%F"])?,
        ask("rustc", &["--version"])?,
        env!("CARGO_PKG_VERSION")
    ))
}

/// The page with these figures in their place.
fn with_figures(page: &str, name: &str, figures: &str, measured: &str) -> Result<String, String> {
    let missing =
        || format!("{PAGE} has no place for the figures of {name}; put `{BEGIN}{name} -->` and `{END}` there");
    let begin = format!("{BEGIN}{name} -->");
    let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!(
        "{before}{begin}\n{measured}\n\n{}\n{END}{after}",
        figures.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_place_of_the_old_ones_and_nothing_else_changes() {
        let page = "a\n<!-- figures: x -->\nold\n<!-- end -->\nb\n<!-- figures: y -->\nold\n<!-- end -->\nc\n";
        let new = with_figures(page, "x", "new\n\n", "Now.").unwrap();
        assert_eq!(
            new,
            "a\n<!-- figures: x -->\nNow.\n\nnew\n<!-- end -->\nb\n<!-- figures: y -->\nold\n<!-- end -->\nc\n"
        );
        assert_eq!(with_figures(&new, "x", "new", "Now.").unwrap(), new);
        assert!(with_figures(page, "z", "", "").unwrap_err().contains("figures: z"));
    }

    #[test]
    fn the_page_has_a_place_for_every_part() {
        let page = read(&crate::root().join(PAGE)).unwrap();
        for part in [matrix(), calls(), soak("1").unwrap()] {
            with_figures(&page, part.name, "", "").unwrap();
        }
    }

    #[test]
    fn a_soak_takes_a_number_of_minutes() {
        for minutes in ["0", "", "-1", "1.5", "ten"] {
            assert!(soak(minutes).err().unwrap().contains("whole number"), "{minutes}");
        }
    }
}
