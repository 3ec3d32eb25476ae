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

/// Tasks of this runtime that have not ended.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Bytes of the heap that are in use.
pub(crate) fn allocated() -> usize {
    #[cfg(not(feature = "jemalloc"))]
    return crate::HEAP.current_usage();
    #[cfg(feature = "jemalloc")]
    return crate::HEAP.allocated();
}

/// Memory that the system counts as in use, in KiB; 0 where that cannot be told.
#[derive(Clone, Copy, Default)]
pub(crate) struct Resident {
    pub(crate) all: u64,
    /// What belongs to no file: heap and stacks. The rest is code and constants, read from the program's file when first used.
    pub(crate) anonymous: u64,
}

/// Counted page by page: the sums in `/proc/self/status` lag behind.
pub(crate) fn resident() -> Resident {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let kib = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.map_or(0, |number| number.parse().unwrap())
    };
    Resident {
        all: kib("Rss:"),
        anonymous: kib("Anonymous:"),
    }
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
