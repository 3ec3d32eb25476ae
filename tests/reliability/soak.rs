//! Many users of a flaky server that is killed again and again: nothing grows, and what was begun is accounted for.

mod gauge;
mod ledger;
mod server;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stromboli::{Client, ErrorKind, Timeouts};
use tokio::sync::{RwLock, watch};

use self::gauge::Gauge;
use self::ledger::{Compared, Ledger};
use self::server::Server;
use crate::{alone, measure};

/// The variable that says how many minutes the long one takes.
const MINUTES: &str = "STROMBOLI_SOAK_MINUTES";
/// The most that what is in use may grow after the warm-up, in percent.
const DRIFT: f64 = 5.0;
/// The most that may be left of it when all is dropped, in KiB: what was noted in between, and what is made once.
const KEPT: usize = 64;

/// How long, how many, how often.
struct Plan {
    time: Duration,
    users: u64,
    kill_every: Duration,
    /// How many times it is killed before all users rest.
    kills_before_rest: u32,
    /// The pause of a user between two requests, on average.
    think: Duration,
    seed: u64,
}

#[test]
fn what_was_begun_is_accounted_for_when_the_server_is_killed_again_and_again() {
    let plan = Plan {
        time: Duration::from_secs(8),
        users: 20,
        kill_every: Duration::from_secs(2),
        kills_before_rest: 1,
        think: Duration::from_millis(100),
        seed: 20_261_127,
    };
    alone(async {
        let (_, figures) = soak(&plan).await;
        println!("{figures}");
    });
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask reliability soak"]
fn nothing_grows_over_a_long_time() {
    let minutes = std::env::var(MINUTES).map_or(30, |minutes| minutes.parse().unwrap());
    let plan = Plan {
        time: Duration::from_secs(60 * minutes),
        users: 200,
        kill_every: Duration::from_secs(30),
        kills_before_rest: 2,
        think: Duration::from_secs(6),
        seed: 20_261_127,
    };
    alone(async {
        let (gauge, figures) = soak(&plan).await;
        measure::tell("soak", &format!("{figures}\n{}", gauge.table()));
        let trends = gauge.trends();
        for trend in &trends {
            assert!(trend.drift() <= DRIFT, "{}: {:.1} % more", trend.name, trend.drift());
        }
    });
}

/// Follows the plan, checks what every soak must keep, and gives what it measured.
async fn soak(plan: &Plan) -> (Gauge, String) {
    let folder = Folder::new();
    let ledger = Arc::new(Ledger::new(&folder.0));
    let mut server = Server::start(&folder.0, 0);
    let port = server.port();
    let before = (measure::tasks(), measure::descriptors());
    let allocated = measure::allocated();

    let client = client(port);
    let work = Arc::new(RwLock::new(()));
    let (stop, stopped) = watch::channel(false);
    let users = (0..plan.users).map(|user| {
        let (client, ledger, stopped) = (client.clone(), Arc::clone(&ledger), stopped.clone());
        let (work, seed, think) = (Arc::clone(&work), plan.seed.wrapping_add(user), plan.think);
        tokio::spawn(async move { user::live(client, &ledger, &work, seed, think, stopped).await })
    });
    let users: Vec<_> = users.collect();
    // A task of each user, and one with which the client's pool looks after connections while it has had any.
    let at_rest = (before.0 + users.len() + 1, before.1);
    let mut gauge = Gauge::default();
    let (start, mut kills) = (Instant::now(), 0_u32);
    while start.elapsed() < plan.time {
        for _ in 0..plan.kills_before_rest {
            gauge.look_for(plan.kill_every).await;
            server.kill();
            server = Server::start(&folder.0, port);
            kills += 1;
        }
        gauge.look_for(plan.kill_every).await;
        // Nobody asks for anything, and there is no server that a connection could be kept to: what is still there is kept
        // for nothing.
        let asked = Instant::now();
        let rest = work.write().await;
        server.kill();
        kills += 1;
        let left = (
            measure::settles(measure::tasks, at_rest.0).await,
            measure::settles(measure::descriptors, at_rest.1).await,
        );
        assert!(
            left.0 <= at_rest.0 && left.1 <= at_rest.1,
            "{left:?} tasks and descriptors are left, not {at_rest:?}"
        );
        // A client forgets connections that are closed when it looks for one.
        let nobody = client.health().await.map_err(|error| error.kind());
        assert_eq!(nobody.err(), Some(ErrorKind::Connect));
        measure::settles(measure::tasks, at_rest.0).await;
        gauge.rest(measure::allocated().saturating_sub(allocated));
        // The pauses of all users are over then, so that all ask at once: the busiest moment is the same in each round.
        tokio::time::sleep((2 * plan.think).saturating_sub(asked.elapsed())).await;
        server = Server::start(&folder.0, port);
        drop(rest);
    }
    stop.send(true).unwrap();
    for user in users {
        user.await.unwrap();
    }
    drop((client, stopped));
    let left = (
        measure::settles(measure::tasks, before.0).await,
        measure::settles(measure::descriptors, before.1).await,
    );

    let kept = measure::allocated().saturating_sub(allocated) / 1024;

    let compared = ledger.compare(&folder.0, &server::executions(&folder.0));
    let jobs = Jobs::find(port, &folder.0).await;
    let figures = figures(plan, kills, &ledger, &compared, &jobs);
    let figures = format!("{figures}\nWhen all was dropped, {kept} KiB more were allocated than before.\n");
    let broken = ledger.promises_broken();
    assert!(broken.is_empty(), "{figures}\n{}", broken.join("\n"));
    assert_eq!(left, before, "tasks and descriptors when all is dropped");
    assert!(kept < KEPT, "{kept} KiB are still allocated when all is dropped");
    let wrong = [
        compared.twice,
        compared.wrongly_denied,
        compared.lost,
        compared.unknown,
        compared.untold,
    ];
    assert_eq!(wrong, [0; 5], "{compared:?}");
    assert_eq!((jobs.lost, jobs.unended), (0, 0));
    assert!(
        kills > 1 && compared.calls > 100,
        "there was not much to see: {figures}"
    );
    (gauge, figures)
}

fn client(port: u16) -> Client {
    let second = Duration::from_secs(1);
    let timeouts = Timeouts::default()
        .connect(5 * second)
        .quick(5 * second)
        .run(10 * second)
        .stream_idle(10 * second);
    let url = format!("http://127.0.0.1:{port}");
    Client::builder(url).timeouts(timeouts).build().unwrap()
}

/// What the server knows in the end of the jobs that were begun.
struct Jobs {
    begun: usize,
    /// Known to the server, and begun by a call whose answer did not arrive.
    more: usize,
    /// Begun, and not known to the server.
    lost: usize,
    unended: usize,
    statuses: BTreeMap<String, usize>,
}

impl Jobs {
    async fn find(port: u16, folder: &Path) -> Self {
        let begun = ledger::jobs(folder);
        let client = client(port);
        // The server goes on to be flaky, so this may take a few tries; and a run may still be on its way.
        for _ in 0..100 {
            let Ok(known) = client.jobs().list().await else {
                continue;
            };
            let ended = known.iter().filter(|job| job.status.is_final()).count();
            if ended < known.len() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            let mut statuses = BTreeMap::new();
            for job in &known {
                *statuses.entry(job.status.to_string()).or_default() += 1;
            }
            let ids: BTreeSet<_> = known.iter().map(|job| job.id.clone()).collect();
            return Self {
                begun: begun.len(),
                more: ids.difference(&begun).count(),
                lost: begun.difference(&ids).count(),
                unended: known.len() - ended,
                statuses,
            };
        }
        panic!("the jobs did not end");
    }
}

fn figures(plan: &Plan, kills: u32, ledger: &Ledger, compared: &Compared, jobs: &Jobs) -> String {
    let mut text = format!(
        "Seed {}: {} users for {} s, the server killed {} times.\n\n",
        plan.seed,
        plan.users,
        plan.time.as_secs(),
        kills
    );
    let Compared {
        calls,
        executions,
        twice,
        wrongly_denied,
        doubtful,
        lost,
        unknown,
        untold: _,
    } = compared;
    writeln!(
        text,
        "- {calls} calls that execute, {executions} executions: {twice} twice, {wrongly_denied} of which an error denied \
         them, {lost} missing after a success, {unknown} that nobody asked for; {doubtful} errors left it open."
    )
    .unwrap();
    writeln!(
        text,
        "- {} jobs begun: {} unknown to the server in the end, {} without an end; {} more of calls whose answer was lost. \
         They ended as {:?}.\n",
        jobs.begun, jobs.lost, jobs.unended, jobs.more, jobs.statuses
    )
    .unwrap();
    text.push_str("| operation | ended |\n|---|---|\n");
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((operation, ended), count) in ledger.counts() {
        rows.entry(operation).or_default().push(format!("{ended} {count}"));
    }
    for (operation, ended) in rows {
        writeln!(text, "| {operation} | {} |", ended.join(", ")).unwrap();
    }
    text
}

/// A folder of its own, which is taken away in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("stromboli-soak-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
