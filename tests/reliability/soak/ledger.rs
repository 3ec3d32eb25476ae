//! What was asked for and what came of it. It takes the same memory however long it is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stromboli::{Error, Result};

/// What a call that executes came to, as its caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was executed.
    Done,
    /// A job was begun, which a killed server may not have come to.
    Begun,
    /// It may have been executed.
    Doubtful,
    /// It was not.
    Denied,
}

impl Told {
    const ALL: [Self; 4] = [Self::Done, Self::Begun, Self::Doubtful, Self::Denied];
}

pub(super) struct Ledger {
    next: AtomicUsize,
    /// What each call was told: its number and the [`Told`], a line each.
    told: Mutex<File>,
    /// The ids of the jobs that were begun, a line each.
    jobs: Mutex<File>,
    /// How often which operation ended how.
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    broken: Mutex<Vec<String>>,
}

/// The files of a ledger.
const TOLD: &str = "told";
const JOBS: &str = "jobs";

impl Ledger {
    /// Keeps its lists in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        let file = |name| Mutex::new(File::create(folder.join(name)).unwrap());
        Self {
            next: AtomicUsize::new(0),
            told: file(TOLD),
            jobs: file(JOBS),
            counts: Mutex::default(),
            broken: Mutex::default(),
        }
    }

    /// The number of a new call, and its prompt.
    pub(super) fn call(&self) -> (usize, String) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        (number, prompt(number))
    }

    /// Notes what a call that executes came to, and hands the result on.
    pub(super) fn note<T>(&self, operation: &'static str, call: usize, told: Told, result: Result<T>) -> Option<T> {
        let told = match &result {
            Ok(_) => told,
            Err(error) if error.may_have_executed() => Told::Doubtful,
            Err(_) => Told::Denied,
        };
        writeln!(self.told.lock().unwrap(), "{call} {told:?}").unwrap();
        self.count(operation, result)
    }

    /// Counts how a call ended, and hands the result on.
    pub(super) fn count<T>(&self, operation: &'static str, result: Result<T>) -> Option<T> {
        let ended = result.as_ref().map_or_else(Error::code, |_| "ok");
        self.add(operation, ended);
        result.ok()
    }

    pub(super) fn add(&self, operation: &'static str, ended: impl Into<String>) {
        *self
            .counts
            .lock()
            .unwrap()
            .entry((operation, ended.into()))
            .or_default() += 1;
    }

    pub(super) fn begun(&self, job: &str) {
        writeln!(self.jobs.lock().unwrap(), "{job}").unwrap();
    }

    /// Notes a promise that was not kept. The first are enough.
    pub(super) fn broken(&self, what: String) {
        let mut broken = self.broken.lock().unwrap();
        if broken.len() < 20 {
            broken.push(what);
        }
    }

    pub(super) fn promises_broken(&self) -> Vec<String> {
        self.broken.lock().unwrap().clone()
    }

    pub(super) fn counts(&self) -> BTreeMap<(&'static str, String), u64> {
        self.counts.lock().unwrap().clone()
    }

    /// Compares what is in this folder with the prompts that the server gave to agents.
    pub(super) fn compare(&self, folder: &Path, executions: &[String]) -> Compared {
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        for prompt in executions {
            *times.entry(prompt).or_default() += 1;
        }
        let words = Told::ALL.map(|told| (format!("{told:?}"), told));
        let told = std::fs::read_to_string(folder.join(TOLD)).unwrap();
        let told: HashMap<usize, Told> = told
            .lines()
            .map(|line| {
                let (call, word) = line.split_once(' ').unwrap();
                let (_, told) = words.iter().find(|(name, _)| name == word).unwrap();
                (call.parse().unwrap(), *told)
            })
            .collect();
        let mut compared = Compared {
            calls: self.next.load(Ordering::SeqCst),
            executions: executions.len(),
            ..Compared::default()
        };
        for call in 0..compared.calls {
            let executed = times.remove(prompt(call).as_str()).unwrap_or_default();
            compared.twice += usize::from(executed > 1);
            match told.get(&call) {
                Some(Told::Done) => compared.lost += usize::from(executed == 0),
                Some(Told::Denied) => compared.wrongly_denied += usize::from(executed > 0),
                Some(Told::Doubtful) => compared.doubtful += 1,
                Some(Told::Begun) => {}
                None => compared.untold += 1,
            }
        }
        compared.unknown = times.len();
        compared
    }
}

/// The ids of the jobs that were begun, from the files of a ledger.
pub(super) fn jobs(folder: &Path) -> BTreeSet<String> {
    let jobs = std::fs::read_to_string(folder.join(JOBS)).unwrap();
    jobs.lines().map(str::to_owned).collect()
}

/// What the server did and what its users were told of it.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) calls: usize,
    pub(super) executions: usize,
    pub(super) twice: usize,
    pub(super) wrongly_denied: usize,
    pub(super) doubtful: usize,
    /// Said to be done, and the server never did it.
    pub(super) lost: usize,
    /// Ended, and nobody noted how.
    pub(super) untold: usize,
    /// Executed, and nobody asked for it.
    pub(super) unknown: usize,
}

fn prompt(call: usize) -> String {
    format!("soak-{call}-")
}
