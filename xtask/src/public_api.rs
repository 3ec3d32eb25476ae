//! What users of the crates can name, as text below `docs/public-api`: a change of it is seen in review.
//!
//! Rustdoc's JSON has a format that changes with the compiler and is for nightly only, so rustdoc is told that it is one.
//! Another format than the one that [`FORMAT`] names is not compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{TaskResult, ci};

/// The crates, and the features without which parts of them are missing. Those that choose TLS add nothing.
const CRATES: [(&str, &str); 4] = [
    ("stromboli", "axum,schemars"),
    ("stromboli-messages", ""),
    ("stromboli-generated", ""),
    ("stromboli-emulator", ""),
];
const FOLDER: &str = "docs/public-api";
/// The format that rustc 1.95 writes.
const FORMAT: u64 = 57;

/// Names that are shorter without their crate, and as clear.
const SHORT: [&str; 5] = [
    "alloc::boxed::Box",
    "alloc::string::String",
    "alloc::vec::Vec",
    "core::option::Option",
    "core::result::Result",
];

/// Writes the listings.
pub fn write(root: &Path) -> TaskResult {
    for (name, features) in CRATES {
        let (path, text) = listing(root, name, features)?;
        std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// Fails if the listings are not what is committed. Says so and passes if this compiler's format is another one.
pub fn check(root: &Path) -> TaskResult {
    let mut problems = Vec::new();
    for (name, features) in CRATES {
        let (path, text) = match listing(root, name, features) {
            Ok(listing) => listing,
            Err(said) if said.starts_with(OTHER_FORMAT) => {
                println!("public-api: not compared: {said}");
                return Ok(());
            }
            Err(said) => return Err(said),
        };
        let changes = changes(&std::fs::read_to_string(&path).unwrap_or_default(), &text);
        if !changes.is_empty() {
            problems.push(format!("{name}\n{}", changes.join("\n")));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\n\npublic-api: this is not what {FOLDER} says. Where the change is meant, `cargo xtask public-api` accepts it: \
         commit the files, and say in CHANGELOG.md what users must change",
        problems.join("\n\n")
    ))
}

const OTHER_FORMAT: &str = "this compiler's rustdoc";

/// The file of a crate's listing, and what it should say.
fn listing(root: &Path, name: &str, features: &str) -> Result<(PathBuf, String), String> {
    let mut rustdoc = ci::cargo_command(root, "rustdoc --quiet --lib --package");
    rustdoc.args([name, "--features", features]);
    rustdoc.args([
        "--",
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
        "--cap-lints",
        "allow",
    ]);
    ci::succeed(as_nightly(root, &mut rustdoc)?, None)?;
    let json = root.join(format!("target/doc/{}.json", name.replace('-', "_")));
    let text = crate::read(&json)?;
    let document: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", json.display()))?;
    if document["format_version"] != FORMAT {
        return Err(format!(
            "{OTHER_FORMAT} writes format {}, and {FOLDER} was made from format {FORMAT}, which is rustc 1.95's",
            document["format_version"]
        ));
    }
    let items = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(|e| format!("{}: {e}", json.display()))?;
    let path = root.join(FOLDER).join(format!("{name}.txt"));
    Ok((path, text_of(items.items().map(ToString::to_string))))
}

/// Lets rustdoc, and nothing else of a Cargo command, use what is for nightly compilers only. A variable for all of the
/// command would run build scripts of dependencies again, and compile what depends on those.
pub fn as_nightly<'a>(root: &Path, command: &'a mut Command) -> Result<&'a mut Command, String> {
    let folder = root.join("target/tools");
    let program = folder.join("rustdoc-as-nightly");
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    if std::fs::read_to_string(&program).is_ok_and(|there| there == script) {
        return Ok(command.env("RUSTDOC", program));
    }
    let write = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&program, script)?;
        Command::new("chmod").arg("+x").arg(&program).status().map(drop)
    };
    write().map_err(|e| format!("cannot write {}: {e}", program.display()))?;
    Ok(command.env("RUSTDOC", program))
}

/// One line for each item. What an implementation of a trait consists of is the trait's to say.
fn text_of(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut in_trait_impl = false;
    for item in items {
        let item = SHORT.iter().fold(item, |item, long| {
            item.replace(long, long.rsplit(':').next().unwrap_or_default())
        });
        if item.starts_with("impl core::marker::StructuralPartialEq for ") {
            continue; // Comes with every derived `PartialEq`, and nobody can use it.
        }
        if item.starts_with("impl") {
            in_trait_impl = item.contains(" for ");
        } else if in_trait_impl
            && ["pub fn ", "pub async fn ", "pub type ", "pub const "]
                .iter()
                .any(|it| item.starts_with(it))
        {
            continue;
        } else {
            in_trait_impl = false;
        }
        text.push_str(&item);
        text.push('\n');
    }
    text
}

/// Lines that only one of them has.
fn changes(before: &str, after: &str) -> Vec<String> {
    let only = |a: &str, b: &str, sign: &str| -> Vec<String> {
        let b: std::collections::HashSet<&str> = b.lines().collect();
        a.lines()
            .filter(|line| !b.contains(line))
            .map(|line| format!("{sign}{line}"))
            .collect()
    };
    [only(before, after, "-"), only(after, before, "+")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_traits_say_is_left_out_and_long_names_are_short() {
        let items = [
            "pub struct a::B",
            "pub a::B::name: core::option::Option<alloc::string::String>",
            "impl a::B",
            "pub fn a::B::new() -> Self",
            "impl core::fmt::Display for a::B",
            "pub fn a::B::fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result",
            "impl a::B",
            "pub fn a::B::other() -> Self",
            "impl core::default::Default for a::B",
            "pub struct a::C",
            "pub fn a::free()",
        ];
        let expected = "pub struct a::B\npub a::B::name: Option<String>\nimpl a::B\npub fn a::B::new() -> Self\n\
                        impl core::fmt::Display for a::B\nimpl a::B\npub fn a::B::other() -> Self\n\
                        impl core::default::Default for a::B\npub struct a::C\npub fn a::free()\n";
        assert_eq!(text_of(items.map(str::to_owned).into_iter()), expected);
    }

    #[test]
    fn a_change_is_shown_from_both_sides() {
        assert_eq!(changes("a\nb\n", "a\nb\n"), [""; 0]);
        assert_eq!(changes("a\nb\n", "a\nc\n"), ["-b", "+c"]);
    }
}
