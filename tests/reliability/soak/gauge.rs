//! What the process uses over time, and whether that grows.

use std::fmt::Write;

use tokio::runtime::Handle;

use crate::measure;

/// What is used at one moment.
#[derive(Clone, Copy)]
struct Sample {
    heap: u64,
    resident: u64,
    descriptors: u64,
    tasks: u64,
}

/// Samples in the order in which they were taken.
#[derive(Default)]
pub(super) struct Gauge(Vec<Sample>);

/// How much of the time is for warming up.
const WARM_UP: f64 = 0.2;

/// The least of one thing at the beginning and at the end of the time after the warm-up, a third of it each: what is in use
/// when few calls are under way, however busy the machine is at other times.
pub(super) struct Trend {
    pub(super) name: &'static str,
    pub(super) first: u64,
    pub(super) last: u64,
    most: u64,
    /// How much more is chance: a few idle connections, or what an allocator keeps of busier moments.
    chance: u64,
}

impl Trend {
    /// How much greater the end is, in percent; negative if it is smaller.
    pub(super) fn drift(&self) -> f64 {
        (self.last as f64 / self.first as f64 - 1.0) * 100.0
    }

    /// Whether the end is more than that many percent greater, and not by chance.
    pub(super) fn grows(&self, percent: f64) -> bool {
        self.drift() > percent && self.last > self.first.saturating_add(self.chance)
    }
}

impl Gauge {
    pub(super) fn look(&mut self) {
        self.0.push(Sample {
            heap: crate::HEAP.current_usage() as u64 / 1024,
            resident: measure::resident(),
            descriptors: measure::descriptors() as u64,
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
        });
    }

    pub(super) fn trends(&self) -> [Trend; 4] {
        let warm = &self.0[(self.0.len() as f64 * WARM_UP) as usize..];
        let third = warm.len().div_ceil(3);
        let trend = |name, chance, of: fn(&Sample) -> u64| Trend {
            name,
            first: least(&warm[..third], of),
            last: least(&warm[warm.len() - third..], of),
            most: warm.iter().map(of).max().unwrap_or_default(),
            chance,
        };
        [
            trend("allocated, KiB", 0, |sample| sample.heap),
            trend("resident, KiB", u64::MAX, |sample| sample.resident),
            trend("files and sockets", 10, |sample| sample.descriptors),
            trend("tasks", 10, |sample| sample.tasks),
        ]
    }
}

fn least(samples: &[Sample], of: fn(&Sample) -> u64) -> u64 {
    samples.iter().map(of).min().unwrap_or_default()
}

/// The trends as a table.
pub(super) fn table(trends: &[Trend]) -> String {
    let mut table = "| in use, least | first third | last third | drift | most |\n|---|---|---|---|---|\n".to_owned();
    for trend in trends {
        writeln!(
            table,
            "| {} | {} | {} | {:+.1} % | {} |",
            trend.name,
            trend.first,
            trend.last,
            trend.drift(),
            trend.most
        )
        .unwrap();
    }
    table
}
