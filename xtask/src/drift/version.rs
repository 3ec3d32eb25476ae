//! Versions of the server, and which of them a published document belongs to.

use std::path::Path;

/// Major, minor, patch. Pre-release tags are left out: the server's releases differ in the numbers.
pub type Version = [u64; 3];

/// Reads `0.5.7`, `v0.5.7` or `v0.5.7-alpha`.
pub fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers = text.split_once(['-', '+']).map_or(text, |(numbers, _)| numbers);
    let parts: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

/// Splits an argument of `drift` into the file and its version: the one after an `@`, else the one in the file's
/// name (`swagger-0.4.3.json`), else none. The documents themselves do not say (their `info.version` never changes).
pub fn of_argument(argument: &str) -> (&str, Option<Version>) {
    let explicit = argument.rsplit_once('@').map(|(file, version)| (file, parse(version)));
    if let Some((file, Some(version))) = explicit {
        return (file, Some(version));
    }
    let stem = Path::new(argument)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    (argument, stem.split('-').find_map(parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_may_have_a_v_and_a_tag() {
        for text in ["0.5.7", "v0.5.7", "v0.5.7-alpha", "0.5.7+build.1"] {
            assert_eq!(parse(text), Some([0, 5, 7]), "{text}");
        }
        for text in ["", "dev", "0.5", "0.5.x", "1.2.3.4"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_version_comes_from_the_argument_or_the_file_name() {
        assert_eq!(
            of_argument("a/swagger-0.4.3.json"),
            ("a/swagger-0.4.3.json", Some([0, 4, 3]))
        );
        assert_eq!(
            of_argument("swagger-v0.5.8-alpha.yaml"),
            ("swagger-v0.5.8-alpha.yaml", Some([0, 5, 8]))
        );
        assert_eq!(
            of_argument("docs/swagger.json@0.6.0"),
            ("docs/swagger.json", Some([0, 6, 0]))
        );
        assert_eq!(of_argument("me@home/swagger.json"), ("me@home/swagger.json", None));
    }
}
