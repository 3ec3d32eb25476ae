//! Holds the emulator and the client to `openapi.yaml` from outside, with programs that know nothing of our code:
//! Schemathesis asks the emulator, Prism answers the client. Both are installed into `target/tools`.

mod child;
mod prism;
mod schemathesis;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::child::Program;
use self::schemathesis::{Answers, Outcome, Plan};
use crate::{TaskResult, ci, contract};

/// Schemathesis may take so long in all, whatever else is done.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// How long the emulator may take to start, once it is built.
const START: Duration = Duration::from_secs(30);
/// What the emulator is told: to ask for tokens, and to do the same each time.
const EMULATOR: &str = "--port=0 --echo --seed=1 --api-token=contract --jwt-secret=contract-contract-contract-contract";
/// And where no job is to end before it is looked at and cancelled: a minute for each line, in milliseconds.
const SLOW: &str = "--delay=60000";
const API_TOKEN: &str = "contract";

/// Runs everything, up to the end whatever fails. `more` goes to Schemathesis.
pub fn run(root: &Path, quick: bool, more: &[&str]) -> TaskResult {
    let contract = contract::load(root)?;
    let folder = root.join("target/contract");
    std::fs::create_dir_all(&folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
    let program = schemathesis::installed(root)?;
    prism::install(root)?;
    say("building the emulator and the tests");
    ci::succeed(tests(root).arg("--no-run"), None)?;

    let start = Instant::now();
    let asked = Asked {
        root,
        folder: &folder,
        program,
        more: more.iter().map(|&argument| argument.to_owned()).collect(),
        start,
    };
    let with_token = asked.with_token(if quick { 20 } else { 150 });
    let without_token = asked.without_token();
    say("asking Prism about the client's requests");
    let client = prism::run(root, &folder, tests(root));

    let mut problems = Vec::new();
    let (with_token, without_token) = (
        kept("Schemathesis with a token", with_token, &mut problems),
        kept("Schemathesis without a token", without_token, &mut problems),
    );
    let requests = contract::operations(&contract)
        .into_iter()
        .map(|(path, method, operation)| Row {
            operation: format!("{} {path}", method.to_uppercase()),
            protected: operation.get("security") != Some(&Value::Array(Vec::new())),
        });
    let rows: Vec<Row> = requests.collect();
    print!("{}", table(&rows, &with_token.answers, &without_token.answers));
    println!(
        "\n{} requests with a token, {} without; client against Prism: {}; {:.0} s",
        with_token.cases,
        without_token.cases,
        client.as_deref().unwrap_or("failed"),
        start.elapsed().as_secs_f32()
    );
    if more.is_empty() {
        problems.extend(unreached(&rows, &with_token.answers));
    }
    problems.extend(let_in(&rows, &without_token.answers));
    problems.extend(client.err().map(|said| format!("the client against Prism:\n{said}")));
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\n\ncontract: {} to fix",
        problems.join("\n\n"),
        problems.len()
    ))
}

/// The tests that need a Prism are among these, and Cargo builds the emulator's program for them. Like `cargo test
/// --workspace`, which need not build all of it again then.
fn tests(root: &Path) -> Command {
    let mut command = ci::cargo_command(root, "test -q --workspace --test it --target-dir");
    command.arg(root.join("target"));
    command
}

fn say(what: &str) {
    println!("contract: {what}");
}

/// What requests are sent with.
enum Credential {
    ApiToken,
    AccessToken,
    None,
}

/// Obtains one.
fn access_token(server: &str) -> Result<String, String> {
    let address = server.trim_start_matches("http://");
    let exchange = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(START))?;
        let body = "{\"client_id\":\"contract\"}";
        let head = format!("POST /auth/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {API_TOKEN}\r\n");
        let end = format!("Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        socket.write_all((head + &end).as_bytes())?;
        let mut response = String::new();
        socket.read_to_string(&mut response)?;
        Ok(response)
    };
    let response = exchange().map_err(|e| format!("cannot ask for an access token: {e}"))?;
    let (_, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    let token = serde_json::from_str::<Value>(body).unwrap_or_default()["access_token"]
        .as_str()
        .map(str::to_owned);
    token.ok_or_else(|| format!("no access token in\n{response}"))
}

/// Runs of Schemathesis, each with an emulator of its own.
struct Asked<'a> {
    root: &'a Path,
    folder: &'a Path,
    program: PathBuf,
    more: Vec<String>,
    start: Instant,
}

/// One of these runs.
struct Round<'a> {
    name: &'a str,
    credential: Credential,
    /// Requests for each operation, or chains of them, about.
    examples: u32,
    /// More arguments of the emulator.
    emulator: &'a [&'a str],
    /// More arguments of Schemathesis.
    arguments: &'a [&'a str],
}

/// Rounds in which requests are made up one by one.
const ALONE: &str = "--phases=examples,coverage,fuzzing";
/// Rounds in which a request takes what it needs from the answers to earlier ones.
const IN_CHAINS: &str = "--phases=stateful";

impl Asked<'_> {
    /// All checks.
    fn with_token(&self, examples: u32) -> Result<Outcome, String> {
        say("asking the emulator with a token: examples, bounds, made-up requests");
        let alone = self.run(&Round {
            name: "with-token",
            credential: Credential::ApiToken,
            examples,
            emulator: &[],
            arguments: &[ALONE],
        })?;
        say("asking it in chains of requests");
        let chains = self.run(&Round {
            name: "in-chains",
            credential: Credential::ApiToken,
            examples: 100,
            emulator: &[],
            arguments: &[IN_CHAINS],
        })?;
        say("asking it about jobs that go on");
        let jobs = self.run(&Round {
            name: "about-jobs",
            credential: Credential::ApiToken,
            examples: 15,
            emulator: &[SLOW],
            arguments: &[
                IN_CHAINS,
                "--include-operation-id-regex=^(run_async|jobs_list|job_get|job_cancel|session_messages?)$",
            ],
        })?;
        // One of them ends what the token is good for. They are in no chain.
        say("asking it with an access token what takes nothing else");
        let tokens = self.run(&Round {
            name: "with-access-token",
            credential: Credential::AccessToken,
            examples,
            emulator: &[],
            arguments: &[ALONE, "--include-operation-id-regex=^auth_(validate|logout)$"],
        })?;
        Ok(alone.and(chains).and(jobs).and(tokens))
    }

    /// What comes before the token is looked at, and that nothing comes after it.
    fn without_token(&self) -> Result<Outcome, String> {
        say("asking it without a token");
        self.run(&Round {
            name: "without-token",
            credential: Credential::None,
            examples: 10,
            emulator: &[],
            arguments: &["--phases=examples,coverage"],
        })
    }

    fn run(&self, round: &Round<'_>) -> Result<Outcome, String> {
        let mut command = Command::new(self.root.join("target/debug/stromboli-emulator"));
        command.args(EMULATOR.split(' ')).args(round.emulator);
        let mut emulator = Program::start(&command, self.folder.join(format!("{}.emulator.log", round.name)))?;
        let server = emulator.url("", START)?;
        let token = match round.credential {
            Credential::ApiToken => Some(API_TOKEN.to_owned()),
            Credential::AccessToken => Some(access_token(&server)?),
            Credential::None => None,
        };
        let mut more: Vec<String> = round.arguments.iter().map(|&argument| argument.to_owned()).collect();
        more.extend(self.more.iter().cloned());
        let plan = Plan {
            name: round.name,
            server: &server,
            token: token.as_deref(),
            examples: round.examples,
            limit: LIMIT.saturating_sub(self.start.elapsed()),
            more,
        };
        let mut outcome = schemathesis::run(self.root, &self.program, self.folder, &plan)?;
        let said = emulator.said();
        if said.contains("panicked") {
            outcome.failure = Some(format!("the emulator panicked:\n{said}"));
        }
        Ok(outcome)
    }
}

/// The outcome, or an empty one; what went wrong is added to the problems.
fn kept(name: &str, outcome: Result<Outcome, String>, problems: &mut Vec<String>) -> Outcome {
    let outcome = outcome.unwrap_or_else(|error| Outcome {
        cases: 0,
        answers: Answers::new(),
        failure: Some(error),
    });
    problems.extend(outcome.failure.iter().map(|said| format!("{name}:\n{said}")));
    outcome
}

/// An operation in the table.
struct Row {
    /// `POST /run`.
    operation: String,
    /// Whether it asks for a token.
    protected: bool,
}

fn succeeded<'a>(row: &Row, answers: &'a Answers) -> Option<&'a String> {
    let statuses = answers.get(&row.operation)?;
    statuses.keys().find(|status| status.starts_with('2'))
}

/// Operations that never succeeded, so that nothing was learned about their successes.
fn unreached(rows: &[Row], answers: &Answers) -> Vec<String> {
    let rows = rows.iter().filter(|row| succeeded(row, answers).is_none());
    rows.map(|row| {
        format!(
            "{}: no request succeeded, so its successes were not looked at",
            row.operation
        )
    })
    .collect()
}

/// Operations that ask for a token and did without.
fn let_in(rows: &[Row], answers: &Answers) -> Vec<String> {
    let rows = rows.iter().filter(|row| row.protected);
    rows.filter_map(|row| {
        Some(format!(
            "{}: {} without a token",
            row.operation,
            succeeded(row, answers)?
        ))
    })
    .collect()
}

fn table(rows: &[Row], with_token: &Answers, without_token: &Answers) -> String {
    let counts = |answers: &Answers, row: &Row| {
        let statuses = answers.get(&row.operation).into_iter().flatten();
        let counts: Vec<_> = statuses.map(|(status, count)| format!("{status}×{count}")).collect();
        counts.join(" ")
    };
    let head = ["operation", "answers with a token", "without"].map(str::to_owned);
    let lines: Vec<[String; 3]> = std::iter::once(head)
        .chain(rows.iter().map(|row| {
            [
                row.operation.clone(),
                counts(with_token, row),
                counts(without_token, row),
            ]
        }))
        .collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    lines
        .iter()
        .map(|[operation, with, without]| {
            format!("{operation:first$}  {with:second$}  {without}")
                .trim_end()
                .to_owned()
                + "\n"
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |operation: &str, protected| Row {
            operation: operation.to_owned(),
            protected,
        };
        vec![row("GET /health", false), row("POST /run", true)]
    }

    fn answers(counts: &[(&str, &str, u64)]) -> Answers {
        let mut answers = Answers::new();
        for (operation, status, count) in counts {
            let statuses = answers.entry((*operation).to_owned()).or_default();
            statuses.insert((*status).to_owned(), *count);
        }
        answers
    }

    #[test]
    fn an_operation_that_never_succeeded_is_a_problem() {
        let all = answers(&[
            ("GET /health", "200", 1),
            ("POST /run", "202", 1),
            ("POST /run", "400", 9),
        ]);
        assert_eq!(unreached(&rows(), &all), [""; 0]);
        let failed = answers(&[("GET /health", "200", 1), ("POST /run", "500", 9)]);
        assert!(unreached(&rows(), &failed)[0].starts_with("POST /run: no request succeeded"));
        assert_eq!(unreached(&rows(), &Answers::new()).len(), 2);
    }

    #[test]
    fn a_protected_operation_that_succeeds_without_a_token_is_a_problem() {
        let refused = answers(&[("GET /health", "200", 1), ("POST /run", "401", 9)]);
        assert_eq!(let_in(&rows(), &refused), [""; 0]);
        let open = answers(&[("POST /run", "200", 1), ("POST /run", "401", 9)]);
        assert_eq!(let_in(&rows(), &open), ["POST /run: 200 without a token"]);
    }

    #[test]
    fn the_table_has_a_line_for_each_operation() {
        let with = answers(&[("POST /run", "200", 1), ("POST /run", "400", 9)]);
        let without = answers(&[("GET /health", "200", 3)]);
        let expected = "operation    answers with a token  without\nGET /health                        200×3\n\
                        POST /run    200×1 400×9\n";
        assert_eq!(table(&rows(), &with, &without), expected);
    }
}
