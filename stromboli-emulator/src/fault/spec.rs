//! Faults as a line of text, for command lines and files of settings.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Fault;
use crate::duration;

/// What goes wrong, in the words of a line: those without a value, and those with one.
const PLAIN: [(&str, Plain); 11] = [
    ("reset-on-connect", Fault::reset_on_connect),
    ("reset-before-reading", Fault::reset_before_reading),
    ("reset-before-executing", Fault::reset_before_executing),
    ("reset-after-executing", Fault::reset_after_executing),
    ("close-before-executing", Fault::close_before_executing),
    ("silence-before-executing", Fault::silence_before_executing),
    ("silence-after-executing", Fault::silence_after_executing),
    ("http-1-0", Fault::http_1_0),
    ("without-end-marker", Fault::without_end_marker),
    ("cut-after-end-marker", Fault::cut_after_end_marker),
    ("close-after-executing", || Fault::cut_after(0)),
];
const VALUED: [(&str, Valued); 12] = [
    ("status", |value| Ok(Fault::status(number(value)?))),
    ("status-after-executing", |value| {
        Ok(Fault::status_after_executing(number(value)?))
    }),
    ("delay-headers", |value| Ok(Fault::delay_headers(time(value)?))),
    ("delay-body", |value| Ok(Fault::delay_body(time(value)?))),
    ("delay-chunks", |value| Ok(Fault::delay_chunks(time(value)?))),
    ("drip", |value| Ok(Fault::drip(time(value)?))),
    ("cut-after", |value| Ok(Fault::cut_after(number(value)?))),
    ("cut-body-after", |value| Ok(Fault::cut_body_after(number(value)?))),
    ("wrong-length", |value| Ok(Fault::wrong_length(number(value)?))),
    ("content-type", |value| Ok(Fault::content_type(value))),
    ("informational", |value| Ok(Fault::informational(number(value)?))),
    ("end-events-after", |value| Ok(Fault::end_events_after(number(value)?))),
];
/// With which requests and how often.
const CONDITIONS: [(&str, Condition); 9] = [
    ("on", |fault, value| Ok(fault.on(value))),
    ("method", |fault, value| Ok(fault.method(value))),
    ("prompt", |fault, value| Ok(fault.on_prompt(value))),
    ("times", |fault, value| Ok(fault.times(number(value)?))),
    ("probability", |fault, value| match number(value)? {
        share if (0.0..=1.0).contains(&share) => Ok(fault.probability(share)),
        _ => Err("a number from 0 to 1 is wanted"),
    }),
    ("seed", |fault, value| Ok(fault.seed(number(value)?))),
    ("delayed", |fault, value| Ok(fault.delayed(time(value)?))),
    ("header", |fault, value| match value.split_once(':') {
        Some((name, value)) => Ok(fault.header(name, value.trim_start())),
        None => Err("a name, a colon and a value are wanted"),
    }),
    ("body", |fault, value| Ok(fault.body(value.to_owned()))),
];

type Plain = fn() -> Fault;
type Valued = fn(&str) -> Result<Fault, &'static str>;
type Condition = fn(Fault, &str) -> Result<Fault, &'static str>;

/// A text that is no fault: what of it, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFaultError(String);

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseFaultError {}

/// Reads the name of a constructor with hyphens, its value after `=`, and after commas the conditions, which are named as
/// the setters are (`prompt` for [`Fault::on_prompt`]). Times are written as `500ms` or `1m30s`; a value has no comma.
///
/// ```
/// use stromboli_emulator::Fault;
///
/// let full: Fault = "status=429,header=Retry-After: 2,on=/run,times=2".parse()?;
/// let lost: Fault = "reset-after-executing,on=/run,probability=0.1,seed=7".parse()?;
/// # let _ = (full, lost);
/// assert!("statsu=429".parse::<Fault>().is_err());
/// # Ok::<(), stromboli_emulator::ParseFaultError>(())
/// ```
impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(line: &str) -> Result<Self, ParseFaultError> {
        let mut words = line.split(',').map(str::trim);
        let first = words.next().unwrap_or_default();
        let mut fault = effect(first)?;
        for word in words {
            fault = condition(fault, word)?;
        }
        Ok(fault)
    }
}

fn effect(word: &str) -> Result<Fault, ParseFaultError> {
    let (name, value) = parted(word);
    match value {
        None => {
            if let Some((_, fault)) = PLAIN.iter().find(|(known, _)| *known == name) {
                return Ok(fault());
            }
        }
        Some(value) => {
            if let Some((_, fault)) = VALUED.iter().find(|(known, _)| *known == name) {
                return fault(value).map_err(|wanted| wrong(word, wanted));
            }
        }
    }
    let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
    let valued = VALUED.iter().map(|(name, _)| format!("{name}=…"));
    Err(unknown(word, "no fault", plain.chain(valued)))
}

fn condition(fault: Fault, word: &str) -> Result<Fault, ParseFaultError> {
    if word == "by-reset" {
        return Ok(fault.by_reset());
    }
    let (name, value) = parted(word);
    let known = CONDITIONS.iter().find(|(known, _)| *known == name);
    match (known, value) {
        (Some((_, set)), Some(value)) => set(fault, value).map_err(|wanted| wrong(word, wanted)),
        _ => {
            let known = CONDITIONS.iter().map(|(name, _)| format!("{name}=…"));
            Err(unknown(
                word,
                "no condition of a fault",
                known.chain(["by-reset".to_owned()]),
            ))
        }
    }
}

fn parted(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, value)) => (name.trim_end(), Some(value)),
        None => (word, None),
    }
}

fn number<N: FromStr>(value: &str) -> Result<N, &'static str> {
    value.parse().map_err(|_| "a number that fits is wanted")
}

fn time(value: &str) -> Result<Duration, &'static str> {
    duration::parse(value).map_err(|_| "a time such as 500ms or 1m30s is wanted")
}

fn wrong(word: &str, wanted: &str) -> ParseFaultError {
    ParseFaultError(format!("{word:?}: {wanted}"))
}

fn unknown(word: &str, what: &str, known: impl Iterator<Item = String>) -> ParseFaultError {
    let known: Vec<String> = known.collect();
    ParseFaultError(format!("{word:?} is {what}; use one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Effect, Flaw, Moment};

    fn read(line: &str) -> Fault {
        line.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn a_line_says_what_with_which_requests_and_how_often() {
        let fault = read(
            "status=503, on=/run,method=POST,prompt=deploy,times=2,probability=0.5,seed=7,delayed=1s,header=Retry-After: 2,\
             body=no,by-reset",
        );
        assert!(matches!(fault.effect, Effect::Status(503)));
        assert_eq!(
            (fault.path.as_deref(), fault.method.as_deref()),
            (Some("/run"), Some("POST"))
        );
        assert_eq!((fault.prompt.as_deref(), fault.times), (Some("deploy"), Some(2)));
        assert_eq!((fault.probability, fault.seed), (Some(0.5), Some(7)));
        assert!(fault.delay.is_some() && fault.by_reset);
        assert_eq!(fault.headers, [("Retry-After".to_owned(), Some("2".to_owned()))]);
        assert_eq!(fault.body.as_deref(), Some(&b"no"[..]));
    }

    #[test]
    fn every_name_is_that_of_its_constructor() {
        for (name, _) in PLAIN {
            let _ = read(name);
        }
        for (name, _) in VALUED {
            let _ = read(&format!("{name}=1{}", if name.starts_with("d") { "ms" } else { "" }));
        }
        assert_eq!(read("reset-after-executing").moment, Moment::AfterExecuting);
        assert!(matches!(
            read("cut-body-after=9").effect,
            Effect::Answer(Flaw::CutBody(9))
        ));
        assert!(matches!(
            read("wrong-length=-3").effect,
            Effect::Answer(Flaw::Length(-3))
        ));
    }

    #[test]
    fn what_is_no_fault_is_named_with_what_would_be_one() {
        for (line, said) in [
            ("", "use one of"),
            ("statsu=503", "status=…"),
            ("status", "status=…"),
            ("http-1-0=1", "http-1-0"),
            ("status=many", "a number that fits"),
            ("drip=1", "500ms"),
            ("status=503,every=2", "times=…"),
            ("status=503,probability=2", "from 0 to 1"),
            ("status=503,header=a", "a colon"),
            ("status=503,times", "times=…"),
        ] {
            let error = line.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
