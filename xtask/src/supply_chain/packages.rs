//! The packages of the workspace, as Cargo resolved them for all platforms and features, and what must be true of each.

use std::path::Path;

use serde_json::Value;

use crate::ci;

/// The oldest compiler that our manifests promise.
pub const SINCE: &str = "1.88";

#[derive(Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub rust_version: Option<String>,
    pub features: Vec<String>,
}

/// All packages of the workspace.
pub fn list(root: &Path) -> Result<Vec<Package>, String> {
    let mut metadata = ci::cargo_command(root, "metadata --format-version 1 --all-features --locked");
    let text = output(&mut metadata)?;
    let metadata: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]).unwrap_or_default(),
            version: text(&package["version"]).unwrap_or_default(),
            rust_version: text(&package["rust_version"]),
            features: package["features"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
        })
        .collect())
}

/// Fails on packages that say that they need a newer compiler than we do.
pub fn too_new(packages: &[Package]) -> Vec<String> {
    let problem = |package: &Package| {
        let needs = package.rust_version.as_deref()?;
        (numbers(needs) > numbers(SINCE)).then(|| {
            let (name, version) = (&package.name, &package.version);
            format!("{name} {version} needs Rust {needs}, and {SINCE} is promised; `cargo update -p {name} --precise` an older one")
        })
    };
    packages.iter().filter_map(problem).collect()
}

/// Major and minor; patches do not matter.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .take(2)
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// Fails if a crate needs OpenSSL although nobody asked for it.
pub fn openssl_by_default(root: &Path) -> Result<Vec<String>, String> {
    let tree = "tree --locked --package stromboli --package stromboli-cli --target all --edges normal,build --prefix none \
                --format {p}";
    Ok(openssl(&output(&mut ci::cargo_command(root, tree))?))
}

fn openssl(tree: &str) -> Vec<String> {
    let names = ["openssl ", "openssl-sys ", "native-tls "];
    let found = tree
        .lines()
        .find(|line| names.iter().any(|name| line.starts_with(name)));
    found
        .map(|line| format!("{line} is in the tree by default; it may come with the feature native-tls alone"))
        .into_iter()
        .collect()
}

fn output(command: &mut std::process::Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("cannot run cargo: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(rust_version: Option<&str>) -> [Package; 1] {
        [Package {
            name: "a".to_owned(),
            rust_version: rust_version.map(str::to_owned),
            ..Package::default()
        }]
    }

    #[test]
    fn a_newer_compiler_than_promised_is_too_new() {
        for good in [None, Some("1.88"), Some("1.88.5"), Some("1.9")] {
            assert_eq!(too_new(&package(good)), [""; 0], "{good:?}");
        }
        for bad in ["1.89", "1.89.0", "1.100", "2.0"] {
            assert_eq!(too_new(&package(Some(bad))).len(), 1, "{bad}");
        }
        let manifest = crate::read(&crate::root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("rust-version = \"{SINCE}\"")));
    }

    #[test]
    fn openssl_is_found_in_a_tree() {
        assert_eq!(
            openssl("stromboli v0.1.0\nrustls v0.23.1\nopenssl-probe v0.2.1\n"),
            [""; 0]
        );
        for line in ["openssl-sys v0.9.1", "native-tls v0.2.1"] {
            assert!(openssl(&format!("stromboli v0.1.0\n{line}\n"))[0].starts_with(line));
        }
    }
}
