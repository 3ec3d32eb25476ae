//! The emulator's reading of paths, queries, durations, names of images, ids of sessions, tokens and transcripts.
//!
//! Input: a letter that says which of them, and the text.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use stromboli_emulator::fuzzing;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOON: i64 = 1_700_000_000;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let text = &*String::from_utf8_lossy(bytes);
    match kind {
        b'p' => path(bytes, text),
        b'd' => duration(text),
        b'i' => image(text),
        b's' => session(text),
        b't' => token(text),
        b'm' => transcript(text),
        _ => {}
    }
});

/// What is escaped comes back, whatever it is; what is not UTF-8 as Go's replacement.
fn path(bytes: &[u8], text: &str) {
    let escaped: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(fuzzing::path(&escaped).as_deref(), Some(text));
    let query = format!("a=%&a;b&{escaped}=1&prompt={escaped}&prompt=2");
    if text != "prompt" {
        assert_eq!(fuzzing::query_value(&query, "prompt").as_deref(), Some(text));
    }
    let valid = text.split('%').skip(1).all(|after| {
        let mut digits = after.chars();
        (0..2).all(|_| digits.next().is_some_and(|digit| digit.is_ascii_hexdigit()))
    });
    assert_eq!(fuzzing::path(text).is_some(), valid);
    fuzzing::query_value(text, "prompt");
}

/// What is understood fits into Go's 64 bits, and the same number of nanoseconds is the same duration.
fn duration(text: &str) {
    match fuzzing::duration(text) {
        Ok(duration) => {
            assert!(duration <= Duration::from_nanos(i64::MAX as u64));
            assert_eq!(fuzzing::duration(&format!("{}ns", duration.as_nanos())), Ok(duration));
        }
        Err(words) => assert!(words.starts_with("time: "), "{words}"),
    }
}

/// A name in full is its own name in full.
fn image(text: &str) {
    if let Some((repository, tag)) = fuzzing::image(text) {
        let full = format!("{repository}:{tag}");
        // A name may be too long once it is whole.
        if let Some(again) = fuzzing::image(&full) {
            assert_eq!(again, (repository, tag), "{full}");
        }
    }
}

/// An id without special characters is itself, and any is once they are escaped.
fn session(text: &str) {
    let (id, file) = text.split_once('\n').unwrap_or((text, text));
    let fits = fuzzing::fits(id, file);
    if !id.contains(['*', '?', '[', '\\']) {
        assert_eq!(fits, Some(id == file));
    }
    let escaped: String = id.chars().flat_map(|c| ['\\', c]).collect();
    assert_eq!(fuzzing::fits(&escaped, id), Some(true));
    assert_eq!(fuzzing::fits(&escaped, file), Some(id == file));
    assert_eq!(fuzzing::fits("*", file), Some(true));
}

/// Nobody without the secret makes a token, and who has it makes one for any subject.
fn token(text: &str) {
    assert_eq!(fuzzing::subject(text, SECRET, NOON), None);
    let token = fuzzing::token(text, SECRET, NOON + 1).expect("any subject can be signed");
    assert_eq!(fuzzing::subject(&token, SECRET, NOON).as_deref(), Some(text));
    assert_eq!(fuzzing::subject(&token, SECRET, NOON + 1), None, "expired");
    assert_eq!(
        fuzzing::subject(&token, &SECRET.to_uppercase(), NOON),
        None,
        "another secret"
    );
}

/// No line is more than a message, and each is JSON.
fn transcript(text: &str) {
    let messages = fuzzing::messages(text).expect("no line here is too long");
    assert!(messages.len() <= text.lines().count());
    for message in messages {
        let message: serde_json::Value = serde_json::from_str(&message).expect("JSON");
        assert!(
            message["uuid"].is_string() && message["content"].is_object(),
            "{message}"
        );
    }
}
