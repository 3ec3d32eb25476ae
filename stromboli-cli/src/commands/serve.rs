//! `stromboli serve`: the emulator, so that everything can be tried without a server and without cost.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use stromboli_emulator::{Answer, Answerer, Builder, Dialect, Echo, Emulator, Fault, Introduction, Paced, Replay, Run};

use crate::context::Context;
use crate::exit::Failure;
use crate::interrupt;

/// How many times its rate a client may send at once: a server allows 20 when it allows 10 per second.
const BURST: u32 = 2;

const EXAMPLES: &str = "\
Examples:
  stromboli serve
  stromboli serve --on 'ping=pong' --on 'weather=It rains.'
  stromboli serve --allow-volume .
  stromboli serve --replay turn.jsonl --delay 50
  stromboli serve --fault status=503,on=/run,times=2 --fault reset-after-executing,probability=0.1
  stromboli serve --api-token-file token.txt --jwt-secret-file secret.txt --data ./state

In another terminal: stromboli run ping --url http://127.0.0.1:8080

A fault is what goes wrong (status=503, reset-after-executing, drip=10ms, cut-body-after=100, without-end-marker, …) and,
after commas, with which requests (on=/run, method=POST, prompt=text) and how often (times=2, probability=0.1).
A name that is not known lists all that are.";

/// Serve an emulator: a server that answers as a real one does, without Podman and without cost.
///
/// Its URL goes to stdout when it is ready. It serves until it is interrupted.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Port to listen on; 0 for a free one.
    #[arg(short, long, default_value_t = 8080)]
    port: u16,
    /// Address to listen on; others than loopback let other machines in.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::from(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Release to answer like.
    #[arg(long, value_enum, default_value_t = Release::V0_5_7)]
    dialect: Release,
    /// Version that `health` reports [default: that of the release].
    #[arg(long, value_name = "TEXT")]
    server_version: Option<String>,
    /// Ask for the bearer token in this file; may be repeated.
    #[arg(long, value_name = "FILE")]
    api_token_file: Vec<PathBuf>,
    /// Ask for tokens, and issue them, signed with the secret in this file (32 characters or more).
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// Sign webhooks with the secret in this file.
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// Allow each client so many requests per second.
    #[arg(long, value_name = "RATE")]
    rate_limit: Option<u32>,
    /// Let runs mount this directory of this machine, and what is in it; may be repeated. As a server does, it refuses others.
    #[arg(long, value_name = "DIR")]
    allow_volume: Vec<PathBuf>,
    /// Keep sessions, jobs and secrets in this directory [default: in memory].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The same ids and the same order of jobs each time.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    answers: Answers,
    /// Wait so long before each line of an answer.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    delay: u64,
    /// Let this go wrong; may be repeated, and the first that fits strikes.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
}

/// What prompts are answered with.
#[derive(Args)]
struct Answers {
    /// Answer each prompt with the prompt.
    #[arg(long, conflicts_with_all = ["reply", "replay"])]
    echo: bool,
    /// Answer each prompt with this text.
    #[arg(long, value_name = "TEXT", conflicts_with = "replay")]
    reply: Option<String>,
    /// Answer with the turns that Claude Code printed into this file; may be repeated.
    #[arg(long, value_name = "FILE")]
    replay: Vec<PathBuf>,
    /// Answer prompts that contain PART with TEXT; may be repeated, and the last that fits counts.
    #[arg(long, value_name = "PART=TEXT", value_parser = rule)]
    on: Vec<(String, String)>,
}

/// The releases that the emulator knows.
#[derive(Clone, Copy, ValueEnum)]
enum Release {
    #[value(name = "0.5.7")]
    V0_5_7,
    #[value(name = "0.4.3")]
    V0_4_3,
}

impl Serve {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let address = SocketAddr::new(self.host, self.port);
        let builder = self.builder()?;
        let emulator = builder.start().await.map_err(|error| not_started(address, &error))?;
        for (part, text) in self.answers.on {
            emulator.on_prompt(part).reply(text);
        }
        for fault in self.fault {
            emulator.inject(fault);
        }
        if !self.host.is_loopback() {
            context
                .output
                .hint("this is no loopback address: other machines can reach this emulator");
        }
        // Before the URL is told, since Ctrl-C may follow that at once.
        let stop = interrupt::stop_signal()?;
        context.output.value(&emulator.url(), |url| (*url).to_owned())?;
        context
            .output
            .note("serving; nothing is run and nothing is spent; Ctrl-C stops it");
        stop.await;
        Ok(())
    }

    fn builder(&self) -> Result<Builder, Failure> {
        let asks_for_tokens = !self.api_token_file.is_empty() || self.jwt_secret_file.is_some();
        let mut builder = Emulator::builder()
            .address(self.host)
            .port(self.port)
            .auth(asks_for_tokens)
            .dialect(match self.dialect {
                Release::V0_5_7 => Dialect::V0_5_7,
                Release::V0_4_3 => Dialect::V0_4_3,
            });
        if let Some(version) = &self.server_version {
            builder = builder.version(version);
        }
        for file in &self.api_token_file {
            builder = builder.api_token(secret_in(file)?);
        }
        if let Some(file) = &self.jwt_secret_file {
            builder = builder.jwt_secret(secret_in(file)?);
        }
        if let Some(file) = &self.webhook_secret_file {
            builder = builder.webhook_signing_secret(secret_in(file)?);
        }
        for folder in &self.allow_volume {
            // As `run --volume` writes a path that is seen from here.
            builder = builder.allow_volume(std::path::absolute(folder)?.to_string_lossy());
        }
        if let Some(rate) = self.rate_limit {
            builder = builder.rate_limit(rate, rate.saturating_mul(BURST));
        }
        if let Some(dir) = &self.data {
            builder = builder.data(dir);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        let delay = Duration::from_millis(self.delay);
        Ok(builder.answerer(Paced::new(self.answers.answerer()?, delay)))
    }
}

impl Answers {
    fn answerer(&self) -> Result<Box<dyn Answerer>, Failure> {
        let answerer: Box<dyn Answerer> = if self.echo {
            Box::new(Echo)
        } else if let Some(text) = self.reply.clone() {
            Box::new(move |run: Run| Answer::reply(&run, &text))
        } else if self.replay.is_empty() {
            Box::new(Introduction)
        } else {
            let replay = Replay::files(&self.replay);
            Box::new(replay.map_err(|error| Failure::usage(format!("cannot replay: {error}")))?)
        };
        Ok(answerer)
    }
}

fn rule(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((part, text)) => Ok((part.to_owned(), text.to_owned())),
        None => Err("a part of the prompt, `=` and the answer are wanted".to_owned()),
    }
}

/// A secret, which no command line should show, without the end of its line.
fn secret_in(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(Failure::usage(format!("{} is empty", file.display()))),
        secret => Ok(secret.to_owned()),
    }
}

fn not_started(address: SocketAddr, error: &io::Error) -> Failure {
    let clause = format!("cannot serve on {address}: {error}");
    match error.kind() {
        io::ErrorKind::InvalidInput => Failure::usage(clause),
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => {
            Failure::other(clause).next("choose another with --port and --host; port 0 is a free one")
        }
        _ => Failure::other(clause),
    }
}
