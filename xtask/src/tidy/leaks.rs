//! Names of the machine that a change was made on do not belong into the repository: where it gets packages from, and
//! where its files lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::File;

/// Cargo writes the registry's address into it, and only ever the public one.
const EXEMPT: &str = "Cargo.lock";

/// Package registries that are everyone's default. In parts, so that this file does not contain them.
const REGISTRIES: [&[&str]; 6] = [
    &["registry", "npmjs", "org"],
    &["pypi", "org"],
    &["pythonhosted", "org"],
    &["index", "crates", "io"],
    &["static", "crates", "io"],
    &["deb", "debian", "org"],
];

/// Named by the manifests, and configured as a source of packages on some machines.
const PUBLIC: &str = "github.com";

/// The names that must not appear.
pub struct Machine {
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
}

impl Machine {
    /// The names of this machine.
    pub fn this(root: &Path) -> Self {
        let mut hosts: Vec<String> = REGISTRIES.iter().map(|parts| parts.join(".")).collect();
        hosts.extend(configurations(&cargo_home()).iter().flat_map(|text| hosts_of(text)));
        hosts.sort();
        hosts.dedup();
        Self {
            hosts,
            paths: paths(root),
        }
    }
}

/// Fails on files that contain one of the machine's names.
pub fn check(files: &[File], machine: &Machine) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.path != EXEMPT) {
        for (index, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, index + 1);
            if let Some(host) = machine.hosts.iter().find(|host| line.contains(host.as_str())) {
                problems.push(format!(
                    "{place}: names the package registry {host}; leave it to the machine's settings"
                ));
            }
            if let Some(path) = machine.paths.iter().find(|path| names_path(line, path)) {
                problems.push(format!(
                    "{place}: names {path}, which is on this machine only; use a relative path"
                ));
            }
        }
    }
    problems
}

/// Whether `path` stands in the line as a whole: `/a/b` is not in `/a/bc` and not in `/x/a/b`.
fn names_path(line: &str, path: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(|c| part_of_name(c) && c != '/')
    })
}

/// What the package managers of this machine are told about their registries.
fn configurations(cargo_home: &Path) -> Vec<String> {
    let output = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut texts: Vec<String> = [
        output("npm", &["config", "get", "registry"]),
        output("pip", &["config", "list"]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut files = vec![
        cargo_home.join("config.toml"),
        cargo_home.join("config"),
        "/etc/apt/sources.list".into(),
    ];
    let lists = std::fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    files.extend(lists.map(|entry| entry.path()));
    texts.extend(files.iter().filter_map(|path| std::fs::read_to_string(path).ok()));
    texts
}

/// The hosts of the URLs in a text. Names without a dot are too short to search for, and loopback is everyone's.
fn hosts_of(text: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for after in ["http://", "https://"]
        .into_iter()
        .flat_map(|scheme| text.split(scheme).skip(1))
    {
        let end = |c: char| c.is_whitespace() || "/\"'".contains(c);
        let authority = after.split(end).next().unwrap_or_default();
        let host = authority
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap_or_default();
        if host.contains('.') && !host.starts_with("127.") && host != PUBLIC {
            hosts.push(host.to_owned());
        }
    }
    hosts
}

/// The checkout, what lies beside it, and Cargo's home. The folder around the checkout is not enough of a name: it may
/// be `/workspace`, which examples use for a folder of a container. The same is true of every path of one part.
fn paths(root: &Path) -> Vec<String> {
    let mut paths = vec![root.to_owned(), cargo_home()];
    let beside = root
        .parent()
        .and_then(|parent| std::fs::read_dir(parent).ok())
        .into_iter()
        .flatten()
        .flatten();
    paths.extend(
        beside
            .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            .map(|entry| entry.path()),
    );
    paths.retain(|path| path.is_absolute() && path.components().count() > 2);
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let machine = Machine {
            hosts: vec!["packages.example.com".into()],
            paths: vec!["/build/repo".into()],
        };
        check(&sample(&[(path, text)]), &machine)
    }

    #[test]
    fn a_registry_is_found_except_in_the_lock_file() {
        let text = "a\nfrom https://packages.example.com/simple\n";
        assert!(problems("README.md", text)[0].starts_with("README.md:2: names the package registry"));
        assert_eq!(problems("Cargo.lock", text), [""; 0]);
        assert_eq!(problems("README.md", "https://example.com/"), [""; 0]);
    }

    #[test]
    fn a_path_of_this_machine_is_found() {
        for text in ["cd /build/repo", "see `/build/repo/a.rs`", "\"/build/repo\""] {
            assert!(
                problems("a.md", text)[0].starts_with("a.md:1: names /build/repo"),
                "{text}"
            );
        }
        for text in [
            "/build",
            "/build/repository",
            "build/repo",
            "/x/build/repo",
            "../build/repo",
        ] {
            assert_eq!(problems("a.md", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn hosts_are_read_from_settings() {
        let text = "deb http://mirror.example.com/debian a\nregistry = \"sparse+https://me:secret@crates.example.com:8443/x\"\n\
                    index-url='https://localhost/simple' http://127.0.0.1:4873/ https://github.com/rust-lang/";
        let mut hosts = hosts_of(text);
        hosts.sort();
        assert_eq!(hosts, ["crates.example.com", "mirror.example.com"]);
    }

    #[test]
    fn this_machine_has_names() {
        let machine = Machine::this(&crate::root());
        assert!(machine.hosts.len() >= REGISTRIES.len());
        assert!(machine.paths.contains(&crate::root().to_string_lossy().into_owned()));
    }
}
