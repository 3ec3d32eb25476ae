//! How long files are, and what the libraries must not contain.

use super::files::File;

const MAX_LINES: usize = 400;
const GENERATED: &str = "stromboli-generated/src/generated.rs";

/// The sources of the libraries that users build their programs on.
const LIBRARIES: [&str; 3] = ["stromboli/src/", "stromboli-generated/src/", "stromboli-messages/src/"];

/// What must not stand in a library, and what to do instead.
const FORBIDDEN: [(&[&str], &str); 4] = [
    (
        &[
            ".unwrap()",
            ".expect(",
            "panic!(",
            "todo!(",
            "unimplemented!(",
            "unreachable!(",
        ],
        "a library never panics; return an error",
    ),
    (
        &["println!(", "eprintln!(", "print!(", "dbg!("],
        "a library never prints; return it, or use `tracing`",
    ),
    (
        &["tokio::spawn", "task::spawn", "thread::spawn"],
        "a library runs nothing in the background; return a future",
    ),
    (
        &[
            "mpsc",
            "sync::broadcast",
            "broadcast::",
            "sync::watch",
            "watch::channel",
        ],
        "a library owns no channel; let the caller pull",
    ),
];

/// What makes a `static` changeable.
const STATE: [&str; 8] = [
    "static mut ",
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "LazyCell",
    "Mutex",
    "RwLock",
    "Atomic",
];

/// Fails on files that are too long to have one subject.
pub fn short_files(files: &[File]) -> Vec<String> {
    let long = |file: &File| {
        let lines = file.text.lines().count();
        (file.path.ends_with(".rs") && file.path != GENERATED && lines > MAX_LINES).then(|| {
            format!(
                "{}: {lines} lines, and {MAX_LINES} are the limit; split it into files of one subject each",
                file.path
            )
        })
    };
    files.iter().filter_map(long).collect()
}

/// Fails on panics, output, background work, channels and global state in the libraries.
pub fn forbidden(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| is_library(&file.path)) {
        for (number, line) in code(&file.text) {
            let mut report = |what: &str, fix: &str| problems.push(format!("{}:{number}: `{what}`: {fix}", file.path));
            for (names, fix) in FORBIDDEN {
                if let Some(name) = names.iter().find(|name| line.contains(**name)) {
                    report(name, fix);
                }
            }
            let declares = line.trim_start().starts_with("static ") || line.contains(" static ");
            if declares && STATE.iter().any(|name| line.contains(name)) || line.contains("thread_local!") {
                report(line.trim(), "a library has no global state; keep it in the client");
            }
        }
    }
    problems
}

/// Whether this is hand-written code of a library; files and folders named `tests` hold its unit tests.
fn is_library(path: &str) -> bool {
    let test = path.ends_with("/tests.rs") || path.contains("/tests/");
    path.ends_with(".rs") && path != GENERATED && !test && LIBRARIES.iter().any(|library| path.starts_with(library))
}

/// The numbered lines of code without comments and without the unit tests, which are the last item of their file.
fn code(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |index: &usize| {
        let next = lines.get(index + 1).map_or("", |line| line.trim());
        lines.get(*index).is_some_and(|line| line.trim() == "#[cfg(test)]")
            && next.starts_with("mod ")
            && next.ends_with('{')
    };
    let end = (0..lines.len()).find(starts_tests).unwrap_or(lines.len());
    let numbered = lines
        .into_iter()
        .take(end)
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    let without_comments = numbered.map(|(number, line)| match line.find("//") {
        Some(0) => (number, ""),
        // A URL's slashes follow a colon.
        Some(at) if line[..at].ends_with(char::is_whitespace) => (number, &line[..at]),
        _ => (number, line),
    });
    without_comments.collect()
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        forbidden(&sample(&[("stromboli/src/a.rs", text)]))
    }

    #[test]
    fn a_file_of_400_lines_is_short_enough() {
        let lines = |count: usize| "x\n".repeat(count);
        assert_eq!(
            short_files(&sample(&[
                ("a.rs", &lines(400)),
                (GENERATED, &lines(5000)),
                ("a.md", &lines(999))
            ])),
            [""; 0]
        );
        assert!(short_files(&sample(&[("b/a.rs", &lines(401))]))[0].starts_with("b/a.rs: 401 lines"));
    }

    #[test]
    fn each_forbidden_thing_is_found_with_its_line() {
        for line in [
            "let a = b.unwrap();",
            "b.expect(\"c\");",
            "    panic!(\"no\");",
            "todo!()",
            "println!(\"a\");",
            "dbg!(a);",
            "tokio::spawn(run());",
            "tokio::task::spawn_blocking(f);",
            "let (a, b) = tokio::sync::mpsc::channel(1);",
            "use tokio::sync::watch;",
            "static mut COUNT: u8 = 0;",
            "pub static CACHE: OnceLock<u8> = OnceLock::new();",
            "pub(crate) static CACHE: std::sync::Mutex<u8> = Mutex::new(0);",
            "thread_local! { static A: u8 = 0; }",
        ] {
            let found = problems(&format!("fn a() {{\n{line}\n}}"));
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert!(found[0].starts_with("stromboli/src/a.rs:2: `"), "{found:?}");
        }
    }

    #[test]
    fn comments_and_tests_and_other_crates_may_have_them() {
        let text = "\
//! x.unwrap()
/// println!(\"a\")
fn a() -> &'static str {
    // panic!()
    let b = c.unwrap_or_default(); // not .unwrap()
    static NAMES: [&str; 1] = [\"http://a/.b\"];
    const LOCK: &'static Mutex<u8> = x;
}

#[cfg(test)]
mod tests {
    fn b() { panic!() }
}
";
        assert_eq!(problems(text), [""; 0]);
        let bad = "x.unwrap()";
        let others = [
            "xtask/src/a.rs",
            "tests/it/a.rs",
            GENERATED,
            "stromboli/tests/a.rs",
            "stromboli/src/sse/tests.rs",
        ];
        for path in others {
            assert_eq!(forbidden(&sample(&[(path, bad)])), [""; 0], "{path}");
        }
        assert_eq!(
            forbidden(&sample(&[("stromboli-generated/src/open_enum.rs", bad)])).len(),
            1
        );
    }

    #[test]
    fn only_the_module_of_unit_tests_ends_the_code() {
        assert_eq!(problems("#[cfg(test)]\nmod tests;\nfn a() { b.unwrap() }").len(), 1);
        assert_eq!(problems("let url = \"http://a\"; b.unwrap();").len(), 1);
    }
}
