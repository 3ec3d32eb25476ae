//! Durations as Go writes them: `90s`, `1h30m`, `1.5h`.

use std::time::Duration;

use crate::quote;

/// Reads what Go's `time.ParseDuration` accepts; a negative duration is none at all.
///
/// # Errors
/// Go's text.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {}", quote::duration(text));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let negative = text.starts_with('-');
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut rest = unsigned;
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, next) = split_while(after, |c| !c.is_ascii_digit() && c != '.');
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(invalid());
        }
        let unit_nanos = match unit {
            "" => return Err(format!("time: missing unit in duration {}", quote::duration(text))),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                let (unit, text) = (quote::duration(unit), quote::duration(text));
                return Err(format!("time: unknown unit {unit} in duration {text}"));
            }
        };
        nanos = scale(whole, fraction, unit_nanos)
            .and_then(|part| nanos.checked_add(part))
            .filter(|total| i64::try_from(*total).is_ok())
            .ok_or_else(invalid)?;
        rest = next;
    }
    Ok(if negative {
        Duration::ZERO
    } else {
        Duration::from_nanos(nanos)
    })
}

fn split_while(text: &str, matches: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !matches(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn scale(whole: &str, fraction: &str, unit_nanos: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(unit_nanos)?;
    let mut place = unit_nanos;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_understood() {
        let cases = [
            ("0", 0),
            ("30m", 1_800_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("+2ms3us4ns", 2_003_004),
            ("7µs", 7_000),
            ("-1h", 0),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text).unwrap(), Duration::from_nanos(nanos), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        let cases = [
            ("", "time: invalid duration \"\""),
            ("abc", "time: invalid duration \"abc\""),
            (".s", "time: invalid duration \".s\""),
            ("10", "time: missing unit in duration \"10\""),
            ("10 s", "time: unknown unit \" s\" in duration \"10 s\""),
            ("1é", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\""),
            ("2d", "time: unknown unit \"d\" in duration \"2d\""),
            ("99999999999h", "time: invalid duration \"99999999999h\""),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text).unwrap_err(), error);
        }
    }
}
