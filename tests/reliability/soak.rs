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

use stromboli::{Client, Timeouts};
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::gauge::Gauge;
use self::ledger::{Compared, Ledger};
use self::server::Server;
use crate::{HEAP, alone, measure};

/// The variable that says how many minutes the long one takes.
const MINUTES: &str = "STROMBOLI_SOAK_MINUTES";
/// The most that what is in use may grow after the warm-up, in percent.
const DRIFT: f64 = 5.0;
/// The most that may be left of it when all is dropped, in KiB: what was noted in between, and what is made once.
const KEPT: usize = 512;

/// How long, how many, how often.
struct Plan {
    time: Duration,
    users: u64,
    kill_every: Duration,
    look_every: Duration,
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
        look_every: Duration::from_secs(1),
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
        look_every: Duration::from_secs(5),
        think: Duration::from_secs(6),
        seed: 20_261_127,
    };
    alone(async {
        let (gauge, figures) = soak(&plan).await;
        let trends = gauge.trends();
        measure::tell("soak", &format!("{figures}\n{}", gauge::table(&trends)));
        for trend in &trends {
            assert!(!trend.grows(DRIFT), "{}: {:.1} % more", trend.name, trend.drift());
        }
    });
}

/// Follows the plan, checks what every soak must keep, and gives what it measured.
async fn soak(plan: &Plan) -> (Gauge, String) {
    let folder = Folder::new();
    let ledger = Arc::new(Ledger::new(&folder.0.join("jobs")));
    let mut server = Server::start(&folder.0, 0);
    let port = server.port();
    let before = (tasks(), measure::descriptors());
    let allocated = HEAP.current_usage();

    let client = client(port);
    let (stop, stopped) = watch::channel(false);
    let users = (0..plan.users).map(|user| {
        let (client, ledger, stopped) = (client.clone(), Arc::clone(&ledger), stopped.clone());
        let (seed, think) = (plan.seed.wrapping_add(user), plan.think);
        tokio::spawn(async move { user::live(client, &ledger, seed, think, stopped).await })
    });
    let users: Vec<_> = users.collect();
    let mut gauge = Gauge::default();
    let (start, mut lives) = (Instant::now(), 1_u32);
    while start.elapsed() < plan.time {
        tokio::time::sleep(plan.look_every).await;
        gauge.look();
        if start.elapsed() >= plan.kill_every * lives {
            server.kill();
            server = Server::start(&folder.0, port);
            lives += 1;
        }
    }
    stop.send(true).unwrap();
    for user in users {
        user.await.unwrap();
    }
    drop((client, stopped));
    let left = (
        measure::settles(tasks, before.0).await,
        measure::settles(measure::descriptors, before.1).await,
    );

    let kept = HEAP.current_usage().saturating_sub(allocated) / 1024;

    let compared = ledger.compare(&server::executions(&folder.0));
    let jobs = Jobs::find(port, &folder.0.join("jobs")).await;
    let figures = figures(plan, lives, &ledger, &compared, &jobs);
    let figures = format!("{figures}\nWhen all was dropped, {kept} KiB more were allocated than before.\n");
    let broken = ledger.promises_broken();
    assert!(broken.is_empty(), "{figures}\n{}", broken.join("\n"));
    assert_eq!(left, before, "tasks and descriptors when all is dropped");
    assert!(kept < KEPT, "{kept} KiB are still allocated when all is dropped");
    let wrong = [compared.twice, compared.wrongly_denied, compared.lost, compared.unknown];
    assert_eq!(wrong, [0; 4], "{compared:?}");
    assert_eq!((jobs.lost, jobs.unended), (0, 0));
    assert!(
        lives > 2 && compared.calls > 100,
        "there was not much to see: {figures}"
    );
    (gauge, figures)
}

fn client(port: u16) -> Client {
    let second = Duration::from_secs(1);
    let timeouts = Timeouts::default()
        .connect(5 * second)
        .quick(10 * second)
        .run(20 * second)
        .stream_idle(20 * second);
    let url = format!("http://127.0.0.1:{port}");
    Client::builder(url).timeouts(timeouts).build().unwrap()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
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
    async fn find(port: u16, begun: &Path) -> Self {
        let begun = std::fs::read_to_string(begun).unwrap();
        let begun: BTreeSet<&str> = begun.lines().collect();
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
            let ids: BTreeSet<&str> = known.iter().map(|job| job.id.as_str()).collect();
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

fn figures(plan: &Plan, lives: u32, ledger: &Ledger, compared: &Compared, jobs: &Jobs) -> String {
    let mut text = format!(
        "Seed {}: {} users for {} s, the server killed {} times.\n\n",
        plan.seed,
        plan.users,
        plan.time.as_secs(),
        lives - 1
    );
    let Compared {
        calls,
        executions,
        twice,
        wrongly_denied,
        doubtful,
        lost,
        unknown,
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
