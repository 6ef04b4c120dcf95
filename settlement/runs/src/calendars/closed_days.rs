//! The days of a calendar on which banks are closed. Pure: no clock, no zone; a day is a date.

use super::CalendarRefusal;
use crate::days;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeSet;

/// The most single dates of a calendar; some eighty years of them.
pub const DATES_MAX: usize = 4_000;

/// Single dates and, if it says so, every Saturday and Sunday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDays {
    dates: BTreeSet<Date>,
    weekends: bool,
}

impl ClosedDays {
    /// These dates, in whatever order and however often each is named.
    pub fn new(dates: impl IntoIterator<Item = Date>, weekends: bool) -> Self {
        Self { dates: dates.into_iter().collect(), weekends }
    }

    /// Reads dates as `2026-12-25`, of the years 2000 to 2199, and nothing else.
    pub fn parse(dates: &[String], weekends: bool) -> Result<Self, CalendarRefusal> {
        if dates.len() > DATES_MAX {
            return Err(CalendarRefusal::TooManyDates);
        }
        let dates: Result<BTreeSet<Date>, CalendarRefusal> = dates.iter().map(|text| parse_date(text)).collect();
        Ok(Self { dates: dates?, weekends })
    }

    /// The single dates in order.
    pub fn dates(&self) -> impl ExactSizeIterator<Item = Date> {
        self.dates.iter().copied()
    }

    /// Whether Saturdays and Sundays are closed.
    pub fn weekends(&self) -> bool {
        self.weekends
    }

    /// Whether banks are closed on the day.
    pub fn contains(&self, day: Date) -> bool {
        self.weekends && matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || self.dates.contains(&day)
    }

    /// The first open day, the given one or later; none before the end of time.
    pub(crate) fn open_from(&self, day: Date) -> Option<Date> {
        std::iter::successors(Some(day), |day| day.tomorrow().ok()).find(|day| !self.contains(*day))
    }

    /// The last open day, the given one or earlier.
    pub(crate) fn open_until(&self, day: Date) -> Option<Date> {
        std::iter::successors(Some(day), |day| day.yesterday().ok()).find(|day| !self.contains(*day))
    }
}

fn parse_date(text: &str) -> Result<Date, CalendarRefusal> {
    days::read(text).ok_or_else(|| CalendarRefusal::DateMalformed { date: text.chars().take(40).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn parse(dates: &[&str]) -> Result<ClosedDays, CalendarRefusal> {
        let dates: Vec<String> = dates.iter().map(|text| (*text).to_owned()).collect();
        ClosedDays::parse(&dates, false)
    }

    #[test]
    fn dates_are_sorted_and_count_once() {
        let closed = parse(&["2026-12-26", "2026-12-25", "2026-12-26", "2000-01-01", "2199-12-31"]).unwrap();
        let dates: Vec<String> = closed.dates().map(|date| date.to_string()).collect();
        assert_eq!(dates, ["2000-01-01", "2026-12-25", "2026-12-26", "2199-12-31"]);
    }

    #[test]
    fn a_date_has_one_spelling() {
        for bad in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "20261225",
            "2026-12-25T00:00",
            "2026-12-25Z",
            " 2026-12-25",
            "2026-12-25\n",
            "25.12.2026",
            "1999-12-31",
            "2200-01-01",
            "-002026-12-25",
            "+002026-12-25",
            "2026-W52-5",
            "2026-360",
            "tomorrow",
            "infinity",
        ] {
            assert_eq!(parse(&["2026-12-25", bad]), Err(CalendarRefusal::DateMalformed { date: bad.to_owned() }), "{bad:?}");
        }
        let long = "9".repeat(1_000);
        assert_eq!(parse(&[&long]), Err(CalendarRefusal::DateMalformed { date: "9".repeat(40) }));
    }

    #[test]
    fn a_calendar_is_bounded() {
        assert!(parse(&["2026-12-25"; DATES_MAX]).is_ok());
        assert_eq!(parse(&["2026-12-25"; DATES_MAX + 1]), Err(CalendarRefusal::TooManyDates));
    }

    #[test]
    fn open_days_are_found_on_both_sides_of_closed_ones() {
        // Christmas 2026 is a Friday.
        let closed = ClosedDays::new([date(2026, 12, 25)], true);
        assert_eq!(closed.open_from(date(2026, 12, 25)), Some(date(2026, 12, 28)));
        assert_eq!(closed.open_until(date(2026, 12, 27)), Some(date(2026, 12, 24)));
        assert_eq!(closed.open_from(date(2026, 12, 24)), Some(date(2026, 12, 24)));
    }
}
