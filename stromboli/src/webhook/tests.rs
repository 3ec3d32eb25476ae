//! The signatures here were computed with two other implementations of HMAC-SHA256.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::JobStatus;

const SECRET: &str = "whsec-8f14e45fceea167a5a36dedd4bea2543";
const SENT: i64 = 1_700_000_000;
const BODY: &str = concat!(
    r#"{"job_id":"job-0123456789abcdef","status":"completed","output":"2 < 3","#,
    r#""session_id":"550e8400-e29b-41d4-a716-446655440000","usage":{"model":"claude-sonnet-4-5","input_tokens":10,"#,
    r#""output_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":5,"total_tokens":35,"#,
    r#""estimated_cost_usd":0.000345},"files_changed":["a.rs"]}"#,
);
const SIGNATURE: &str = "eb272a26591e5ceb857b27337b55944deca6f68c8a61ff1aca89494a58187867";

const SMALL_SECRET: &str = "old";
const SMALL_BODY: &str = r#"{"job_id":"j","status":"failed"}"#;
const SMALL_SIGNATURE: &str = "e24f81801a94da0b02a84087bb91061f34f7cd8269b9a10bf825a9af05688461";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn headers(timestamp: impl AsRef<[u8]>, signature: impl AsRef<[u8]>) -> HeaderMap {
    let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
    HeaderMap::from_iter([
        (HeaderName::from_static(TIMESTAMP_HEADER), value(timestamp.as_ref())),
        (HeaderName::from_static(SIGNATURE_HEADER), value(signature.as_ref())),
    ])
}

/// Signs as the server does, for the bodies that no vector is written down for.
fn signed(secret: &str, timestamp: &str, body: &[u8]) -> HeaderMap {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac.chain_update(timestamp).chain_update(".").chain_update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    headers(timestamp, format!("sha256={digits}"))
}

fn small() -> HeaderMap {
    headers(SENT.to_string(), SMALL_SIGNATURE)
}

/// What a verifier with `SMALL_SECRET` says of a delivery at the time it was sent.
fn verify_small(headers: &HeaderMap, body: impl AsRef<[u8]>) -> Result<JobEvent, VerifyError> {
    Verifier::new([SMALL_SECRET]).verify_at(headers, body.as_ref(), at(SENT))
}

#[test]
fn a_genuine_report_is_decoded_and_keeps_fields_of_other_versions() {
    let headers = headers(SENT.to_string(), format!("sha256={SIGNATURE}"));
    let event = Verifier::new([SECRET])
        .verify_at(&headers, BODY.as_bytes(), at(SENT))
        .unwrap();
    assert_eq!(event.job_id, "job-0123456789abcdef");
    assert_eq!(event.status, JobStatus::Completed);
    assert_eq!(event.output.as_deref(), Some("2 < 3"));
    assert_eq!(event.error, None);
    assert_eq!(
        event.session_id.as_deref(),
        Some("550e8400-e29b-41d4-a716-446655440000")
    );
    assert_eq!(event.usage.as_ref().unwrap().total_tokens, 35);
    assert_eq!(
        event.extra.into_iter().collect::<Vec<_>>(),
        [("files_changed".to_owned(), json!(["a.rs"]))]
    );
}

#[test]
fn a_signature_is_read_with_and_without_prefix_and_in_either_case() {
    let upper = SMALL_SIGNATURE.to_uppercase();
    for signature in [
        SMALL_SIGNATURE,
        &format!("sha256={SMALL_SIGNATURE}"),
        &upper,
        &format!("sha256={upper}"),
    ] {
        let event = verify_small(&headers(SENT.to_string(), signature), SMALL_BODY).unwrap();
        assert_eq!(event.job_id, "j", "{signature}");
    }
}

#[test]
fn either_of_two_secrets_fits_and_no_other() {
    let verify = |secrets: &[&str]| Verifier::new(secrets).verify_at(&small(), SMALL_BODY.as_bytes(), at(SENT));
    assert!(verify(&[SMALL_SECRET, SECRET]).is_ok());
    assert!(verify(&[SECRET, SMALL_SECRET]).is_ok());
    assert_eq!(verify(&[SECRET]), Err(VerifyError::SignatureMismatch));
    assert_eq!(verify(&[SECRET, "older"]), Err(VerifyError::SignatureMismatch));
}

#[test]
fn without_a_secret_nothing_is_accepted_not_even_what_the_empty_secret_signed() {
    let by_nobody = signed("", "1700000000", SMALL_BODY.as_bytes());
    let no_secrets: [&str; 0] = [];
    for verifier in [Verifier::new(no_secrets), Verifier::new([""]), Verifier::new(["", ""])] {
        for headers in [&by_nobody, &HeaderMap::new()] {
            let result = verifier.verify_at(headers, SMALL_BODY.as_bytes(), at(SENT));
            assert_eq!(result, Err(VerifyError::NoSecret));
        }
    }
    let half = Verifier::new(["", SMALL_SECRET]);
    let verify = |headers| half.verify_at(headers, SMALL_BODY.as_bytes(), at(SENT));
    assert_eq!(verify(&by_nobody), Err(VerifyError::SignatureMismatch));
    assert!(verify(&small()).is_ok());
}

#[test]
fn a_missing_header_is_named() {
    for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
        let mut headers = small();
        headers.remove(name);
        let error = verify_small(&headers, SMALL_BODY).unwrap_err();
        assert_eq!(error, VerifyError::MissingHeader { name });
        assert!(error.to_string().contains(name));
    }
}

#[test]
fn a_timestamp_is_nothing_but_digits() {
    for bad in [
        "",
        "-1",
        "+1700000000",
        "1700000000.0",
        " 1700000000",
        "0x6553F100",
        "now",
        "99999999999999",
        "99999999999999999999999",
        "١٧",
    ] {
        let headers = signed(SMALL_SECRET, bad, SMALL_BODY.as_bytes());
        assert_eq!(
            verify_small(&headers, SMALL_BODY),
            Err(VerifyError::InvalidTimestamp),
            "{bad:?}"
        );
    }
}

#[test]
fn a_signature_is_64_hex_digits() {
    let digits = SMALL_SIGNATURE;
    for bad in [
        "",
        "sha256=",
        &digits[1..],
        &digits[2..],
        &format!("{digits}0"),
        &format!("{digits}00"),
        &format!("g{}", &digits[1..]),
        &format!("{}\u{e9}", &digits[2..]),
        &format!("+{}", &digits[1..]),
        &format!("0x{digits}"),
        &format!("sha1={digits}"),
        &format!("sha256=sha256={digits}"),
    ] {
        assert_eq!(
            verify_small(&headers("1700000000", bad), SMALL_BODY),
            Err(VerifyError::InvalidSignature),
            "{bad:?}"
        );
    }
}

#[test]
fn a_changed_bit_of_the_body_the_timestamp_or_the_signature_is_noticed() {
    for (at, bit) in (0..SMALL_BODY.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut body = SMALL_BODY.as_bytes().to_vec();
        body[at] ^= 1 << bit;
        assert_eq!(
            verify_small(&small(), &body),
            Err(VerifyError::SignatureMismatch),
            "{at} {bit}"
        );
    }
    for at in 0..10 {
        let mut timestamp = SENT.to_string().into_bytes();
        timestamp[at] = if timestamp[at] == b'9' { b'8' } else { timestamp[at] + 1 };
        assert_eq!(
            verify_small(&headers(&timestamp, SMALL_SIGNATURE), SMALL_BODY),
            Err(VerifyError::SignatureMismatch)
        );
    }
    for at in 0..SMALL_SIGNATURE.len() {
        let mut signature = SMALL_SIGNATURE.as_bytes().to_vec();
        signature[at] = if signature[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(
            verify_small(&headers("1700000000", &signature), SMALL_BODY),
            Err(VerifyError::SignatureMismatch)
        );
    }
}

#[test]
fn a_body_that_is_cut_or_continued_is_noticed() {
    for body in ["", &SMALL_BODY[..SMALL_BODY.len() - 1], &format!("{SMALL_BODY}\n")] {
        assert_eq!(verify_small(&small(), body), Err(VerifyError::SignatureMismatch));
    }
}

#[test]
fn the_same_number_written_otherwise_is_not_what_was_signed() {
    let headers = headers("01700000000", SMALL_SIGNATURE);
    assert_eq!(verify_small(&headers, SMALL_BODY), Err(VerifyError::SignatureMismatch));
}

#[test]
fn a_report_is_believed_up_to_the_tolerance_in_both_directions() {
    let tolerance = Duration::from_secs(60);
    let just_above = tolerance + Duration::from_nanos(1);
    let verifier = Verifier::new([SMALL_SECRET]).tolerance(tolerance);
    let verify = |now| verifier.verify_at(&small(), SMALL_BODY.as_bytes(), now).map(drop);
    assert_eq!(verify(at(SENT) + tolerance), Ok(()));
    assert_eq!(verify(at(SENT) - tolerance), Ok(()));
    assert_eq!(
        verify(at(SENT) + just_above),
        Err(VerifyError::TooOld { age: just_above })
    );
    assert_eq!(
        verify(at(SENT) - just_above),
        Err(VerifyError::TooNew { ahead: just_above })
    );
}

#[test]
fn the_tolerance_is_five_minutes_unless_said_otherwise() {
    let verify = |verifier: &Verifier, now| verifier.verify_at(&small(), SMALL_BODY.as_bytes(), now).is_ok();
    let usual = Verifier::new([SMALL_SECRET]);
    assert!(verify(&usual, at(SENT + 300)) && verify(&usual, at(SENT - 300)));
    assert!(!verify(&usual, at(SENT + 301)) && !verify(&usual, at(SENT - 301)));
    let any = usual.clone().tolerance(Duration::MAX);
    assert!(verify(&any, Timestamp::MAX) && verify(&any, Timestamp::MIN));
    let none = usual.tolerance(Duration::ZERO);
    assert!(verify(&none, at(SENT)) && !verify(&none, at(SENT + 1)));
}

#[test]
fn only_a_genuine_report_is_called_too_old_and_only_a_recent_one_is_parsed() {
    let late = at(SENT + 3600);
    let verify = |headers: &HeaderMap, body: &[u8]| Verifier::new([SMALL_SECRET]).verify_at(headers, body, late);
    assert_eq!(verify(&small(), b"{}"), Err(VerifyError::SignatureMismatch));
    let nonsense = signed(SMALL_SECRET, "1700000000", b"nonsense");
    assert!(matches!(
        verify(&nonsense, b"nonsense"),
        Err(VerifyError::TooOld { .. })
    ));
}

#[test]
fn verify_goes_by_the_clock() {
    let now = Timestamp::now().as_second();
    let verify = |sent: i64| {
        let headers = signed(SMALL_SECRET, &sent.to_string(), SMALL_BODY.as_bytes());
        Verifier::new([SMALL_SECRET]).verify(&headers, SMALL_BODY.as_bytes())
    };
    assert!(verify(now).is_ok());
    assert!(matches!(verify(now - 3600), Err(VerifyError::TooOld { .. })));
    assert!(matches!(verify(now + 3600), Err(VerifyError::TooNew { .. })));
}

#[test]
fn a_genuine_report_that_is_no_job_event_is_an_error_without_its_words() {
    for body in [
        "",
        "topsecret",
        r#""topsecret""#,
        r#"["topsecret"]"#,
        r#"{"topsecret":1}"#,
        r#"{"job_id":"topsecret"}"#,
        r#"{"job_id":7,"status":"topsecret"}"#,
        r#"{"job_id":"j","status":"failed","usage":"topsecret"}"#,
        r#"{"job_id":"j","status":"failed"} topsecret"#,
        "{\"job_id\":\"topsecret\u{0}",
    ] {
        let error = verify_small(&signed(SMALL_SECRET, "1700000000", body.as_bytes()), body).unwrap_err();
        assert!(matches!(error, VerifyError::Payload { .. }), "{body}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("topsecret"), "{error}");
    }
    let broken = b"{\"job_id\":\"\xff\",\"status\":\"failed\"}";
    let result = verify_small(&signed(SMALL_SECRET, "1700000000", broken), broken);
    assert!(matches!(result, Err(VerifyError::Payload { line: 1, .. })));
}

#[test]
fn a_status_of_a_newer_server_and_null_fields_are_data() {
    let body = r#"{"job_id":"j","status":"paused","output":null,"error":"no","usage":null}"#;
    let event = verify_small(&signed(SMALL_SECRET, "1700000000", body.as_bytes()), body).unwrap();
    assert_eq!(event.status, JobStatus::Other("paused".into()));
    assert_eq!((event.output, event.error.as_deref()), (None, Some("no")));
    assert_eq!(event.usage, None);
}

#[test]
fn an_event_goes_back_to_the_wire_as_it_came() {
    let event: JobEvent = serde_json::from_str(BODY).unwrap();
    let again = serde_json::to_value(&event).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(BODY).unwrap());
}

#[test]
fn no_secret_is_in_debug() {
    let verifier = Verifier::new([SECRET, "other"]);
    assert_eq!(
        format!("{verifier:?}"),
        "Verifier { secrets: [redacted; 2], tolerance: 300s }"
    );
}

/// Header bytes of all kinds, often almost right.
fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "[0-9]{1,12}".prop_map(String::into_bytes),
        "(sha256=)?[0-9a-fA-F]{64}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(Config {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::with_cases(2000)
    })]

    #[test]
    fn nothing_is_accepted_that_was_not_signed(
        timestamp in header_bytes(),
        signature in header_bytes(),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..80), Just(SMALL_BODY.as_bytes().to_vec())],
        now in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, bytes) in [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)] {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.insert(name, value);
            }
        }
        let verifier = Verifier::new([SECRET, SMALL_SECRET]).tolerance(Duration::MAX);
        prop_assert!(verifier.verify_at(&headers, &body, at(now)).is_err());
    }

    #[test]
    fn what_was_signed_is_accepted_or_named_for_what_it_is(
        sent in 0..Timestamp::MAX.as_second(),
        now in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
        job_id in ".{0,20}",
        status in ".{0,10}",
        output in ".{0,40}",
    ) {
        let body = json!({"job_id": job_id, "status": status, "output": output}).to_string();
        let headers = signed(SECRET, &sent.to_string(), body.as_bytes());
        let verifier = Verifier::new([SECRET]);
        let event = verifier.clone().tolerance(Duration::MAX).verify_at(&headers, body.as_bytes(), at(now)).unwrap();
        prop_assert_eq!((event.job_id, event.status.as_str(), event.output), (job_id, status.as_str(), Some(output)));
        let distance = Duration::from_secs(now.abs_diff(sent));
        let expected = if distance <= DEFAULT_TOLERANCE {
            Ok(())
        } else if now > sent {
            Err(VerifyError::TooOld { age: distance })
        } else {
            Err(VerifyError::TooNew { ahead: distance })
        };
        prop_assert_eq!(verifier.verify_at(&headers, body.as_bytes(), at(now)).map(drop), expected);
    }
}
