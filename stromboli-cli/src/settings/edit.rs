//! Changing one setting in a file, and nothing else in it: comments, order and spaces stay.

use std::io::{self, Write};
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use super::file;
use crate::exit::{Complaint, Failure};
use crate::locked_file;

/// Writes `key = text` into a file, which is made if need be. A file that nobody could read afterwards is not written.
pub(crate) fn set_in_file(path: &Path, key: &str, text: &str) -> Result<(), Failure> {
    file::check_key(key).map_err(Failure::Usage)?;
    let broken = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
    let old = locked_file::read(path).map_err(|error| broken(format!("cannot be read: {error}")))?;
    let mut document: DocumentMut = match &old {
        Some(old) => old
            .parse()
            .map_err(|error| broken(format!("{error}").trim_end().to_owned()))?,
        None => DocumentMut::new(),
    };
    // Comments behind the last setting belong to what stands above them, not behind what is added now.
    let mut behind = document.trailing().as_str().unwrap_or_default().to_owned();
    if !behind.is_empty() && !behind.ends_with('\n') {
        behind.push('\n');
    }
    document.set_trailing("");
    let above = document.to_string();

    let mut keys: Vec<&str> = key.split('.').collect();
    let last = keys.pop().unwrap_or_default();
    let mut table: &mut Table = document.as_table_mut();
    for key in keys {
        let below = table.entry(key).or_insert_with(|| {
            let mut table = Table::new();
            // `[profiles.work]` alone, without a `[profiles]` above it.
            table.set_implicit(true);
            Item::Table(table)
        });
        table = below.as_table_mut().ok_or_else(|| {
            broken(format!(
                "`{key}` is no table, and this program writes none but `[{key}]`"
            ))
        })?;
    }
    match table.get_mut(last).and_then(Item::as_value_mut) {
        // What stands around the value is a comment, perhaps.
        Some(old) => {
            let decor = old.decor().clone();
            *old = text.into();
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(last, value(text))),
    }
    let new = document.to_string();
    let new = match new.strip_prefix(&above) {
        Some(added) => format!("{above}{behind}{added}"),
        None => new + &behind,
    };
    file::check(path, &new).map_err(|Complaint { clause, next }| {
        let failure = Failure::usage(clause);
        next.into_iter().fold(failure, Failure::next)
    })?;
    let written = match old {
        Some(_) => replace(path, &new),
        None => create(path, &new),
    };
    written.map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        locked_file::create_folder(folder)?;
    }
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(text.as_bytes())
}

/// Replaces a file whole. One that is a link, as those who keep their settings in a repository have it, stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file after a change.
    fn changed(old: &str, key: &str, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, old).unwrap();
        let result = set_in_file(&path, key, text);
        let new = std::fs::read_to_string(&path).unwrap();
        match result {
            Ok(()) => Ok(new),
            Err(failure) => {
                assert_eq!(new, old, "{failure:?}");
                Err(format!("{failure:?}"))
            }
        }
    }

    #[test]
    fn nothing_but_the_value_changes() {
        let old = "# mine\nurl  = 'http://a' # why\n\n[profiles.work] # at work\nurl = \"http://b\"\n";
        assert_eq!(
            changed(old, "url", "http://c").unwrap(),
            old.replace("'http://a'", "\"http://c\"")
        );
        assert_eq!(
            changed(old, "profiles.work.url", "http://c").unwrap(),
            old.replace("http://b", "http://c")
        );
        let added = changed(old, "profiles.home.output", "json").unwrap();
        assert_eq!(added, format!("{old}\n[profiles.home]\noutput = \"json\"\n"));
        let added = changed(old, "output", "json").unwrap();
        assert_eq!(added, old.replace("\n\n[", "\noutput = \"json\"\n\n["));
        assert_eq!(
            changed("# mine", "url", "http://a").unwrap(),
            "# mine\nurl = \"http://a\"\n"
        );
        let added = changed("url = 'x'\n# last\n", "profiles.a.url", "http://a").unwrap();
        assert_eq!(added, "url = 'x'\n# last\n\n[profiles.a]\nurl = \"http://a\"\n");
    }

    #[test]
    fn what_cannot_be_read_afterwards_is_not_written() {
        for (old, key, text, reason) in [
            ("", "ulr", "x", "did you mean `url`?"),
            ("", "profiles.a.ulr", "x", "did you mean `profiles.a.url`?"),
            ("", "profiles.a", "x", "there is no setting `profiles.a`"),
            ("", "token", "x", "there is no setting `token`"),
            ("", "output", "yaml", "unknown variant `yaml`"),
            ("url = ", "url", "http://a", "TOML parse error"),
            ("profiles = {}", "profiles.a.url", "http://a", "is no table"),
            ("colour = 'auto'", "url", "http://a", "the file has no key `colour`"),
        ] {
            let problem = changed(old, key, text).unwrap_err();
            assert!(problem.contains(reason), "{key}: {problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link.toml"), folder.path().join("config.toml"));
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        set_in_file(&link, "url", "http://a").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "url = \"http://a\"\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
