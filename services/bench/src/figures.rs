//! Figures: what a turn came to, and what many turns come to together.

use crate::number::{count, real};
use crate::usage::Shares;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Per second.
    PerSecond,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// MiB.
    Mebibytes,
    /// Processors kept busy.
    Processors,
    /// How many.
    Count,
    /// One figure in units of another.
    Times,
}

impl Unit {
    /// As it stands behind a figure.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Mebibytes => "MiB",
            Self::Processors => "cpu",
            Self::Count => "",
            Self::Times => "x",
        }
    }
}

/// One measured figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `part.figure`, such as `singles.p99`.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

/// In JSON a figure's unit is part of its name there, so the value stands alone.
impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value)
    }
}

/// What one turn of one part came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) per_second: f64,
    pub(crate) mean_ms: f64,
    /// Not known of the yardsticks.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) shares: Shares,
}

impl Taken {
    /// From the latencies of all requests of the turn, in microseconds.
    pub(crate) fn from_latencies(mut latencies: Vec<u32>, swaps: f64, time: Duration, shares: Shares) -> Self {
        latencies.sort_unstable();
        let millis = |micros: Option<u32>| micros.map(|m| f64::from(m) / 1000.0);
        let total: u64 = latencies.iter().map(|l| u64::from(*l)).sum();
        Self {
            per_second: swaps / time.as_secs_f64(),
            mean_ms: real(total) / count(latencies.len()).max(1.0) / 1000.0,
            p50_ms: millis(percentile(&latencies, 50)),
            p99_ms: millis(percentile(&latencies, 99)),
            shares,
        }
    }
}

/// The smallest value that so many percent do not exceed.
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

/// The middle; of an even number, the mean of the two in the middle. Of nothing there is none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (below, above) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*below, *above))
}

/// The median of the ratios within a round: what disturbed a round disturbed both sides of it.
pub(crate) fn ratio_of_rounds(above: &[f64], below: &[f64]) -> Option<f64> {
    median(above.iter().zip(below).filter(|(_, b)| **b > 0.0).map(|(a, b)| a / b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99), percentile(&values, 100)), (Some(100), Some(198), Some(200)));
        assert_eq!((percentile(&[7], 1), percentile(&[], 50)), (Some(7), None));
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        // The second round ran at half the speed, for both.
        assert_eq!(ratio_of_rounds(&[30.0, 15.0, 31.0], &[10.0, 5.0, 10.0]), Some(3.0));
        assert_eq!(ratio_of_rounds(&[1.0], &[0.0]), None);
    }

    #[test]
    fn latencies_become_a_turn() {
        let taken = Taken::from_latencies(vec![3000, 1000, 2000], 3.0, Duration::from_secs(2), Shares::default());
        assert_eq!((taken.per_second, taken.mean_ms, taken.p50_ms, taken.p99_ms), (1.5, 2.0, Some(2.0), Some(3.0)));
    }
}
