//! What the figures were taken with.

use std::path::Path;
use std::process::Command;

use report::Result;

/// Crates that are measured beside ours; those that were built are named with their versions.
const PEERS: [&str; 18] = [
    "async-openai",
    "eventsource-client",
    "eventsource-stream",
    "hyper",
    "hyper-util",
    "memchr",
    "octocrab",
    "progenitor-client",
    "reqwest",
    "reqwest-eventsource",
    "serde_json",
    "simdutf8",
    "sse-stream",
    "sseer",
    "stromboli",
    "stromboli-messages",
    "tokio",
    "rustls",
];

/// Lines of Markdown: date, processor, system, compiler, crates.
pub fn describe() -> Result<String> {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    // Fifteen minutes: about as long as the measurements, which make one of them.
    let load = load.split(' ').nth(2).unwrap_or("unknown").to_owned();
    let rows = [
        ("date", jiff::Timestamp::now().strftime("%F").to_string()),
        ("processor", format!("{processor}, {cores} of its threads")),
        (
            "system",
            format!("{} {}", said("uname", &["-sr"])?, std::env::consts::ARCH),
        ),
        ("compiler", said("rustc", &["--version"])?),
        ("load at the end, mean of 15 minutes", load),
        (
            "crates",
            crates(&std::fs::read_to_string(Path::new("benches/Cargo.lock"))?),
        ),
    ];
    let lines = rows.map(|(name, value)| format!("| {name} | {value} |\n"));
    Ok(format!("| | |\n| --- | --- |\n{}", lines.concat()))
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|e| format!("cannot run {program}: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The versions of the peers in a lock file.
fn crates(lock: &str) -> String {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_suffix('"'))
        };
        let (name, version) = (value("name = \"")?, value("version = \"")?);
        PEERS.contains(&name).then(|| format!("{name} {version}"))
    });
    packages.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"hyper\"\nversion = \"1.7.0\"\n\n[[package]]\nname = \"http\"\nversion = \"1.0.0\"\n";
        assert_eq!(super::crates(lock), "hyper 1.7.0");
    }
}
