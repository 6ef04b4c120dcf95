//! Counts as floats, in one place.

use std::time::Duration;

/// A count as a number to divide with.
#[expect(clippy::as_conversions, reason = "exact up to 2^53, and nothing is counted that far")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A length as a number.
pub(crate) fn count(length: usize) -> f64 {
    real(u64::try_from(length).unwrap_or(u64::MAX))
}

/// Whole microseconds, at most an hour.
pub(crate) fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
