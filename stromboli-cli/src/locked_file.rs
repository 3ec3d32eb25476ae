//! A small file that several processes change: one at a time, each change whole or not at all, readable for its user only.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file by its path, whether it is there or not, and who may change it: the one that holds this.
///
/// The lock is a file of its own beside it, because the file itself is another one after each change. It is the system's, so
/// a process that is killed leaves none behind.
pub(crate) struct LockedFile {
    path: PathBuf,
    /// Released when it is closed.
    _lock: File,
}

impl LockedFile {
    /// Waits until no other process changes the file. Its folder is made if need be.
    pub(crate) fn lock(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock = private().open(path.with_file_name(name))?;
        fs4::FileExt::lock(&lock)?;
        Ok(Self { path, _lock: lock })
    }

    /// What is in the file, as nobody else can change it now.
    pub(crate) fn read(&self) -> io::Result<Option<String>> {
        read(&self.path)
    }

    /// Puts this into the file. Who reads it meanwhile sees all of the old text or all of the new, after a crash as well.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        // Mode 0600, as everything that `tempfile` makes.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// What is in the file, without waiting for anybody; `None` if there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the folder and those above it, for its user only.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How to open a file that is made for its user only, if it is not there.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_from_many_sides_are_all_there_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/file");
        assert_eq!(read(&path).unwrap(), None);
        std::thread::scope(|scope| {
            for side in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for change in 0..20 {
                        let file = LockedFile::lock(path).unwrap();
                        let text = file.read().unwrap().unwrap_or_default();
                        file.write(&format!("{text}{side}.{change}\n")).unwrap();
                    }
                });
            }
        });
        let text = read(&path).unwrap().unwrap();
        assert_eq!(text.lines().count(), 160);
        assert!((0..8).all(|side| text.contains(&format!("{side}.19\n"))));
    }

    #[cfg(unix)]
    #[test]
    fn file_lock_and_folder_are_for_their_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        LockedFile::lock(&path).unwrap().write("text").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }
}
