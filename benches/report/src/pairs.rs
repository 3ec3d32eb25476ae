//! Two sides measured in turns, so that what else the machine does falls on both.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A sample repeats its work until it takes this long, far above what a clock can tell.
const SAMPLE_SECONDS: f64 = 0.01;

/// What the pairs showed: the middle of each side, and the middle of the ratios, which a disturbed pair does not move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub ours: f64,
    pub theirs: f64,
    /// Ours by theirs.
    pub ratio: f64,
}

impl Pair {
    /// What samples of both sides show.
    pub fn of(samples: &[(f64, f64)]) -> Self {
        let middle = |value: fn(&(f64, f64)) -> f64| median(samples.iter().map(value).collect());
        Self {
            ours: middle(|it| it.0),
            theirs: middle(|it| it.1),
            ratio: middle(|it| it.0 / it.1),
        }
    }

    /// The same as a speed, where the pair was times.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self {
            ours: 1.0 / self.ours,
            theirs: 1.0 / self.theirs,
            ratio: 1.0 / self.ratio,
        }
    }

    /// The row of it.
    pub fn row(self, table: &str, case: &str, peer: &str, measure: crate::Measure) -> crate::Row {
        crate::Row {
            ratio: Some(self.ratio),
            ..crate::Row::new(table, case, peer, measure, self.ours, self.theirs)
        }
    }
}

/// Asks both sides in turns, A B A B, for as many pairs and one more before them to warm up.
pub fn in_turns(pairs: usize, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) -> Pair {
    let samples: Vec<_> = (0..=pairs).map(|_| (ours(), theirs())).skip(1).collect();
    Pair::of(&samples)
}

/// The processor time of one piece of work of each side, in seconds, measured in turns.
pub fn paired(pairs: usize, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> Pair {
    let (our_times, their_times) = (repetitions(&mut ours), repetitions(&mut theirs));
    in_turns(
        pairs,
        || cpu_seconds(|| (0..our_times).for_each(|_| ours())) / f64::from(our_times),
        || cpu_seconds(|| (0..their_times).for_each(|_| theirs())) / f64::from(their_times),
    )
}

/// How often the work has to be done to fill a sample.
fn repetitions(work: &mut impl FnMut()) -> u32 {
    let mut times = 1;
    while cpu_seconds(|| (0..times).for_each(|_| work())) < SAMPLE_SECONDS {
        times *= 2;
    }
    times
}

/// The processor time that all threads of this process took in the meantime. Other processes do not lengthen it, unless
/// by what they do to caches.
pub fn cpu_seconds(work: impl FnOnce()) -> f64 {
    let start = processor();
    work();
    (processor() - start).as_secs_f64()
}

fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let whole = Duration::from_secs(time.tv_sec.try_into().unwrap_or_default());
    whole + Duration::from_nanos(time.tv_nsec.try_into().unwrap_or_default())
}

/// The middle value, or the mean of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5),
        ] {
            assert_eq!(median(values), expected);
        }
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn the_first_pair_warms_up_and_a_disturbed_one_does_not_count() {
        let mut ours = [50.0, 2.0, 20.0, 2.0].into_iter();
        let mut theirs = [1.0, 4.0, 1.0, 4.0].into_iter();
        let pair = in_turns(3, || ours.next().unwrap(), || theirs.next().unwrap());
        assert_eq!((pair.ours, pair.theirs, pair.ratio), (2.0, 4.0, 0.5));
    }
}
