//! Programs of Node.js that tasks need, installed into `target/tools` in the version that this repository asks for.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A package and the program in it.
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    pub program: &'static str,
}

impl Package {
    /// Where the program is, after it was installed if it was not there.
    pub fn installed(&self, root: &Path) -> Result<PathBuf, String> {
        // The version is in the path, so that another one is installed when it changes.
        let folder = root.join(format!("target/tools/{}-{}", self.program, self.version));
        let program = folder.join("node_modules/.bin").join(self.program);
        if !answers(&program) {
            self.install(&folder)?;
        }
        Ok(program)
    }

    fn install(&self, folder: &Path) -> Result<(), String> {
        let package = format!("{}@{}", self.name, self.version);
        println!("installing {package} into {}", folder.display());
        std::fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"])
            .arg(folder)
            .arg(&package);
        match npm.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("npm could not install {package} ({status})")),
            Err(e) => Err(format!(
                "cannot run npm ({e}); install Node.js with npm (apt-get install nodejs npm), or run .ci/run, which does"
            )),
        }
    }
}

/// Whether there is such a program and it works.
pub fn answers(program: &Path) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|it| it.status.success())
}
