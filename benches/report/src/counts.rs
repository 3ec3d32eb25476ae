//! Instructions and misses of a cache, counted by Valgrind.

use std::process::Command;

/// A long copy is one instruction of the processor, which Valgrind counts once for each byte. This makes it a loop.
const LONG_COPIES: &str = "glibc.cpu.x86_rep_movsb_threshold=0x7fffffff";

/// The caches that are simulated, whatever the machine has: 32 KiB for instructions, the same for data, and 8 MiB behind them.
const CACHES: [&str; 4] = [
    "--cache-sim=yes",
    "--I1=32768,8,64",
    "--D1=32768,8,64",
    "--LL=8388608,16,64",
];

/// The instructions of one round of what this program does when called with `arguments` and, last, a number of rounds.
///
/// The difference of two runs is taken, so that start, preparation and end do not count.
///
/// # Errors
///
/// Fails when `valgrind` is not there or the program fails under it.
pub fn instructions(arguments: &[&str], rounds: u32) -> crate::Result<f64> {
    difference("I refs:", &["--cache-sim=no"], arguments, rounds)
}

/// How often one round, in the same way, finds data not in a cache of 32 KiB: the work that instructions do not show.
///
/// # Errors
///
/// As [`instructions`].
pub fn misses(arguments: &[&str], rounds: u32) -> crate::Result<f64> {
    difference("D1 misses:", &CACHES, arguments, rounds)
}

fn difference(counted: &str, caches: &[&str], arguments: &[&str], rounds: u32) -> crate::Result<f64> {
    let once = count(counted, caches, arguments, rounds)?;
    let twice = count(counted, caches, arguments, 2 * rounds)?;
    // Far below 2^52.
    Ok((twice as f64 - once as f64) / f64::from(rounds))
}

fn count(counted: &str, caches: &[&str], arguments: &[&str], rounds: u32) -> crate::Result<u64> {
    let program = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .env("GLIBC_TUNABLES", LONG_COPIES)
        .args(["--tool=cachegrind", "--cachegrind-out-file=/dev/null"])
        .args(caches)
        .arg(program)
        .args(arguments)
        .arg(rounds.to_string())
        .output()
        .map_err(|e| format!("cannot run valgrind, which counts instructions: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind, {arguments:?}: {}\n{said}", output.status).into());
    }
    found(counted, &said).ok_or_else(|| format!("valgrind, {arguments:?}: no count in\n{said}").into())
}

/// The first number of the line that says what was `counted`: `==1== I   refs:      1,234`.
fn found(counted: &str, said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        words.join(" ").strip_prefix(counted).map(str::to_owned)
    })?;
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn the_count_is_read_from_what_valgrind_says() {
        let said =
            "==7== Command: x\n==7== \n==7== I refs:        1,234,567\n==7== D1  misses:      89 (  80 rd + 9 wr)\n";
        assert_eq!(found("I refs:", said), Some(1_234_567));
        assert_eq!(found("D1 misses:", said), Some(89));
        assert_eq!(found("I refs:", "==7== Command: x\n"), None);
    }
}
