//! One comparison: what was measured of us and of a peer, and the budget that it has to keep.

use serde::{Deserialize, Serialize};

/// A comparison of two figures of the same run, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The table that it belongs to, which docs/performance.md has a place for.
    pub table: String,
    /// The input or the situation.
    pub case: String,
    /// Whom we are compared with.
    pub peer: String,
    pub measure: Measure,
    pub ours: f64,
    pub theirs: f64,
    /// Ours by theirs, the median of the pairs where there are pairs. None when theirs is nothing.
    pub ratio: Option<f64>,
    pub budget: Option<Budget>,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Seconds, of a processor or of a clock.
    Time,
    /// The inverse of time: more is better.
    Throughput,
    Instructions,
    /// Of data that were not in the processor's nearest cache.
    Misses,
    Allocations,
    Bytes,
    /// Crates of a build.
    Crates,
    /// Tasks of an async runtime.
    Tasks,
}

impl Measure {
    /// Whether the figures mean something on another machine. Otherwise only their ratio is shown.
    pub fn is_count(self) -> bool {
        !matches!(self, Self::Time | Self::Throughput)
    }
}

/// The limit of a row. Never of seconds: those depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// The most that the ratio may be.
    AtMost(f64),
    /// The least that the ratio may be.
    AtLeast(f64),
    /// The most that ours may be above theirs, for counts.
    AtMostMore(f64),
}

impl Row {
    /// A row without a budget. The ratio is that of the two figures.
    pub fn new(table: &str, case: &str, peer: &str, measure: Measure, ours: f64, theirs: f64) -> Self {
        let [table, case, peer] = [table, case, peer].map(str::to_owned);
        let ratio = (theirs != 0.0).then_some(ours / theirs);
        Self {
            table,
            case,
            peer,
            measure,
            ours,
            theirs,
            ratio,
            budget: None,
        }
    }

    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Whether the budget is kept, if there is one.
    pub fn kept(&self) -> Option<bool> {
        let ratio = self.ratio.unwrap_or(f64::INFINITY);
        Some(match self.budget? {
            Budget::AtMost(most) => ratio <= most,
            Budget::AtLeast(least) => ratio >= least,
            Budget::AtMostMore(most) => self.ours - self.theirs <= most,
        })
    }

    /// Prints it as a line on standard output.
    pub fn print(&self) -> crate::Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, theirs: f64, budget: Budget) -> Row {
        Row::new("t", "c", "p", Measure::Allocations, ours, theirs).budget(budget)
    }

    #[test]
    fn a_budget_is_kept_up_to_its_limit() {
        assert_eq!(row(3.0, 2.0, Budget::AtMost(1.5)).kept(), Some(true));
        assert_eq!(row(3.1, 2.0, Budget::AtMost(1.5)).kept(), Some(false));
        assert_eq!(row(2.0, 1.0, Budget::AtLeast(2.0)).kept(), Some(true));
        assert_eq!(row(1.9, 1.0, Budget::AtLeast(2.0)).kept(), Some(false));
        assert_eq!(row(0.0, 0.0, Budget::AtMostMore(0.0)).kept(), Some(true));
        assert_eq!(row(16.0, 0.0, Budget::AtMostMore(15.0)).kept(), Some(false));
        assert_eq!(Row::new("t", "c", "p", Measure::Time, 1.0, 1.0).kept(), None);
    }

    #[test]
    fn a_row_without_a_ratio_comes_back_from_its_line() {
        let row = row(1.0, 0.0, Budget::AtMostMore(1.0));
        let line = serde_json::to_string(&row).unwrap();
        assert!(
            line.ends_with(r#""ratio":null,"budget":{"at_most_more":1.0}}"#),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
    }
}
