//! What our crates are built from, and that they can be built by others: with any one feature, the oldest dependencies
//! that the manifests allow, and the oldest compiler; on docs.rs.

mod minimal;
mod packages;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use self::packages::{Package, SINCE};
use crate::{TaskResult, cargo_tool, ci, public_api};

/// Of cargo-deny.
const VERSION: &str = "0.20.2";
/// So long the database of advisories may take to arrive.
const FETCH: Duration = Duration::from_secs(60);
/// The libraries for users.
const CRATES: [&str; 4] = [
    "stromboli",
    "stromboli-emulator",
    "stromboli-generated",
    "stromboli-messages",
];
/// What docs.rs builds, with the features that its section in the manifest names.
const DOCS_RS: &str = "doc --quiet --no-deps --package stromboli --features axum,schemars";

/// Runs everything, up to the first that fails.
pub fn run(root: &Path) -> TaskResult {
    say("licences, bans and sources of deny.toml");
    let cargo_deny = cargo_tool::installed(root, "cargo-deny", VERSION)?;
    let deny = |arguments: &str, limit| {
        let mut command = Command::new(&cargo_deny);
        command.args(["--all-features", "--locked"]).args(arguments.split(' '));
        ci::succeed(command.current_dir(root), limit)
    };
    deny("check licenses bans sources", None)?;
    // The database of advisories is a repository of its own, which a build may not be able to reach.
    match deny("fetch db", Some(FETCH)) {
        Ok(()) => deny("check --disable-fetch advisories", None)?,
        Err(said) => say(&format!(
            "advisories NOT looked at, their database cannot be fetched: {said}"
        )),
    }

    say("what the dependencies say that they need");
    let packages = packages::list(root)?;
    let problems = [packages::too_new(&packages), packages::openssl_by_default(root)?].concat();
    if !problems.is_empty() {
        return Err(format!(
            "{}\n\nsupply-chain: {} to fix",
            problems.join("\n"),
            problems.len()
        ));
    }
    say("each crate without features, and with each one alone");
    let ours = packages
        .iter()
        .filter(|package| CRATES.contains(&package.name.as_str()));
    for arguments in ours.flat_map(features_alone) {
        println!("  cargo {arguments}");
        ci::succeed(&mut ci::cargo_command(root, &arguments), None)?;
    }
    say("the documentation as docs.rs builds it");
    let mut docs = ci::cargo_command(root, DOCS_RS);
    docs.env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
    ci::succeed(public_api::as_nightly(root, &mut docs)?, None)?;
    say("the oldest versions of direct dependencies that the manifests allow");
    minimal::check(root)?;
    oldest_compiler(root)
}

fn say(what: &str) {
    println!("supply-chain: {what}");
}

/// What Cargo is told for a crate without features, and with each.
fn features_alone(package: &Package) -> Vec<String> {
    let without = format!(
        "check --quiet --locked --no-default-features --package {}",
        package.name
    );
    let with = package.features.iter().filter(|feature| *feature != "default");
    let with = with.map(|feature| format!("{without} --features {feature}"));
    std::iter::once(without.clone()).chain(with).collect()
}

/// Builds with the oldest compiler that the manifests promise, where it is installed.
fn oldest_compiler(root: &Path) -> TaskResult {
    let there = Command::new("rustup")
        .args(["run", SINCE, "rustc", "--version"])
        .output();
    if !there.is_ok_and(|output| output.status.success()) {
        say(&format!(
            "Rust {SINCE} NOT tried: it is not installed (`rustup toolchain install {SINCE}`); Clippy and the manifests of \
             the dependencies know of nothing newer"
        ));
        return Ok(());
    }
    say(&format!("Rust {SINCE}"));
    let mut check = Command::new("rustup");
    check.args(["run", SINCE, "cargo", "check", "--quiet", "--locked", "--target-dir"]);
    check.arg(root.join("target/oldest"));
    check.args(CRATES.iter().flat_map(|name| ["--package", name]));
    check.args(["--package", "stromboli-cli"]);
    ci::succeed(check.current_dir(root), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_tried_alone() {
        let package = Package {
            name: "a".to_owned(),
            features: ["default", "one", "two"].map(str::to_owned).to_vec(),
            ..Package::default()
        };
        let commands = features_alone(&package);
        assert_eq!(commands.len(), 3);
        assert!(commands[0].ends_with("--no-default-features --package a"));
        assert!(commands[2].ends_with("--features two"));
    }
}
