//! Days as people and banks write them: the one reader.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::{Offset, offset};
use std::ops::RangeInclusive;

/// What lies outside is a typing mistake.
const DAYS: RangeInclusive<Date> = date(2000, 1, 1)..=date(2199, 12, 31);

/// `2026-11-23`, in no other spelling.
pub(crate) fn read(text: &str) -> Option<Date> {
    // jiff would also read `20261123`, and a time behind it.
    text.parse().ok().filter(|day: &Date| day.to_string() == text && DAYS.contains(day))
}

/// Where a day begins first.
const EARLIEST: Offset = offset(14);

/// Whether the day has begun anywhere: on one that has not, no bank can have booked.
pub(crate) fn has_begun(day: Date, now: Timestamp) -> bool {
    day <= EARLIEST.to_datetime(now).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_fourteen_hours_before_it_does_in_utc() {
        let day = date(2026, 11, 27);
        for (now, begun) in [("2026-11-26T09:59:59Z", false), ("2026-11-26T10:00:00Z", true), ("2026-11-28T00:00:00Z", true)] {
            assert_eq!(has_begun(day, now.parse().unwrap()), begun, "{now}");
        }
    }

    #[test]
    fn a_day_has_one_spelling_and_a_year_that_is_meant() {
        for text in ["2000-01-01", "2026-11-23", "2024-02-29", "2199-12-31"] {
            assert_eq!(read(text).map(|day| day.to_string()).as_deref(), Some(text));
        }
        for text in ["", "20261123", "2026-11-23T10:00", "2026-1-1", "2026-02-29", "1999-12-31", "2200-01-01", " 2026-11-23", "２026-11-23"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
