//! Versions of servers against a reading of its own of what a semantic version is.
//!
//! Input: what a server says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stromboli::version::{self, Status};

fuzz_target!(|server: &str| {
    let verdict = version::check(server);
    assert_eq!(verdict.server, server);
    let expected = match numbers(server) {
        None => Status::Unknown,
        Some([0, 4 | 5, _]) => Status::Compatible,
        Some(_) => Status::Incompatible,
    };
    assert_eq!(verdict.status, expected);
    assert_eq!(verdict.require().is_err(), expected == Status::Incompatible);
    assert!(!verdict.to_string().contains('\n'));
});

/// Major, minor and patch, if this is a semantic version with at most one `v` in front.
fn numbers(text: &str) -> Option<[u64; 3]> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let canonical = |part: &str| part == "0" || !part.starts_with('0');
    if !build.is_none_or(|build| build.split('.').all(plain)) {
        return None;
    }
    if !pre.is_none_or(|pre| {
        pre.split('.')
            .all(|part| plain(part) && (!is_number(part) || canonical(part)))
    }) {
        return None;
    }
    let parts: Vec<&str> = core.split('.').collect();
    let number = |part: &str| (!part.is_empty() && is_number(part) && canonical(part)).then(|| part.parse().ok())?;
    match parts[..] {
        [major, minor, patch] => Some([number(major)?, number(minor)?, number(patch)?]),
        _ => None,
    }
}
