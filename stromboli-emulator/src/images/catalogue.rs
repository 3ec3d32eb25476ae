//! The images that the emulator knows without being told.

use super::{CLAUDE_CLI, COMPATIBLE, DESCRIPTION, TOOLS};

/// A repository.
pub(super) struct Entry {
    pub(super) repository: &'static str,
    /// The tags that the registry has.
    pub(super) registry: &'static [&'static str],
    /// The tags that are on the server from the start.
    pub(super) local: &'static [&'static str],
    /// In bytes.
    pub(super) size: i64,
    /// In seconds since 1970.
    pub(super) built: i64,
    pub(super) labels: &'static [(&'static str, &'static str)],
    pub(super) description: &'static str,
    pub(super) stars: u32,
}

/// How many mirrors of each repository a search finds, so that it finds more than fit into an answer.
pub(super) const MIRRORS: u32 = 10;

/// What the labels of the image say that runs agents unless a request names another.
const AGENT: &[(&str, &str)] = &[
    (COMPATIBLE, "true"),
    (CLAUDE_CLI, "true"),
    (TOOLS, "claude,git,node,npm,python3"),
    (DESCRIPTION, "Runs the agents of Stromboli"),
];

pub(super) const CATALOGUE: &[Entry] = &[
    Entry {
        repository: "localhost/stromboli-agent",
        registry: &[],
        local: &["latest"],
        size: 1_240_000_000,
        built: 1_778_060_000,
        labels: AGENT,
        description: "",
        stars: 0,
    },
    Entry {
        repository: "ghcr.io/tomblancdev/stromboli-agent",
        registry: &["latest"],
        local: &[],
        size: 1_240_000_000,
        built: 1_778_060_000,
        labels: AGENT,
        description: "Runs the agents of Stromboli",
        stars: 0,
    },
    Entry {
        repository: "localhost/claude-code",
        registry: &[],
        local: &["latest"],
        size: 910_000_000,
        built: 1_777_720_000,
        labels: &[(CLAUDE_CLI, "true"), (TOOLS, "claude,node,npm")],
        description: "",
        stars: 0,
    },
    Entry {
        repository: "docker.io/library/python",
        registry: &["latest", "3.13", "3.12", "3.12-slim", "3.12-alpine"],
        local: &["3.12"],
        size: 1_020_000_000,
        built: 1_777_630_000,
        labels: &[],
        description: "Interpreter of Python with its standard library and the tools to build packages for it",
        stars: 9_900,
    },
    Entry {
        repository: "docker.io/library/node",
        registry: &["latest", "24", "22", "22-slim", "22-alpine"],
        local: &["22"],
        size: 1_120_000_000,
        built: 1_777_540_000,
        labels: &[],
        description: "JavaScript outside the browser, with npm and yarn",
        stars: 13_800,
    },
    Entry {
        repository: "docker.io/library/rust",
        registry: &["latest", "1.90", "1.90-slim", "1.90-alpine"],
        local: &["1.90"],
        size: 1_480_000_000,
        built: 1_777_450_000,
        labels: &[],
        description: "Compiler, cargo and rustup",
        stars: 1_300,
    },
    Entry {
        repository: "docker.io/library/golang",
        registry: &["latest", "1.25", "1.25-alpine"],
        local: &[],
        size: 860_000_000,
        built: 1_777_360_000,
        labels: &[],
        description: "Compiler and tools of Go",
        stars: 4_900,
    },
    Entry {
        repository: "docker.io/library/alpine",
        registry: &["latest", "3.22", "3.20"],
        local: &["3.20"],
        size: 7_800_000,
        built: 1_777_270_000,
        labels: &[],
        description: "A whole Linux in a few megabytes, on musl and busybox",
        stars: 11_500,
    },
    Entry {
        repository: "docker.io/library/debian",
        registry: &["latest", "13", "13-slim", "12"],
        local: &[],
        size: 120_000_000,
        built: 1_777_180_000,
        labels: &[],
        description: "The universal operating system",
        stars: 5_300,
    },
    Entry {
        repository: "docker.io/library/ubuntu",
        registry: &["latest", "24.04", "22.04"],
        local: &[],
        size: 78_000_000,
        built: 1_777_090_000,
        labels: &[],
        description: "Debian's best known descendant",
        stars: 17_600,
    },
    Entry {
        repository: "docker.io/library/fedora",
        registry: &["latest", "43"],
        local: &[],
        size: 170_000_000,
        built: 1_777_000_000,
        labels: &[],
        description: "What becomes Red Hat Enterprise Linux",
        stars: 1_200,
    },
    Entry {
        repository: "docker.io/library/busybox",
        registry: &["latest", "1.37"],
        local: &[],
        size: 4_300_000,
        built: 1_776_910_000,
        labels: &[],
        description: "The commands of Unix in one small program",
        stars: 3_400,
    },
    Entry {
        repository: "docker.io/library/postgres",
        registry: &["latest", "18", "18-alpine", "17"],
        local: &[],
        size: 450_000_000,
        built: 1_776_820_000,
        labels: &[],
        description: "Relational database that keeps what it was given, however the machine ends",
        stars: 14_600,
    },
    Entry {
        repository: "docker.io/library/redis",
        registry: &["latest", "8", "8-alpine"],
        local: &[],
        size: 140_000_000,
        built: 1_776_730_000,
        labels: &[],
        description: "Data structures in memory, over the network",
        stars: 13_400,
    },
    Entry {
        repository: "docker.io/library/nginx",
        registry: &["latest", "1.29", "1.29-alpine"],
        local: &[],
        size: 190_000_000,
        built: 1_776_640_000,
        labels: &[],
        description: "Web server, proxy and load balancer",
        stars: 21_000,
    },
];
