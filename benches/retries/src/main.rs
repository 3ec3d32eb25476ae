//! What the default policy of retries costs a call that needs none: instructions, beside the policy that never repeats.

use std::process::ExitCode;

use report::{Budget, Measure, Result, Row, instructions};
use rig::Server;

/// Calls of the shorter of the two runs that are compared.
const CALLS: u32 = 1_000;
/// What is too small to measure elsewhere.
const NO_DIFFERENCE: f64 = 1.01;

fn main() -> ExitCode {
    rig::main(|_| measure())
}

fn measure() -> Result<()> {
    let server = Server::start()?;
    for operation in ["health", "job_get"] {
        let count = |peer| instructions(&["call", &server.url(), peer, operation], CALLS);
        let (ours, theirs) = (count("stromboli")?, count("never")?);
        Row::new(
            "retries",
            operation,
            "RetryPolicy::never()",
            Measure::Instructions,
            ours,
            theirs,
        )
        .budget(Budget::AtMost(NO_DIFFERENCE))
        .print()?;
    }
    Ok(())
}
