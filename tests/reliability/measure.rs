//! What this process uses, as Linux tells it, and where figures go.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The variable with the folder that figures are written to; without it they are only printed.
const FIGURES: &str = "STROMBOLI_FIGURES";
/// How long what was dropped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// Open files and sockets; 0 where that cannot be told.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count())
}

/// Memory that the system counts as in use, in KiB; 0 where that cannot be told.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}

/// Waits until `count` is no more than `most`, and gives the last count: connections close a moment after they are dropped.
pub(crate) async fn settles(mut count: impl FnMut() -> usize, most: usize) -> usize {
    let start = Instant::now();
    loop {
        let now = count();
        if now <= most || start.elapsed() > PATIENCE {
            return now;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Prints figures, and writes them where `cargo xtask reliability` finds them.
pub(crate) fn tell(name: &str, figures: &str) {
    println!("{figures}");
    if let Some(folder) = std::env::var_os(FIGURES) {
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.md")), figures).unwrap();
    }
}
