//! What the benchmarks of calls and streams have in common: the clients that are compared, and a bare server in another
//! process.

mod by_hand;
mod peers;
mod process;
mod serve;

pub use peers::{Operation, Peer, TIMEOUT};
pub use process::{Server, Side, children_seconds, own, pinned};
pub use report::Result;
pub use serve::serve;

use std::process::ExitCode;

/// What every benchmark's program does: `serve` makes a server of it, `call URL PEER OPERATION CALLS` makes calls one after
/// the other, and anything else measures.
pub fn main(measure: impl FnOnce(&[&str]) -> Result<()>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["serve"] => serve(),
        ["call", url, peer, operation, calls] => peers::call(url, peer, operation, calls),
        _ => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
