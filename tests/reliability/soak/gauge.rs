//! What the process uses over time, and whether that grows.

use std::fmt::Write;

use tokio::runtime::Handle;

use crate::measure;

/// What is used at one moment.
#[derive(Clone, Copy)]
struct Sample {
    memory: u64,
    descriptors: u64,
    tasks: u64,
}

/// Samples in the order in which they were taken.
#[derive(Default)]
pub(super) struct Gauge(Vec<Sample>);

/// How much of the time is for warming up.
const WARM_UP: f64 = 0.2;

/// The middle of one thing at the beginning and at the end of the time after the warm-up, a third of it each.
pub(super) struct Trend {
    pub(super) name: &'static str,
    pub(super) first: u64,
    pub(super) last: u64,
    most: u64,
}

impl Trend {
    /// How much greater the end is, in percent; negative if it is smaller.
    pub(super) fn drift(&self) -> f64 {
        (self.last as f64 / self.first as f64 - 1.0) * 100.0
    }
}

impl Gauge {
    pub(super) fn look(&mut self) {
        self.0.push(Sample {
            memory: measure::memory(),
            descriptors: measure::descriptors() as u64,
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
        });
    }

    pub(super) fn trends(&self) -> [Trend; 3] {
        let warm = &self.0[(self.0.len() as f64 * WARM_UP) as usize..];
        let third = warm.len().div_ceil(3);
        let trend = |name, of: fn(&Sample) -> u64| Trend {
            name,
            first: middle(&warm[..third], of),
            last: middle(&warm[warm.len() - third..], of),
            most: warm.iter().map(of).max().unwrap_or_default(),
        };
        [
            trend("memory, KiB", |sample| sample.memory),
            trend("files and sockets", |sample| sample.descriptors),
            trend("tasks", |sample| sample.tasks),
        ]
    }
}

fn middle(samples: &[Sample], of: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// The trends as a table.
pub(super) fn table(trends: &[Trend]) -> String {
    let mut table = "| in use | first third | last third | drift | most |\n|---|---|---|---|---|\n".to_owned();
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
