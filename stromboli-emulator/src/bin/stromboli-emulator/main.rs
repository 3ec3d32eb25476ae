//! The emulator as a program: reads its arguments, serves until it is told to stop.

mod arguments;

use std::io::{self, Write};
use std::process::ExitCode;

use stromboli_emulator::{Answer, Answerer, Builder, Echo, Emulator, Introduction, Paced, Replay, Run};

use crate::arguments::{Arguments, Command, Words};

/// A command line that makes no sense, as most programs report it.
const MISUSED: u8 = 2;

/// How many times its rate a client may send at once: a server allows 20 when it allows 10 per second.
const BURST: u32 = 2;

/// The loopback address is the only one on which nobody else listens in; those who choose another should know.
const OPEN: &str = "this is no loopback address, so other machines can reach this emulator";

fn main() -> ExitCode {
    let arguments = match arguments::parse(lexopt::Parser::from_env()) {
        Ok(Command::Serve(arguments)) => arguments,
        Ok(Command::Say(text)) => return ended(write(&mut io::stdout(), &text)),
        Err(text) => return failed(MISUSED, &text),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(1, &format!("cannot start: {error}")),
    };
    runtime.block_on(serve(*arguments))
}

async fn serve(mut arguments: Arguments) -> ExitCode {
    let address = arguments.address;
    let faults = std::mem::take(&mut arguments.faults);
    let (token_needed, version) = (asks_for_tokens(&arguments), arguments.version.clone());
    // Before the line that says it is ready, since a signal may follow that at once.
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return failed(1, &format!("cannot wait for signals: {error}")),
    };
    let started = match builder(arguments) {
        Ok(builder) => builder.start().await,
        Err(error) => Err(error),
    };
    let emulator = match started {
        Ok(emulator) => emulator,
        Err(error) => {
            let (code, advice) = match error.kind() {
                io::ErrorKind::InvalidInput => (MISUSED, ""),
                io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => {
                    (1, "; choose another with --port and --host, port 0 for a free one")
                }
                _ => (1, ""),
            };
            return failed(code, &format!("cannot start on {address}: {error}{advice}"));
        }
    };
    for fault in faults {
        emulator.inject(fault);
    }
    if !address.ip().is_loopback() {
        let token = if token_needed {
            ""
        } else {
            ", and none of them needs a token (see --api-token)"
        };
        note(&format!("warning: {}: {OPEN}{token}", address.ip()));
    }
    if let Err(error) = write(&mut io::stdout(), emulator.url()) {
        return failed(1, &format!("cannot say where it listens: {error}"));
    }
    let version = version.map_or_else(String::new, |version| format!(" as {version}"));
    note(&format!(
        "serving{version}; nothing is run and nothing is spent; Ctrl-C stops it"
    ));
    stop.await;
    ExitCode::SUCCESS
}

/// Whoever gives a token or a secret wants it to be asked for, also by a release that does not unless it is told to.
fn asks_for_tokens(arguments: &Arguments) -> bool {
    !arguments.api_tokens.is_empty() || arguments.jwt_secret.is_some()
}

fn builder(arguments: Arguments) -> io::Result<Builder> {
    let mut builder = Emulator::builder()
        .auth(asks_for_tokens(&arguments))
        .address(arguments.address.ip())
        .port(arguments.address.port())
        .dialect(arguments.dialect);
    if let Some(version) = arguments.version {
        builder = builder.version(version);
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    if let Some(secret) = arguments.jwt_secret {
        builder = builder.jwt_secret(secret);
    }
    if let Some(rate) = arguments.rate_limit {
        builder = builder.rate_limit(rate, rate.saturating_mul(BURST));
    }
    if let Some(secret) = arguments.webhook_secret {
        builder = builder.webhook_signing_secret(secret);
    }
    if let Some(dir) = arguments.data {
        builder = builder.data(dir);
    }
    for token in arguments.api_tokens {
        builder = builder.api_token(token);
    }
    let answerer: Box<dyn Answerer> = match arguments.words {
        Words::Introduction => Box::new(Introduction),
        Words::Prompt => Box::new(Echo),
        Words::Text(text) => Box::new(move |run: Run| Answer::reply(&run, &text)),
        Words::Files(files) => Box::new(Replay::files(files)?),
    };
    Ok(builder.answerer(Paced::new(answerer, arguments.delay)))
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn failed(code: u8, text: &str) -> ExitCode {
    note(text);
    ExitCode::from(code)
}

fn ended(written: io::Result<()>) -> ExitCode {
    written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// Tells the person at the terminal; when nobody is there, nothing is lost.
fn note(text: &str) {
    let _ = write(&mut io::stderr(), &format!("stromboli-emulator: {text}"));
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", text.trim_end())?;
    out.flush()
}
