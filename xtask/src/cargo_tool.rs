//! Programs that extend Cargo, installed into `target/tools` in the version that this repository asks for.

use std::path::{Path, PathBuf};

use crate::{ci, npm};

/// Where the program is, after it was installed if it was not there.
pub fn installed(root: &Path, name: &str, version: &str) -> Result<PathBuf, String> {
    // The version is in the path, so that another one is installed when it changes.
    let folder = root.join(format!("target/tools/{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !npm::answers(&program) {
        println!("installing {name} {version} into {}", folder.display());
        let build = folder.join("build");
        // Without optimizations it is there in a fraction of the time, and has little to do.
        let mut install = ci::cargo_command(root, "install --quiet --locked --debug --version");
        install.args([version, name, "--target-dir"]).arg(&build);
        ci::succeed(install.arg("--root").arg(&folder), None)?;
        std::fs::remove_dir_all(&build).map_err(|e| format!("cannot remove {}: {e}", build.display()))?;
    }
    Ok(program)
}
