//! Instructions, counted by Valgrind.

use std::process::Command;

/// A long copy is one instruction of the processor, which Valgrind counts once for each byte. This makes it a loop.
const LONG_COPIES: &str = "glibc.cpu.x86_rep_movsb_threshold=0x7fffffff";

/// The instructions of one round of what this program does when called with `arguments` and, last, a number of rounds.
///
/// The difference of two runs is taken, so that start, preparation and end do not count.
///
/// # Errors
///
/// Fails when `valgrind` is not there or the program fails under it.
pub fn instructions(arguments: &[&str], rounds: u32) -> crate::Result<f64> {
    let (once, twice) = (count(arguments, rounds)?, count(arguments, 2 * rounds)?);
    // Far below 2^52.
    Ok((twice as f64 - once as f64) / f64::from(rounds))
}

fn count(arguments: &[&str], rounds: u32) -> crate::Result<u64> {
    let program = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .env("GLIBC_TUNABLES", LONG_COPIES)
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .arg(rounds.to_string())
        .output()
        .map_err(|e| format!("cannot run valgrind, which counts instructions: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind, {arguments:?}: {}\n{said}", output.status).into());
    }
    found(&said).ok_or_else(|| format!("valgrind, {arguments:?}: no count in\n{said}").into())
}

/// The number of the line `==1== I   refs:      1,234`.
fn found(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("refs:"))?.1;
    line.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn the_count_is_read_from_what_valgrind_says() {
        let said = "==7== Command: x\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(found(said), Some(1_234_567));
        assert_eq!(found("==7== Command: x\n"), None);
    }
}
