//! What was asked for and what came of it. It takes the same memory however long it is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use stromboli::{Error, Result};

/// More calls than a soak makes.
const CALLS: usize = 1 << 21;

/// What a call that executes came to, as its caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Told {
    Nothing,
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
    const ALL: [Self; 5] = [Self::Nothing, Self::Done, Self::Begun, Self::Doubtful, Self::Denied];
}

pub(super) struct Ledger {
    next: AtomicUsize,
    told: Box<[AtomicU8]>,
    /// How often which operation ended how.
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    broken: Mutex<Vec<String>>,
    /// The ids of the jobs that were begun, a line each.
    jobs: Mutex<File>,
}

impl Ledger {
    pub(super) fn new(jobs: &Path) -> Self {
        Self {
            next: AtomicUsize::new(0),
            told: (0..CALLS).map(|_| AtomicU8::new(0)).collect(),
            counts: Mutex::default(),
            broken: Mutex::default(),
            jobs: Mutex::new(File::create(jobs).unwrap()),
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
        self.told[call].store(told as u8, Ordering::SeqCst);
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

    /// Compares with the prompts that the server gave to agents.
    pub(super) fn compare(&self, executions: &[String]) -> Compared {
        let mut compared = Compared::default();
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        for prompt in executions {
            *times.entry(prompt).or_default() += 1;
        }
        compared.executions = executions.len();
        for call in 0..self.next.load(Ordering::SeqCst) {
            let told = Told::ALL[usize::from(self.told[call].load(Ordering::SeqCst))];
            let executed = times.remove(prompt(call).as_str()).unwrap_or_default();
            compared.calls += 1;
            compared.twice += usize::from(executed > 1);
            match told {
                Told::Done => compared.lost += usize::from(executed == 0),
                Told::Denied => compared.wrongly_denied += usize::from(executed > 0),
                Told::Doubtful => compared.doubtful += 1,
                Told::Begun | Told::Nothing => {}
            }
        }
        compared.unknown = times.len();
        compared
    }
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
    /// Executed, and nobody asked for it.
    pub(super) unknown: usize,
}

fn prompt(call: usize) -> String {
    format!("soak-{call}-")
}
