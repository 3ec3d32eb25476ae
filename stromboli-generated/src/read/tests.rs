//! Bodies as a whole: where they end, and what is no text. What is in them is compared in `tests/as_derived`.

use std::fmt::Debug;

use super::*;
use crate::types::{HistoryPage, JobList};

const JOBS: &str = r#"{"jobs": []}"#;
const PAGE: &str = r#"{"messages": [], "has_more": false, "limit": 50, "offset": 0, "total": 0}"#;

/// What a body of this type is refused with.
#[track_caller]
fn refusal<T: Answer + Debug>(body: &[u8]) -> String {
    T::Blocks::body::<T>(body).unwrap_err().to_string()
}

#[test]
fn a_body_is_one_value_with_nothing_but_white_space_around() {
    assert!(WithoutBlocks::body::<JobList>(format!(" {JOBS}\r\n\t").as_bytes()).is_ok());
    assert!(WithBlocks::body::<HistoryPage>(format!(" {PAGE}\r\n\t").as_bytes()).is_ok());
    for (before, behind) in [("", JOBS), ("", "x"), ("", "\0"), ("", "]"), ("\u{feff}", "")] {
        let around = |json| format!("{before}{json}{behind}");
        let derived = serde_json::from_str::<Value>(&around(JOBS)).unwrap_err();
        assert_eq!(refusal::<JobList>(around(JOBS).as_bytes()), derived.to_string());
        let derived = serde_json::from_str::<Value>(&around(PAGE)).unwrap_err();
        assert_eq!(refusal::<HistoryPage>(around(PAGE).as_bytes()), derived.to_string());
    }
    let nothing = "EOF while parsing a value at line 1 column 0";
    assert_eq!([refusal::<JobList>(b""), refusal::<HistoryPage>(b"")], [nothing; 2]);
}

#[test]
fn a_body_that_is_no_text_is_refused_and_said_where() {
    for (body, reason) in [
        (&b"{\"jobs\": [], \"new\": \"\xff\"}"[..], "invalid unicode code point"),
        (
            b"{\"jobs\": [], \"new\": \"\xed\xa0\x80\"}",
            "invalid unicode code point",
        ),
        (b"{\"jobs\": []}\xff", "trailing characters"),
        (b"\xff\xfe{\0}\0", "expected value"),
    ] {
        let refusal = refusal::<JobList>(body);
        assert!(
            refusal.starts_with(reason) && refusal.contains(" at line 1 column "),
            "{refusal}"
        );
        assert_eq!(refusal, self::refusal::<HistoryPage>(body));
    }
}
