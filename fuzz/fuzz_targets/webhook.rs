//! Reports of jobs: genuine ones are read, and nothing else is, by what HMAC-SHA256 says when it is written out.
//!
//! Input: a line for the timestamp, a line for the signature, and the body. A signature `sign` or `sha256=sign` is put
//! right first; that no digit of it may be another is tried as well.
#![no_main]

use std::time::Duration;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use reqwest::header::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use stromboli::webhook::{DEFAULT_TOLERANCE, SIGNATURE_HEADER, TIMESTAMP_HEADER, Verifier, VerifyError};

/// The first is longer than a block of the hash.
const SECRETS: [&str; 2] = [
    "a secret that is longer than the sixty-four bytes of a block, so that it is hashed first",
    "the old one",
];
const NOW: i64 = 1_700_000_000;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (timestamp, signature, body) = (line(), line(), line());
    let genuine: Vec<String> = SECRETS
        .iter()
        .map(|secret| sign(secret.as_bytes(), timestamp, body))
        .collect();
    let signature = match signature {
        b"sign" => genuine[0].clone().into_bytes(),
        b"sha256=sign" => format!("sha256={}", genuine[1]).into_bytes(),
        other => other.to_vec(),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, &signature)] {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.insert(name, value);
    }

    let now = Timestamp::from_second(NOW).expect("it is a time");
    let result = Verifier::new(SECRETS).verify_at(&headers, body, now);
    let seconds = (!timestamp.is_empty() && timestamp.iter().all(u8::is_ascii_digit))
        .then(|| std::str::from_utf8(timestamp).ok()?.parse::<i64>().ok())
        .flatten()
        .filter(|seconds| Timestamp::from_second(*seconds).is_ok());
    let digits = signature
        .strip_prefix(b"sha256=")
        .unwrap_or(&signature)
        .to_ascii_lowercase();
    let is_hex = digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
    let signed = genuine.iter().any(|genuine| genuine.as_bytes() == digits);
    match (seconds, is_hex, signed) {
        (Some(seconds), _, true) => {
            let event = serde_json::from_slice::<stromboli::webhook::JobEvent>(body);
            let away = Duration::from_secs(seconds.abs_diff(NOW));
            let in_time = away <= DEFAULT_TOLERANCE;
            match result {
                Ok(said) => assert!(in_time && event.is_ok_and(|event| event == said)),
                Err(VerifyError::TooOld { age }) => assert!(!in_time && seconds < NOW && age == away),
                Err(VerifyError::TooNew { ahead }) => assert!(!in_time && seconds > NOW && ahead == away),
                Err(VerifyError::Payload { .. }) => assert!(in_time && event.is_err()),
                Err(other) => panic!("{other:?}"),
            }
        }
        (None, ..) => assert_eq!(result, Err(VerifyError::InvalidTimestamp)),
        (Some(_), false, _) => assert_eq!(result, Err(VerifyError::InvalidSignature)),
        (Some(_), true, false) => assert_eq!(result, Err(VerifyError::SignatureMismatch)),
    }
    // Somebody else's secret, and each digit of the signature.
    assert!(Verifier::new(["another"]).verify_at(&headers, body, now).is_err());
    if signed && seconds.is_some() {
        for place in 0..digits.len() {
            let mut changed = digits.clone();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let value = HeaderValue::from_bytes(&changed).expect("hex digits");
            headers.insert(SIGNATURE_HEADER, value);
            let result = Verifier::new(SECRETS).verify_at(&headers, body, now);
            assert_eq!(result, Err(VerifyError::SignatureMismatch));
        }
    }
});

/// The signature in hex digits, by RFC 2104.
fn sign(secret: &[u8], timestamp: &[u8], body: &[u8]) -> String {
    let mut key = [0; 64];
    if secret.len() > key.len() {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let keyed = |pad: u8| Sha256::new().chain_update(key.map(|byte| byte ^ pad));
    let inner = keyed(0x36)
        .chain_update(timestamp)
        .chain_update(b".")
        .chain_update(body);
    let outer = keyed(0x5c).chain_update(inner.finalize()).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}
