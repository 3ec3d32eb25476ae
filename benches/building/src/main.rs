//! What it takes to build a program on stromboli, beside one on bare reqwest and on clients of other services: processor
//! time of a cold build, crates, and sizes. Each is a workspace of its own below `target/`, built once and for all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use report::{Budget, Measure, Pair, Result, Row};
use rig::children_seconds;

/// Rustc takes more processor time when it shares the processor, so all builds get as much of it.
const JOBS: &str = "2";
const DEBUG: &[&str] = &[];
const RELEASE: &[&str] = &["--release"];
/// One build by another differs by some hundredths from day to day, and from one to the next.
const PAIRS: u32 = 3;
/// The most of bare reqwest's time.
const TIME: f64 = 1.25;
const TOKIO: &str = r#"tokio = { version = "1", features = ["macros", "rt"] }"#;

/// A program to build.
struct Program {
    name: &'static str,
    /// The crate that it calls.
    client: &'static str,
    dependencies: &'static str,
    source: &'static str,
}

impl Program {
    /// Its own, in this one.
    fn folder(&self, parent: &Path) -> PathBuf {
        parent.join(self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
    }
}

const OURS: Program = Program {
    name: "stromboli",
    client: "stromboli",
    dependencies: concat!(
        "stromboli = { path = \"",
        env!("CARGO_MANIFEST_DIR"),
        "/../../stromboli\" }"
    ),
    source: include_str!("../programs/stromboli.rs"),
};

const BARE: Program = Program {
    name: "reqwest",
    client: "reqwest",
    dependencies: "reqwest = { version = \"0.13.5\", default-features = false, features = [\"json\", \"query\", \"rustls\", \"stream\"] }\n\
        serde = { version = \"1\", features = [\"derive\"] }",
    source: include_str!("../programs/reqwest.rs"),
};

/// With the most of what `run` does that can be written down in a hundred lines.
const BY_HAND: Program = Program {
    name: "reqwest by hand",
    client: "reqwest",
    dependencies: "reqwest = { version = \"0.13.5\", default-features = false, features = [\"json\", \"query\", \"rustls\", \"stream\"] }\n\
        serde = { version = \"1\", features = [\"derive\"] }\n\
        serde_json = { version = \"1\", features = [\"float_roundtrip\"] }\n\
        tracing = \"0.1\"",
    source: include_str!("../programs/by_hand.rs"),
};

const ASYNC_OPENAI: Program = Program {
    name: "async-openai",
    client: "async-openai",
    dependencies: "async-openai = { version = \"0.43\", features = [\"chat-completion\"] }",
    source: include_str!("../programs/async-openai.rs"),
};

/// With all of its service's API, as ours and octocrab have, and not the one part in 27 that the program needs.
const ASYNC_OPENAI_WHOLE: Program = Program {
    name: "async-openai, whole API",
    dependencies: "async-openai = { version = \"0.43\", features = [\"full\"] }",
    ..ASYNC_OPENAI
};

const OCTOCRAB: Program = Program {
    name: "octocrab",
    client: "octocrab",
    dependencies: "octocrab = \"0.54\"",
    source: include_str!("../programs/octocrab.rs"),
};

/// What building one took, and what came of it.
struct Built {
    seconds: f64,
    crates: f64,
    /// Of the client's own crates.
    libraries: f64,
    program: f64,
}

fn main() -> ExitCode {
    rig::main(|_| measure())
}

fn measure() -> Result<()> {
    let folder = std::env::current_exe()?.with_file_name("building");
    let ours = build(&folder, &OURS)?;
    let bare = build(&folder, &BARE)?;
    // These have warmed up what all builds read.
    for (case, profile) in [("cold release build", RELEASE), ("cold debug build", DEBUG)] {
        let time = in_turns(&folder, profile)?.row("building", case, BARE.name, Measure::Time);
        time.budget(Budget::AtMost(TIME)).print()?;
    }
    row("in the tree", &BARE, Measure::Crates, ours.crates, bare.crates).print()?;
    row("the program", &BARE, Measure::Bytes, ours.program, bare.program).print()?;

    let by_hand = build(&folder, &BY_HAND)?;
    row("the program", &BY_HAND, Measure::Bytes, ours.program, by_hand.program).print()?;

    for program in [ASYNC_OPENAI, ASYNC_OPENAI_WHOLE, OCTOCRAB] {
        let theirs = build(&folder, &program)?;
        let row = |case, measure, ours, theirs| row(case, &program, measure, ours, theirs);
        row("cold release build", Measure::Time, ours.seconds, theirs.seconds).print()?;
        let crates = row("in the tree", Measure::Crates, ours.crates, theirs.crates);
        crates.budget(Budget::AtMostMore(-1.0)).print()?;
        let libraries = row("the client's .rlib", Measure::Bytes, ours.libraries, theirs.libraries);
        // All of ours is not measured by a part of theirs.
        let part = program.name == ASYNC_OPENAI.name;
        let libraries = if part {
            libraries
        } else {
            libraries.budget(Budget::AtMost(1.0))
        };
        libraries.print()?;
        let size = row("the program", Measure::Bytes, ours.program, theirs.program);
        size.budget(Budget::AtMost(1.0)).print()?;
    }
    Ok(())
}

fn row(case: &str, program: &Program, measure: Measure, ours: f64, theirs: f64) -> Row {
    Row::new("building", case, program.name, measure, ours, theirs)
}

fn build(folder: &Path, program: &Program) -> Result<Built> {
    let parent = folder;
    let folder = program.folder(parent);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n{TOKIO}\n\n[workspace]\n",
        program.dependencies
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program.source)?;
    eprintln!("bench: builds a program on {}", program.name);
    // Downloads belong to nobody's build.
    children_seconds(cargo(&folder).arg("fetch"))?;
    let seconds = cold_build(parent, program, RELEASE)?;
    let release = folder.join("target/release");
    Ok(Built {
        seconds,
        crates: crates(&folder)?,
        libraries: libraries(&release.join("deps"), program.client)?,
        program: fs::metadata(release.join("program"))?.len() as f64,
    })
}

/// Ours and bare reqwest's, built from nothing one after the other, and again.
fn in_turns(folder: &Path, profile: &[&str]) -> Result<Pair> {
    let mut samples = Vec::new();
    for n in 1..=PAIRS {
        eprintln!("bench: pair {n} of {PAIRS} of builds");
        let ours = cold_build(folder, &OURS, profile)?;
        samples.push((ours, cold_build(folder, &BARE, profile)?));
    }
    Ok(Pair::of(&samples))
}

/// The processor time of a build from nothing.
fn cold_build(folder: &Path, program: &Program, profile: &[&str]) -> Result<f64> {
    let folder = &program.folder(folder);
    let target = folder.join("target");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    children_seconds(cargo(folder).args(["build", "--offline", "-j", JOBS]).args(profile))
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    // What the environment says of other builds is not for these.
    cargo
        .current_dir(folder)
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        // A dependency is not compiled incrementally, unless its source lies on this machine as ours does here.
        .env("CARGO_INCREMENTAL", "0");
    cargo
}

/// How many crates are compiled for this machine, those of build scripts and macros among them.
fn crates(folder: &Path) -> Result<f64> {
    let tree = cargo(folder)
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()?;
    let tree = String::from_utf8(tree.stdout)?;
    let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    // The program is none.
    Ok(crates.len() as f64 - 1.0)
}

/// The bytes of the client's `.rlib`s: of ours, three.
fn libraries(folder: &Path, client: &str) -> Result<f64> {
    let prefix = format!("lib{}", client.replace('-', "_"));
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".rlib") {
            bytes += fs::metadata(&path)?.len();
        }
    }
    Ok(bytes as f64)
}
