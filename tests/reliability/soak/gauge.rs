//! What the process uses when nothing is under way, and whether that grows.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::measure;

/// What is in use when all users rest.
#[derive(Clone, Copy)]
struct Sample {
    /// In KiB, as the others.
    allocated: u64,
    anonymous: u64,
    resident: u64,
}

/// What was in use at each rest, in order, and the most at any time in between.
#[derive(Default)]
pub(super) struct Gauge {
    rests: Vec<Sample>,
    most: Most,
}

#[derive(Default)]
struct Most {
    files: usize,
    tasks: usize,
    allocated: usize,
    resident: u64,
}

/// How many of the first rests are for warming up: a fifth.
const WARM_UP: usize = 5;
const LOOK: Duration = Duration::from_millis(500);

/// One thing at all rests, and its medians over the first and the last third of those after the warm-up.
pub(super) struct Trend {
    pub(super) name: &'static str,
    first: u64,
    last: u64,
    rests: Vec<u64>,
}

impl Trend {
    fn new(name: &'static str, rests: Vec<u64>) -> Self {
        let warm = &rests[rests.len() / WARM_UP..];
        let third = warm.len().div_ceil(3);
        let (first, last) = (median(&warm[..third]), median(&warm[warm.len() - third..]));
        Self {
            name,
            first,
            last,
            rests,
        }
    }

    /// How much greater the end is, in percent; negative if it is smaller.
    pub(super) fn drift(&self) -> f64 {
        (self.last as f64 / self.first as f64 - 1.0) * 100.0
    }
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

impl Gauge {
    /// Looks again and again while calls are under way.
    pub(super) async fn look_for(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            tokio::time::sleep(LOOK).await;
            let most = &mut self.most;
            most.files = most.files.max(measure::descriptors());
            most.tasks = most.tasks.max(measure::tasks());
            most.allocated = most.allocated.max(measure::allocated() / 1024);
            most.resident = most.resident.max(measure::resident().all);
        }
    }

    /// Looks while none is, when so many bytes are allocated.
    pub(super) fn rest(&mut self, allocated: usize) {
        let resident = measure::resident();
        self.rests.push(Sample {
            allocated: allocated as u64 / 1024,
            anonymous: resident.anonymous,
            resident: resident.all,
        });
    }

    pub(super) fn trends(&self) -> [Trend; 3] {
        let trend = |name, of: fn(&Sample) -> u64| Trend::new(name, self.rests.iter().map(of).collect());
        [
            trend("allocated", |sample| sample.allocated),
            trend("resident", |sample| sample.resident),
            trend("resident, without the program's file", |sample| sample.anonymous),
        ]
    }

    /// The trends, and what they come from.
    pub(super) fn table(&self) -> String {
        let mut table = "| at rest, KiB | first third | last third | drift |\n|---|---|---|---|\n".to_owned();
        let trends = self.trends();
        for trend in &trends {
            let (name, first, last, drift) = (trend.name, trend.first, trend.last, trend.drift());
            writeln!(table, "| {name} | {first} | {last} | {drift:+.1} % |").unwrap();
        }
        table.push_str("\nAt each rest:\n\n");
        for trend in &trends {
            let rests: Vec<String> = trend.rests.iter().map(u64::to_string).collect();
            writeln!(table, "- {}: {}", trend.name, rests.join(" ")).unwrap();
        }
        let most = &self.most;
        writeln!(
            table,
            "\nIn between up to {} files and sockets, {} tasks, {} KiB allocated and {} KiB resident.",
            most.files, most.tasks, most.allocated, most.resident
        )
        .unwrap();
        table
    }
}

#[test]
fn what_grows_is_seen_and_what_came_once_is_not() {
    let drift = |of: fn(u64) -> u64| Trend::new("x", (0..16).map(of).collect()).drift();
    assert!(drift(|rest| 1000 + 10 * rest) > 5.0, "slow growth");
    assert!(drift(|rest| if rest < 10 { 1000 } else { 1060 }) > 5.0, "a step");
    assert!(drift(|rest| 500 * rest.min(3)).abs() < 0.1, "the warm-up");
    assert!(drift(|rest| if rest == 14 { 2000 } else { 1000 }).abs() < 0.1, "once");
}
