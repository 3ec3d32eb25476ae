//! The emulator's reading of bodies, as Go reads them, against `serde_json`: they agree on what JSON is, but for text that is
//! no UTF-8, and nothing that is said breaks an answer.
//!
//! Input: the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::IgnoredAny;
use stromboli_emulator::fuzzing;

/// `serde_json` reads no deeper than 128.
const DEEPEST: usize = 100;

fuzz_target!(|body: &[u8]| {
    let syntax = fuzzing::syntax(body);
    for prompt in fuzzing::prompts(body) {
        match (&syntax, &prompt) {
            (Err(said), Err(text)) => assert_eq!(said, text),
            (Err(said), Ok(_)) => panic!("a body was read in spite of {said}"),
            (Ok(()), Ok(text)) | (Ok(()), Err(text)) => {
                let written = fuzzing::written(text).expect("any text can be written");
                assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), *text);
                assert!(written.is_ascii() || !written.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
            }
        }
    }
    let deep = body.iter().filter(|byte| b"[{".contains(byte)).count() > DEEPEST;
    // Go leaves a number or a word at the first byte that cannot belong to it, and serde_json wants a space there.
    let contained = body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[");
    if let Ok(text) = std::str::from_utf8(body)
        && contained
        && !deep
    {
        let mut reader = serde_json::Deserializer::from_str(text);
        let oracle = IgnoredAny::deserialize(&mut reader);
        assert_eq!(syntax.is_ok(), oracle.is_ok(), "{syntax:?}, but {oracle:?}");
    }
});
