//! Messages: an object comes out as it went in, with its digits; anything else comes back in the error.
//!
//! Input: a line.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::value::RawValue;
use stromboli_messages::Message;

#[path = "../../stromboli-messages/tests/it/lossless.rs"]
mod lossless;
#[path = "../../stromboli-messages/tests/it/strict.rs"]
#[expect(dead_code, reason = "the tests of the crate write as well")]
mod strict;

fuzz_target!(|line: &str| -> Corpus {
    // JSON by the crate that says what JSON is, without a limit of depth.
    let is_object = serde_json::from_str::<&RawValue>(line).is_ok_and(|value| value.get().starts_with('{'));
    match Message::parse(line) {
        Ok(_) => {
            assert!(is_object);
            lossless::assert_lossless(line);
            Corpus::Keep
        }
        Err(error) => {
            assert!(!is_object, "{error}");
            assert_eq!(error.line(), line);
            assert_eq!(error.into_line(), line);
            Corpus::Keep
        }
    }
});
