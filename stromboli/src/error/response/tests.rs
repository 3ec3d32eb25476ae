//! What a response says, found whatever its form.

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
        .collect()
}

#[test]
fn the_servers_words_are_found_in_every_kind_of_body() {
    let json = headers(&[("content-type", "application/json; charset=utf-8")]);
    let text = headers(&[("content-type", "text/plain")]);
    for (headers, body, words) in [
        (&json, r#"{"error":"job not found"}"#, Some("job not found")),
        (&json, r#"{"id":"","status":"error","error":"no"}"#, Some("no")),
        (&json, r#"{"success":false,"error":"no","name":"x"}"#, Some("no")),
        (&json, r#"{"sessions":null,"error":"no"}"#, Some("no")),
        (&text, "404 page not found\n", Some("404 page not found")),
        (&json, "<html>", None),
        (&headers(&[("content-type", "text/html")]), "<html>", None),
        (&json, "", None),
        (&json, r#"{"error":7}"#, None),
    ] {
        assert_eq!(server_words(headers, body.as_bytes()).as_deref(), words, "{body}");
    }
    assert_eq!(server_words(&text, b"\xff\xfe"), None);
}

#[test]
fn words_that_were_cut_off_are_found_wherever_the_cut_is() {
    let json = headers(&[("content-type", "application/json")]);
    let whole = format!(
        r#"{{"id":"","status":"error","error":"execution failed: \\ {}"}}"#,
        r"\u00e9\n é".repeat(20_000)
    );
    for cut in MAX_BODY..MAX_BODY + 20 {
        let words = server_words(&json, &whole.as_bytes()[..cut]).unwrap();
        assert!(words.starts_with("execution failed: \\ é\n é"), "{cut}");
    }
}

#[test]
fn waits_are_read_in_every_form() {
    let now = "2026-05-06T12:00:00Z".parse::<jiff::Timestamp>().unwrap().into();
    for (pairs, wait) in [
        (vec![("retry-after", "3")], Some(Duration::from_secs(3))),
        (vec![("retry-after", "0.5")], Some(Duration::from_millis(500))),
        (
            vec![("retry-after-ms", "250"), ("retry-after", "3")],
            Some(Duration::from_millis(250)),
        ),
        (
            vec![("retry-after", "Wed, 06 May 2026 12:00:30 GMT")],
            Some(Duration::from_secs(30)),
        ),
        (
            vec![("retry-after", "Wednesday, 06-May-26 12:00:30 GMT")],
            Some(Duration::from_secs(30)),
        ),
        (
            vec![("retry-after", "Wed May  6 12:00:30 2026")],
            Some(Duration::from_secs(30)),
        ),
        (
            vec![("retry-after", "Wed, 06 May 2026 11:00:00 GMT")],
            Some(Duration::ZERO),
        ),
        // A billionth is the smallest part that is told.
        (vec![("retry-after", "0.30000000099")], Some(Duration::from_millis(300))),
        (vec![("retry-after", "0.000000009")], Some(Duration::from_nanos(9))),
        (vec![("retry-after", "-1")], None),
        (vec![("retry-after", ".")], None),
        (vec![("retry-after", "99999999999999999999")], None),
        (vec![("retry-after", "NaN")], None),
        (vec![("retry-after", "1e300")], None),
        (vec![("retry-after", "soon")], None),
        (vec![], None),
    ] {
        assert_eq!(retry_after(&headers(&pairs), now), wait, "{pairs:?}");
    }
}

#[test]
fn nothing_is_said_to_be_unexecuted_unless_the_server_said_so() {
    let refused = |status, words| super::refused(StatusCode::from_u16(status).unwrap(), words);
    for status in [400, 401, 404, 409, 410, 422, 429, 431, 301] {
        assert!(refused(status, None), "{status}");
    }
    for status in [200, 303, 408, 500, 502, 503, 504] {
        assert!(!refused(status, None), "{status}");
    }
    assert!(refused(
        503,
        Some("Claude not configured. Run 'make claude-setup' first")
    ));
    assert!(refused(500, Some("workdir validation failed: must be absolute")));
    assert!(!refused(
        500,
        Some("execution failed: exit status 1, output: workdir validation failed")
    ));
    assert!(!refused(502, Some("Claude not configured")));
}

#[test]
fn a_decode_error_does_not_repeat_the_value() {
    let error = serde_json::from_str::<u32>(r#""topsecret""#).unwrap_err();
    assert_eq!(
        without_values(&error),
        "response is not as promised: invalid type, expected u32 at line 1 column 11"
    );
    let error = serde_json::from_str::<Value>("{").unwrap_err();
    assert_eq!(without_values(&error), "response is not valid JSON at line 1 column 1");
}
