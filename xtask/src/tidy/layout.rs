//! ARCHITECTURE.md says where things are, and this checks that it is true and complete.
//!
//! Its first fenced block is the layout. A line starts with paths and goes on, after two spaces or more, with what they
//! are for. Paths without indent are from the repository's root; below a folder, indented paths are from that folder.
//! `api/{run,jobs}.rs` stands for both, and `*` for any text. The words after the spaces may name files too, from the
//! line's folder or from the root. Those words, and inline code elsewhere on the page, may also mention an existing path
//! by its end only (`sse.rs`, `api/run.rs`).
//!
//! A word looks like a path when it ends like a file (`.rs`, `.md`, …) or a folder (`/`), or starts with a folder of
//! the repository's root.

use super::files::{File, find};
use crate::glob::fits;

const PAGE: &str = "ARCHITECTURE.md";
const ENDINGS: [&str; 7] = [".rs", ".md", ".yaml", ".toml", ".json", ".lock", "/"];

/// Fails on a path on the page that does not exist, and on a source file that the layout does not name.
pub fn check(files: &[File], members: &[String]) -> Result<Vec<String>, String> {
    let page = &find(files, PAGE)?.text;
    let block = page.split("```").nth(1).ok_or_else(|| {
        format!("{PAGE} has no fenced block with the layout; start with one that names every source file")
    })?;
    let tree = Tree { files };
    let mut problems = Vec::new();
    let mut named = Vec::new();
    for entry in layout(block, &tree) {
        let places = [format!("{}{}", entry.folder, entry.path), entry.path.clone()];
        match places.into_iter().find(|path| tree.has(path)) {
            Some(path) => named.push(path),
            None if entry.mention && tree.has_end(&entry.path) => {}
            None => {
                problems.push(format!(
                    "{PAGE}: the layout names {}{}, which does not exist; correct or remove it",
                    entry.folder, entry.path
                ));
            }
        }
    }
    for word in inline_code(page).into_iter().filter(|word| tree.looks_like_path(word)) {
        problems.extend(
            expand(word)
                .iter()
                .filter(|path| !tree.has_end(path))
                .map(|path| format!("{PAGE}: `{path}` does not exist; correct or remove it")),
        );
    }
    for file in files.iter().filter(|file| is_source(&file.path, members)) {
        if !named.iter().any(|path| fits(path, &file.path)) {
            problems.push(format!(
                "{PAGE}: name {} in the layout, and say what it is for",
                file.path
            ));
        }
    }
    Ok(problems)
}

fn is_source(path: &str, members: &[String]) -> bool {
    let in_member = |member: &String| {
        path.strip_prefix(member.as_str())
            .is_some_and(|rest| rest.starts_with("/src/"))
    };
    path.ends_with(".rs") && members.iter().any(in_member)
}

struct Tree<'a> {
    files: &'a [File],
}

impl Tree<'_> {
    /// Whether a path from the root, perhaps with `*`, is a file or folder.
    fn has(&self, path: &str) -> bool {
        let pattern = if path.ends_with('/') {
            format!("{path}*")
        } else {
            path.to_owned()
        };
        self.files.iter().any(|file| fits(&pattern, &file.path))
    }

    /// Whether a file or folder is at this path or ends with it.
    fn has_end(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| {
            let place = format!("/{}", file.path);
            place.ends_with(&format!("/{path}")) || place.contains(&format!("/{folder}"))
        })
    }

    fn looks_like_path(&self, word: &str) -> bool {
        let plain = !word.starts_with('/') && !word.contains([' ', '<', '*', '(', '\n']) && !word.contains("::");
        let top = word
            .split_once('/')
            .is_some_and(|(top, _)| self.has(&format!("{top}/")));
        plain && (top || ENDINGS.iter().any(|ending| word.ends_with(ending) && word != *ending))
    }
}

/// A path in the layout.
struct Entry {
    /// The folder it is looked for in; empty for the root.
    folder: String,
    path: String,
    /// Whether it stands in the text of the line instead of at its start.
    mention: bool,
}

fn layout(block: &str, tree: &Tree<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut folder = String::new();
    for line in block.lines().skip(1) {
        if !line.starts_with(' ') {
            folder.clear();
        }
        let (paths, text) = line.trim_start().split_once("  ").unwrap_or((line, ""));
        for (words, mention) in [(paths, false), (text, true)] {
            for word in words.split_whitespace() {
                let word = word.trim_matches(['`', '(', ')', ',', ';', ':', '"']);
                // A star is welcome here, unlike elsewhere on the page.
                if !tree.looks_like_path(&word.replace('*', "x")) {
                    continue;
                }
                for path in expand(word) {
                    let is_folder = path.ends_with('/') && folder.is_empty() && !mention;
                    found.push(Entry {
                        folder: folder.clone(),
                        path: path.clone(),
                        mention,
                    });
                    if is_folder {
                        folder = path;
                    }
                }
            }
        }
    }
    found
}

/// The pieces between single backticks, outside of fenced blocks.
fn inline_code(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expand(word: &str) -> Vec<String> {
    let group = word
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match group {
        Some((before, (names, after))) => names
            .split(',')
            .flat_map(|name| expand(&format!("{before}{name}{after}")))
            .collect(),
        None => vec![word.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    const PATHS: [&str; 9] = [
        "Cargo.toml",
        ".ci/run",
        "lib/src/lib.rs",
        "lib/src/api/run.rs",
        "lib/src/api/jobs.rs",
        "docs/a.md",
        "tool/src/main.rs",
        "tool/src/gen/x.rs",
        "tool/data/old.json",
    ];

    const LAYOUT: &str = "\
Cargo.toml              the workspace and/or its lints, see `docs/a.md`
lib/src/                sources: nouns
  lib.rs api/{run,jobs}.rs   one file per tag
tool/src/               main.rs: the command
  gen/*.rs              steps towards Cargo.toml and run.rs
tool/data/              structure only; tool/data/old.json is old
LICENSE docs/ .ci/run
";

    fn problems(layout: &str, prose: &str) -> Vec<String> {
        let page = format!("# Title\n```text\n{layout}```\n{prose}\n```\nno/such.rs\n```\n");
        let mut files = sample(&PATHS.map(|path| (path, "")));
        files.extend(sample(&[(PAGE, &page)]));
        check(&files, &["lib".into(), "tool".into()]).unwrap()
    }

    #[test]
    fn a_page_that_tells_the_truth_passes() {
        let prose = "`lib.rs`, `api/run.rs`, `api/`, `lib/src/api/{run,jobs}.rs`, `application/json`, `/jobs/{id}`, \
                     `src/**/*.rs`, `a::b.rs`, `cargo x.rs`, `GET /a/b.json`, `reqwest/rustls`";
        assert_eq!(problems(LAYOUT, prose), [""; 0]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        for (from, to) in [
            ("jobs}", "gone}"),
            ("Cargo.toml", "Cargo.yaml"),
            ("gen/*.rs", "gen/*.md"),
            ("docs/ ", "dogs/ "),
        ] {
            assert!(
                problems(&LAYOUT.replace(from, to), "")[0].contains("which does not exist"),
                "{to}"
            );
        }
        for code in ["gone.rs", "lib/gone", "api/{run,gone}.rs", "b.rs", "ocs/a.md"] {
            assert!(
                problems(LAYOUT, &format!("`{code}`"))[0].ends_with("does not exist; correct or remove it"),
                "{code}"
            );
        }
    }

    #[test]
    fn a_source_file_that_the_layout_leaves_out_is_named() {
        let found = problems(&LAYOUT.replace("{run,jobs}", "{run}"), "`lib/src/api/jobs.rs`");
        assert_eq!(
            found,
            ["ARCHITECTURE.md: name lib/src/api/jobs.rs in the layout, and say what it is for"]
        );
    }

    #[test]
    fn a_missing_page_or_layout_is_an_error() {
        assert_eq!(check(&[], &[]).unwrap_err(), "ARCHITECTURE.md is missing; add it");
        assert!(
            check(&sample(&[(PAGE, "# Title")]), &[])
                .unwrap_err()
                .contains("no fenced block")
        );
    }

    #[test]
    fn groups_are_expanded() {
        assert_eq!(
            expand("a/{b,c}/{d,e}.rs"),
            ["a/b/d.rs", "a/b/e.rs", "a/c/d.rs", "a/c/e.rs"]
        );
        assert_eq!(expand("a{b"), ["a{b"]);
    }
}
