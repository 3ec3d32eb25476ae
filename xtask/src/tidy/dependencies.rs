//! What the manifests and the lock file must say. They are read line by line, in the form that Cargo writes.

use super::files::{File, find};

/// Two versions of these would mean two connection pools and types that do not fit.
const SINGLE: [&str; 2] = ["reqwest", "hyper"];

/// The folders of the workspace's members.
pub fn members(files: &[File]) -> Result<Vec<String>, String> {
    let manifest = &find(files, "Cargo.toml")?.text;
    let list = manifest
        .split_once("members = [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.ok_or("Cargo.toml has no `members = […]`; list the members of the workspace")?;
    // Every second piece stands between quotes.
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Fails unless the lock file has exactly one `reqwest` and one `hyper`.
pub fn one_http_stack(files: &[File]) -> Result<Vec<String>, String> {
    let lock = &find(files, "Cargo.lock")?.text;
    let mut problems = Vec::new();
    for name in SINGLE {
        let line = format!("name = \"{name}\"");
        let found = lock.lines().filter(|candidate| *candidate == line).count();
        if found != 1 {
            problems.push(format!(
                "Cargo.lock: {found} versions of {name} instead of one; see `cargo tree -d`, and change the dependency \
                 that asks for another"
            ));
        }
    }
    Ok(problems)
}

/// Fails on a member without the workspace's lints, which forbid unsafe code.
pub fn shared_lints(files: &[File], members: &[String]) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    if !find(files, "Cargo.toml")?
        .text
        .lines()
        .any(|line| line.starts_with("unsafe_code = \"forbid\""))
    {
        problems.push("Cargo.toml: add `unsafe_code = \"forbid\"` to [workspace.lints.rust]".to_owned());
    }
    for member in members {
        let path = format!("{member}/Cargo.toml");
        let manifest = &find(files, &path)?.text;
        let mut lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty());
        let shared = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
        if !shared {
            problems.push(format!("{path}: add `[lints]` with `workspace = true`"));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    #[test]
    fn members_are_read_from_the_manifest() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n  \"a\",\n  \"b/c\",\n]\n";
        assert_eq!(members(&sample(&[("Cargo.toml", manifest)])).unwrap(), ["a", "b/c"]);
        assert!(
            members(&sample(&[("Cargo.toml", "[package]")]))
                .unwrap_err()
                .contains("members")
        );
    }

    #[test]
    fn one_http_stack_is_enough() {
        let one =
            "[[package]]\nname = \"hyper\"\n\n[[package]]\nname = \"reqwest\"\n\n[[package]]\nname = \"hyper-util\"\n";
        assert_eq!(one_http_stack(&sample(&[("Cargo.lock", one)])).unwrap(), [""; 0]);
        let two = format!("{one}\n[[package]]\nname = \"reqwest\"\n");
        let problems = one_http_stack(&sample(&[("Cargo.lock", &two)])).unwrap();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("2 versions of reqwest"), "{problems:?}");
    }

    #[test]
    fn every_member_takes_the_shared_lints() {
        let workspace = (
            "Cargo.toml",
            "[workspace.lints.rust]\nunsafe_code = \"forbid\"  # why\n",
        );
        let good = ("a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
        let check = |files: &[(&str, &str)]| shared_lints(&sample(files), &["a".into()]).unwrap();
        assert_eq!(check(&[workspace, good]), [""; 0]);
        assert!(check(&[("Cargo.toml", ""), good])[0].contains("unsafe_code"));
        for bad in [
            "[package]\n",
            "[lints]\n[dependencies]\nx = { workspace = true }\n",
            "workspace = true\n[lints]\n",
        ] {
            assert!(
                check(&[workspace, ("a/Cargo.toml", bad)])[0].starts_with("a/Cargo.toml: add"),
                "{bad}"
            );
        }
        assert!(
            shared_lints(&sample(&[workspace]), &["a".into()])
                .unwrap_err()
                .contains("a/Cargo.toml is missing")
        );
    }
}
