//! The command line: what it may say, and what it said.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::prelude::*;
use stromboli_emulator::{Dialect, Fault};

const HELP: &str = "\
A Stromboli server for laptops and CI: it answers over HTTP as the real one does, without Podman and without cost.

Usage: stromboli-emulator [OPTION]...

  -p, --port PORT            listen on this port, 0 for a free one [default: 8080]
      --host ADDRESS         listen on this address [default: 127.0.0.1]
      --dialect RELEASE      speak like this release, 0.5.7 or 0.4.3 [default: 0.5.7]
      --server-version TEXT  the version that /health reports [default: that of the release]
      --api-token TOKEN      ask for this bearer token; may be repeated [default: ask for none]
      --jwt-secret TEXT      ask for tokens, and issue them at /auth/token; 32 characters or more
      --rate-limit RATE      allow each client so many requests per second [default: no limit]
      --webhook-secret TEXT  sign webhooks with this
      --data DIR             keep sessions, jobs and secrets in this directory [default: in memory]
      --seed NUMBER          the same ids and the same order of jobs each time
      --echo                 answer each prompt with the prompt
      --reply TEXT           answer each prompt with this text
      --replay FILE          answer with the turns that Claude Code printed into this file; may be repeated
      --delay MILLISECONDS   wait so long before each line of an answer
      --fault FAULT          let this go wrong, such as status=503,on=/run,times=2; may be repeated
  -h, --help                 print this
  -V, --version              print the program's version

When it is ready, it prints one line with its URL to standard output. Everything else goes to standard error.
It serves until SIGINT or SIGTERM. Bad arguments are exit status 2, any other failure is 1.
";

const PORT: u16 = 8080;

/// What the program is asked to do.
pub(crate) enum Command {
    Serve(Box<Arguments>),
    /// To print this and end.
    Say(String),
}

/// How to serve.
pub(crate) struct Arguments {
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
    pub(crate) version: Option<String>,
    pub(crate) api_tokens: Vec<String>,
    pub(crate) jwt_secret: Option<String>,
    /// Requests per second.
    pub(crate) rate_limit: Option<u32>,
    pub(crate) webhook_secret: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) seed: Option<u64>,
    pub(crate) words: Words,
    pub(crate) delay: Duration,
    pub(crate) faults: Vec<Fault>,
}

/// What a prompt is answered with.
#[derive(Debug, PartialEq)]
pub(crate) enum Words {
    Introduction,
    Prompt,
    /// Always this.
    Text(String),
    /// The turns in these files.
    Files(Vec<PathBuf>),
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it and what to do, for a person.
pub(crate) fn parse(parser: lexopt::Parser) -> Result<Command, String> {
    read(parser).map_err(|error| format!("{error}; `stromboli-emulator --help` lists what it takes"))
}

fn read(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut arguments = Arguments {
        address: (Ipv4Addr::LOCALHOST, PORT).into(),
        dialect: Dialect::default(),
        version: None,
        api_tokens: Vec::new(),
        jwt_secret: None,
        rate_limit: None,
        webhook_secret: None,
        data: None,
        seed: None,
        words: Words::Introduction,
        delay: Duration::ZERO,
        faults: Vec::new(),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('p') | Long("port") => {
                arguments
                    .address
                    .set_port(number(&parser.value()?, "--port", u16::MAX.into())?)
            }
            Long("host") => arguments.address.set_ip(host(&parser.value()?)?),
            Long("dialect") => arguments.dialect = dialect(&parser.value()?)?,
            Long("server-version") => arguments.version = Some(text(parser.value()?, "--server-version")?),
            Long("api-token") => arguments.api_tokens.push(text(parser.value()?, "--api-token")?),
            Long("jwt-secret") => arguments.jwt_secret = Some(text(parser.value()?, "--jwt-secret")?),
            Long("rate-limit") => {
                arguments.rate_limit = Some(number(&parser.value()?, "--rate-limit", u32::MAX.into())?);
            }
            Long("webhook-secret") => arguments.webhook_secret = Some(text(parser.value()?, "--webhook-secret")?),
            Long("data") => arguments.data = Some(parser.value()?.into()),
            Long("seed") => arguments.seed = Some(number(&parser.value()?, "--seed", u64::MAX)?),
            Long("echo") => choose(&mut arguments.words, Words::Prompt)?,
            Long("reply") => choose(&mut arguments.words, Words::Text(parser.value()?.string()?))?,
            Long("replay") => {
                let file = PathBuf::from(parser.value()?);
                match &mut arguments.words {
                    Words::Files(files) => files.push(file),
                    words => choose(words, Words::Files(vec![file]))?,
                }
            }
            Long("delay") => arguments.delay = Duration::from_millis(number(&parser.value()?, "--delay", u64::MAX)?),
            Long("fault") => arguments.faults.push(fault(&parser.value()?)?),
            Short('h') | Long("help") => return Ok(Command::Say(HELP.to_owned())),
            Short('V') | Long("version") => {
                return Ok(Command::Say(
                    concat!("stromboli-emulator ", env!("CARGO_PKG_VERSION")).to_owned(),
                ));
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Serve(Box::new(arguments)))
}

/// A whole number up to the greatest of its type.
fn number<N: FromStr>(value: &OsString, option: &str, greatest: u64) -> Result<N, lexopt::Error> {
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{option} {value:?} is no number from 0 to {greatest}").into())
}

fn host(value: &OsString) -> Result<IpAddr, lexopt::Error> {
    match value.to_str() {
        Some("localhost") => Ok(Ipv4Addr::LOCALHOST.into()),
        name => name.and_then(|name| name.parse().ok()).ok_or_else(|| {
            format!("--host {value:?} is no address; use one such as 127.0.0.1, ::1, or 0.0.0.0 for all").into()
        }),
    }
}

fn dialect(value: &OsString) -> Result<Dialect, lexopt::Error> {
    match value.to_str() {
        Some("0.5.7") => Ok(Dialect::V0_5_7),
        Some("0.4.3") => Ok(Dialect::V0_4_3),
        _ => Err(format!("--dialect {value:?} is unknown; use 0.5.7 or 0.4.3").into()),
    }
}

fn fault(value: &OsString) -> Result<Fault, lexopt::Error> {
    let text = value.to_string_lossy();
    text.parse().map_err(|error| format!("--fault {error}").into())
}

/// A value that an empty variable of a script must not make disappear.
fn text(value: OsString, option: &str) -> Result<String, lexopt::Error> {
    let text = value.string()?;
    if text.is_empty() {
        return Err(format!("{option} is empty; leave it out instead").into());
    }
    Ok(text)
}

fn choose(words: &mut Words, chosen: Words) -> Result<(), lexopt::Error> {
    if *words != Words::Introduction {
        return Err("a prompt has one answer: use one of --echo, --reply and --replay".into());
    }
    *words = chosen;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    fn serving(line: &str) -> Arguments {
        match parsed(line) {
            Ok(Command::Serve(arguments)) => *arguments,
            Ok(Command::Say(text)) => panic!("{line}: {text}"),
            Err(error) => panic!("{line}: {error}"),
        }
    }

    #[test]
    fn without_arguments_it_serves_on_loopback_as_the_newest_release() {
        let Arguments {
            address,
            dialect,
            version,
            api_tokens,
            jwt_secret,
            rate_limit,
            webhook_secret,
            data,
            seed,
            words,
            delay,
            faults,
        } = serving("");
        assert_eq!(address.to_string(), "127.0.0.1:8080");
        assert_eq!((dialect, version, seed), (Dialect::V0_5_7, None, None));
        assert_eq!((jwt_secret, rate_limit, webhook_secret, data), (None, None, None, None));
        assert_eq!(
            (api_tokens.len(), words, delay, faults.len()),
            (0, Words::Introduction, Duration::ZERO, 0)
        );
    }

    #[test]
    fn every_option_counts() {
        for (line, address) in [
            ("--port 0", "127.0.0.1:0"),
            ("-p65535", "127.0.0.1:65535"),
            ("--port=1 --host ::1", "[::1]:1"),
            ("--host localhost", "127.0.0.1:8080"),
            ("--host 0.0.0.0 -p 2", "0.0.0.0:2"),
        ] {
            assert_eq!(serving(line).address.to_string(), address, "{line}");
        }
        assert_eq!(serving("--dialect 0.4.3").dialect, Dialect::V0_4_3);
        assert_eq!(serving("--dialect 0.5.7").dialect, Dialect::V0_5_7);
        assert_eq!(serving("--server-version dev").version.as_deref(), Some("dev"));
        assert_eq!(serving("--api-token a --api-token=b").api_tokens, ["a", "b"]);
        assert_eq!(serving("--jwt-secret a").jwt_secret.as_deref(), Some("a"));
        assert_eq!(serving("--rate-limit 5").rate_limit, Some(5));
        assert_eq!(serving("--webhook-secret a").webhook_secret.as_deref(), Some("a"));
        assert_eq!(serving("--seed 7").seed, Some(7));
        assert_eq!(serving("--data a/b").data, Some(PathBuf::from("a/b")));
        let files = ["a", "b"].map(PathBuf::from).into();
        assert_eq!(serving("--replay a --replay b").words, Words::Files(files));
        assert_eq!(serving("--echo").words, Words::Prompt);
        assert_eq!(serving("--reply pong").words, Words::Text("pong".to_owned()));
        assert_eq!(serving("--reply=").words, Words::Text(String::new()));
        assert_eq!(serving("--delay 1500").delay, Duration::from_millis(1500));
        assert_eq!(serving("--fault status=503 --fault drip=1ms,on=/run").faults.len(), 2);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_to_do() {
        for (line, said) in [
            ("--prot 1", "--prot"),
            ("serve", "serve"),
            ("--port", "--port"),
            ("--port 65536", "from 0 to 65535"),
            ("--port -1", "from 0 to 65535"),
            ("--port x", "from 0 to 65535"),
            ("--host example.com", "127.0.0.1"),
            ("--dialect 0.6.0", "use 0.5.7 or 0.4.3"),
            ("--server-version=", "leave it out"),
            ("--api-token=", "leave it out"),
            ("--jwt-secret=", "leave it out"),
            ("--rate-limit 0.5", "--rate-limit"),
            ("--webhook-secret=", "leave it out"),
            ("--seed -1", "--seed"),
            ("--delay 1.5", "--delay"),
            ("--fault statsu=503", "status=…"),
            ("--echo --reply a", "one of --echo"),
            ("--reply a --reply b", "one of --echo"),
            ("--reply a --replay b", "one of --echo"),
            ("--echo=yes", "--echo"),
        ] {
            let refused = parsed(line).err().unwrap_or_else(|| panic!("{line} is taken"));
            assert!(refused.contains(said), "{line}: {refused}");
            assert!(
                refused.ends_with("`stromboli-emulator --help` lists what it takes"),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_help_lists_every_option() {
        for line in ["--help", "-h", "--port 1 --help"] {
            let Ok(Command::Say(help)) = parsed(line) else {
                panic!("{line}");
            };
            let source = include_str!("arguments.rs");
            let options = source.split("Long(\"").skip(1).filter_map(|rest| rest.split_once('"'));
            for (option, _) in options {
                assert!(help.contains(&format!("--{option} ")), "{option}");
            }
        }
        let Ok(Command::Say(version)) = parsed("-V") else {
            panic!()
        };
        assert!(version.starts_with("stromboli-emulator 0."), "{version}");
    }
}
