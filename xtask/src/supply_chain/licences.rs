//! Under which licences dependencies may be: one of those that deny.toml allows, with a reason beside each.

use spdx::{Expression, ParseMode};

use super::packages::Package;

/// The licences of deny.toml, which is read line by line.
pub fn allowed(deny: &str) -> Result<Vec<String>, String> {
    let (_, section) = deny.split_once("[licenses]").ok_or("deny.toml has no [licenses]")?;
    let (_, list) = section
        .split_once("allow = [")
        .ok_or("deny.toml: [licenses] has no `allow = […]`")?;
    let mut names = Vec::new();
    for line in list.lines().skip(1).take_while(|line| !line.starts_with(']')) {
        let entry = line.trim().strip_prefix('"').and_then(|rest| rest.split_once("\","));
        match entry {
            Some((name, reason)) if reason.trim_start().starts_with("# ") => names.push(name.to_owned()),
            _ => return Err(format!("deny.toml: `{}` is no licence with a reason", line.trim())),
        }
    }
    Ok(names)
}

/// Fails on a package that cannot be had under allowed licences alone.
pub fn check(packages: &[Package], allowed: &[String]) -> Vec<String> {
    let problem = |package: &Package| {
        let id = format!("{} {}", package.name, package.version);
        let Some(text) = &package.licence else {
            return Some(format!("{id} names no licence; do without it"));
        };
        match Expression::parse_mode(text, ParseMode::LAX) {
            Ok(expression) => {
                let allows = |one: &spdx::LicenseReq| allowed.contains(&one.to_string());
                let fits = expression.evaluate(allows);
                (!fits).then(|| format!("{id} is under {text}; allow it in deny.toml with a reason, or do without it"))
            }
            Err(e) => Some(format!("{id}: licence `{text}` cannot be read: {}", e.reason)),
        }
    };
    packages.iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(licence: &str) -> Vec<String> {
        let package = Package {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            ..Package::default()
        };
        check(&[package], &["MIT".to_owned(), "ISC".to_owned()])
    }

    #[test]
    fn one_of_several_licences_is_enough_and_all_of_several_are_needed() {
        for good in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-2.0", "ISC AND (GPL-3.0 OR MIT)"] {
            assert_eq!(under(good), [""; 0], "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "ISC AND (GPL-3.0 OR Zlib)",
            "MIT WITH LLVM-exception",
            "My own",
            "",
        ] {
            assert!(under(bad)[0].starts_with("a 1.0.0"), "{bad}");
        }
        let silent = Package::default();
        assert!(check(&[silent], &["MIT".to_owned()])[0].contains("no licence"));
    }

    #[test]
    fn each_allowed_licence_has_a_reason() {
        let list = |lines: &str| allowed(&format!("[licenses]\nallow = [\n{lines}]\n[bans]\n"));
        assert_eq!(
            list("    \"MIT\",   # ours\n    \"ISC\", # as MIT\n").unwrap(),
            ["MIT", "ISC"]
        );
        assert!(list("    \"MIT\",\n").unwrap_err().contains("reason"));
        assert!(allowed("[bans]").is_err());
        let ours = allowed(&crate::read(&crate::root().join("deny.toml")).unwrap()).unwrap();
        assert!(ours.iter().any(|name| name == "MIT"));
    }
}
