//! The files of the repository, without what is built or ignored.

use std::path::Path;
use std::process::Command;

/// A file by its path from the repository's root, with `/` between folders.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub path: String,
    /// Bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Finds a file by its path.
pub fn find<'a>(files: &'a [File], path: &str) -> Result<&'a File, String> {
    files
        .iter()
        .find(|file| file.path == path)
        .ok_or_else(|| format!("{path} is missing; add it"))
}

/// Names what Git has or would add, or every file when this is no checkout.
pub fn paths(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = match from_git(root) {
        Some(paths) => paths,
        None => {
            let mut paths = Vec::new();
            walk(root, "", &mut paths).map_err(|e| format!("cannot list {}: {e}", root.display()))?;
            paths
        }
    };
    paths.sort();
    paths.dedup();
    // Git also lists what was deleted since the last commit.
    paths.retain(|path| root.join(path).is_file());
    Ok(paths)
}

/// Reads what [`paths`] names.
pub fn list(root: &Path) -> Result<Vec<File>, String> {
    let read = |path: String| {
        let bytes = std::fs::read(root.join(&path)).ok()?;
        Some(File {
            path,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    };
    Ok(paths(root)?.into_iter().filter_map(read).collect())
}

fn from_git(root: &Path) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(names.split_terminator('\0').map(str::to_owned).collect())
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_file() {
            found.push(format!("{prefix}{name}"));
        } else if kind.is_dir() && name != ".git" && name != "target" {
            walk(&entry.path(), &format!("{prefix}{name}/"), found)?;
        }
    }
    Ok(())
}

/// Files for tests of the checks.
#[cfg(test)]
pub fn sample(files: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(path, text)| File {
            path: (*path).into(),
            text: (*text).into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_git_is_walked() {
        let root = std::env::temp_dir().join(format!("stromboli-tidy-{}", std::process::id()));
        for (path, text) in [("a/b.rs", "b"), ("c.md", "c"), ("target/d.rs", "d"), (".git/e", "e")] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut found = Vec::new();
        walk(&root, "", &mut found).unwrap();
        found.sort();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["a/b.rs", "c.md"]);
    }

    #[test]
    fn this_file_is_listed() {
        let files = list(&crate::root()).unwrap();
        assert!(
            find(&files, "xtask/src/tidy/files.rs")
                .unwrap()
                .text
                .contains("fn this_file_is_listed")
        );
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
        assert!(
            find(&files, "no/such.rs")
                .unwrap_err()
                .contains("no/such.rs is missing")
        );
    }
}
