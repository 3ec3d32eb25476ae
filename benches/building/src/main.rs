//! What it takes to build a program on stromboli, beside one on bare reqwest and on clients of other services: processor
//! time of a cold build, crates, and sizes. Each is a workspace of its own below `target/`, built once and for all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use report::{Budget, Measure, Result, Row};
use rig::children_seconds;

/// Rustc takes more processor time when it shares the processor, so all builds get as much of it.
const JOBS: &str = "2";
const DEBUG: &[&str] = &[];
const RELEASE: &[&str] = &["--release"];
/// The most of bare reqwest's time.
const TIME: f64 = 1.25;
const TOKIO: &str = r#"tokio = { version = "1", features = ["macros", "rt"] }"#;

/// A program to build: the name of its client, its dependencies, and its source.
struct Program {
    client: &'static str,
    dependencies: &'static str,
    source: &'static str,
}

const OURS: Program = Program {
    client: "stromboli",
    dependencies: concat!(
        "stromboli = { path = \"",
        env!("CARGO_MANIFEST_DIR"),
        "/../../stromboli\" }"
    ),
    source: include_str!("../programs/stromboli.rs"),
};

const THEIRS: [Program; 3] = [
    Program {
        client: "reqwest",
        dependencies: "reqwest = { version = \"0.13.5\", default-features = false, features = [\"http2\", \"json\", \"query\", \"rustls\", \"stream\"] }\n\
            serde = { version = \"1\", features = [\"derive\"] }",
        source: include_str!("../programs/reqwest.rs"),
    },
    Program {
        client: "async-openai",
        dependencies: "async-openai = { version = \"0.43\", features = [\"chat-completion\"] }",
        source: include_str!("../programs/async-openai.rs"),
    },
    Program {
        client: "octocrab",
        dependencies: "octocrab = \"0.54\"",
        source: include_str!("../programs/octocrab.rs"),
    },
];

/// What building one took.
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
    for program in THEIRS {
        let theirs = build(&folder, &program)?;
        let bare = program.client == "reqwest";
        let row = |case, measure, ours, theirs| Row::new("building", case, program.client, measure, ours, theirs);
        let time = row("cold release build", Measure::Time, ours.seconds, theirs.seconds);
        let crates = row("in the tree", Measure::Crates, ours.crates, theirs.crates);
        let libraries = row("the client's .rlib", Measure::Bytes, ours.libraries, theirs.libraries);
        let size = row("the program", Measure::Bytes, ours.program, theirs.program);
        if bare {
            time.budget(Budget::AtMost(TIME)).print()?;
            // What is built while a program is written. The release is not needed any more.
            let ours = cold_build(&folder.join(OURS.client), DEBUG)?;
            let theirs = cold_build(&folder.join(program.client), DEBUG)?;
            let debug = row("cold debug build", Measure::Time, ours, theirs);
            debug.budget(Budget::AtMost(TIME)).print()?;
            crates.print()?;
            size.print()?;
        } else {
            time.print()?;
            crates.budget(Budget::AtMostMore(-1.0)).print()?;
            libraries.budget(Budget::AtMost(1.0)).print()?;
            size.budget(Budget::AtMost(1.0)).print()?;
        }
    }
    Ok(())
}

fn build(folder: &Path, program: &Program) -> Result<Built> {
    let folder = folder.join(program.client);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n{TOKIO}\n\n[workspace]\n",
        program.dependencies
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program.source)?;
    eprintln!("bench: builds a program on {}", program.client);
    // Downloads belong to nobody's build.
    children_seconds(cargo(&folder).arg("fetch"))?;
    let seconds = cold_build(&folder, RELEASE)?;
    let release = folder.join("target/release");
    Ok(Built {
        seconds,
        crates: crates(&folder)?,
        libraries: libraries(&release.join("deps"), program.client)?,
        program: fs::metadata(release.join("program"))?.len() as f64,
    })
}

/// The processor time of a build from nothing.
fn cold_build(folder: &Path, profile: &[&str]) -> Result<f64> {
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
        .env("CARGO_TARGET_DIR", folder.join("target"));
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
